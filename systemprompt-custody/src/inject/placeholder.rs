use super::NamedSecret;

/// What a placeholder begins with.
pub(super) const SCHEME: &str = "secret://";

/// The name whose `secret://h/...` are handles of values that were found in a text. Whoever made them
/// resolves them; here they are text like any other.
const HANDLE: &str = "h";

/// Most characters of a placeholder that an error repeats.
const SHOWN: usize = 80;

/// A piece of a text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Secret(NamedSecret),
}

/// A text that begins like a placeholder and is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("placeholder `{placeholder}` {problem}")]
pub struct PlaceholderFault {
    /// The placeholder as it was written, or its beginning.
    pub placeholder: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Whether `text` may hold a placeholder.
pub(super) fn occurs_in(text: &str) -> bool {
    positions(text).next().is_some()
}

/// Takes `text` apart at its placeholders.
///
/// Every occurrence of `secret://` has to be one, except handles: what does not parse is an error and
/// never left standing, so that a slip of the pen is not sent out as if it were a secret.
pub(super) fn split(text: &str) -> Result<Vec<Part>, PlaceholderFault> {
    let mut parts = Vec::new();
    let mut done = 0;
    for start in positions(text) {
        let rest = text.get(start..).unwrap_or_default();
        let fault = |problem| PlaceholderFault { placeholder: shown(rest), problem };
        let Some(after_scheme) = rest.strip_prefix(SCHEME) else {
            return Err(fault("is not written in lower case"));
        };
        let Some(reference) = reference(after_scheme).map_err(fault)? else { continue };
        let secret = reference.parse().map_err(|_| fault("is longer than a name may be"))?;
        let before = text.get(done..start).unwrap_or_default();
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        parts.push(Part::Secret(secret));
        done = start + SCHEME.len() + reference.len();
    }
    let rest = text.get(done..).unwrap_or_default();
    if !rest.is_empty() || parts.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

/// Where `secret://` occurs, in any case.
fn positions(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    // The `:` is rarer than the letters before it.
    let colons = bytes.windows(3).enumerate().filter(|(_, window)| *window == b"://");
    colons.filter_map(|(colon, _)| {
        let start = (colon + 3).checked_sub(SCHEME.len())?;
        let word = bytes.get(start..colon)?;
        word.eq_ignore_ascii_case(b"secret").then_some(start)
    })
}

/// The `name` or `name@version` that `text` begins with; `None` for a handle.
fn reference(text: &str) -> Result<Option<&str>, &'static str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let name_ends = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let (name, after) = text.split_at(name_ends);
    if name.is_empty() {
        return Err("has no name");
    }
    if after.starts_with('/') {
        return if name == HANDLE { Ok(None) } else { Err("has a `/` after the name") };
    }
    let Some(version) = after.strip_prefix('@') else { return Ok(Some(name)) };
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    let (digits, after) = version.split_at(digits);
    let valid = digits.parse::<u32>().is_ok_and(|version| version > 0);
    if !valid || after.starts_with(|c| is_name(c) || matches!(c, '/' | '@')) {
        return Err("has an `@` that is not followed by a version");
    }
    Ok(text.get(..name_ends + 1 + digits.len()))
}

/// The placeholder that `rest` begins with, as far as it is safe and useful to repeat.
fn shown(rest: &str) -> String {
    let ends =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    rest.chars().take(SHOWN).take_while(|c| !ends(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Part {
        Part::Text(text.to_owned())
    }

    fn secret(reference: &str) -> Part {
        Part::Secret(reference.parse().unwrap())
    }

    #[test]
    fn placeholders_are_found_whole_and_embedded() {
        for (whole, parts) in [
            ("", vec![text("")]),
            ("no such thing", vec![text("no such thing")]),
            ("secret://a", vec![secret("a")]),
            ("secret://a.b-c_D@12", vec![secret("a.b-c_D@12")]),
            ("Bearer secret://a", vec![text("Bearer "), secret("a")]),
            ("secret://a:secret://b@2;", vec![secret("a"), text(":"), secret("b@2"), text(";")]),
            ("secret://a@1 é", vec![secret("a@1"), text(" é")]),
            ("xsecret://a", vec![text("x"), secret("a")]),
            ("secret://h", vec![secret("h")]),
        ] {
            assert_eq!(split(whole).as_ref(), Ok(&parts), "{whole}");
        }
    }

    #[test]
    fn handles_are_left_as_they_are() {
        let whole = "see secret://h/3f and secret://h/";
        assert_eq!(split(whole), Ok(vec![text(whole)]));
        assert_eq!(split("secret://h/1 secret://a"), Ok(vec![text("secret://h/1 "), secret("a")]));
    }

    #[test]
    fn what_is_no_placeholder_is_an_error() {
        let long = format!("secret://{}", "n".repeat(256));
        for whole in [
            "secret://",
            "secret:// a",
            "secret://é",
            "SECRET://a",
            "Secret://h/1",
            "secret://a/b",
            "secret://a@",
            "secret://a@x",
            "secret://a@0",
            "secret://a@3x",
            "secret://a@3@4",
            "secret://a@4294967296",
            "ok secret://a then secret://",
            &long,
        ] {
            let fault = split(whole).unwrap_err();
            assert!(fault.placeholder.to_lowercase().starts_with(SCHEME), "{whole}: {fault}");
            assert!(fault.placeholder.len() <= SHOWN, "{whole}");
        }
        assert_eq!(
            split("Bearer secret://a/b, x").unwrap_err().to_string(),
            "placeholder `secret://a/b,` has a `/` after the name"
        );
    }
}
