use super::node::{Entry, excerpt};
use super::{Found, MAX_FAULTS, Node, Segment, Trail, Value};
use crate::config::Environment;

/// Fills variables into every scalar below `root`. The ids of nodes that could not be filled come
/// back with what is wrong with them.
pub(in crate::config) fn interpolate(
    root: &mut Node,
    environment: &Environment,
) -> Vec<(usize, Found)> {
    let mut filling = Filling { environment, found: Vec::new() };
    filling.node(root, &Trail::ROOT);
    filling.found
}

struct Filling<'e> {
    environment: &'e Environment,
    found: Vec<(usize, Found)>,
}

impl Filling<'_> {
    fn node(&mut self, node: &mut Node, trail: &Trail<'_>) {
        match &mut node.value {
            Value::List(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.node(item, &trail.then(Segment::Index(index)));
                }
            }
            Value::Map(entries) => {
                for entry in entries {
                    self.entry(entry, trail);
                }
            }
            Value::Scalar(scalar) => match fill(&scalar.text, self.environment) {
                Ok(None) => {}
                Ok(Some(text)) => scalar.written = Some(std::mem::replace(&mut scalar.text, text)),
                Err(problem) => {
                    let message = format!("`{trail}`: {problem}");
                    self.report(node.id, node.at, trail, message);
                }
            },
        }
    }

    fn entry(&mut self, entry: &mut Entry, trail: &Trail<'_>) {
        if entry.key.contains("${") {
            let message =
                format!("key `{}`: variables are filled into values only", excerpt(&entry.key));
            self.report(entry.value.id, entry.at, trail, message);
        } else {
            self.node(&mut entry.value, &trail.then(Segment::Key(&entry.key)));
        }
    }

    fn report(
        &mut self,
        id: usize,
        position: crate::config::Position,
        trail: &Trail<'_>,
        message: String,
    ) {
        if self.found.len() < MAX_FAULTS {
            self.found.push((id, Found { position, path: trail.to_string(), message }));
        }
    }
}

/// `text` with its variables filled in; `None` when it has none.
fn fill(text: &str, environment: &Environment) -> Result<Option<String>, String> {
    if !text.contains("${") {
        return Ok(None);
    }
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(literal) = before.strip_suffix('$') {
            filled.push_str(literal);
            filled.push_str("${");
            rest = after;
            continue;
        }
        filled.push_str(before);
        let (reference, after) = after.split_once('}').ok_or("`${` is never closed by `}`")?;
        filled.push_str(value(reference, environment)?);
        rest = after;
        if filled.len() > super::MAX_BYTES {
            return Err("the text is too long with its variables filled in".to_owned());
        }
    }
    filled.push_str(rest);
    Ok(Some(filled))
}

fn value<'v>(reference: &'v str, environment: &'v Environment) -> Result<&'v str, String> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let mut bytes = name.bytes();
    if !bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        || !bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err("`${...}` must hold the name of a variable, as in `${NAME}` or \
                    `${NAME:-default}`; `$${` stands for `${` itself"
            .to_owned());
    }
    if default.is_some_and(|default| default.contains("${")) {
        return Err(format!("the default of `{}` cannot hold a variable itself", excerpt(name)));
    }
    match (environment.var(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default),
        (None, None) => Err(format!(
            "the environment variable `{0}` is not set; set it, or give a default as in \
             `${{{0}:-default}}`",
            excerpt(name)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Result<Option<String>, String> {
        fill(text, &Environment::empty().with("A", "one").with("EMPTY", "").with("INJ", "${A}: }"))
    }

    #[test]
    fn fills_values_defaults_and_escapes() {
        for (text, result) in [
            ("${A}", "one"),
            ("x${A}y${A:-z}", "xoneyone"),
            ("${NONE:-}", ""),
            ("${NONE:-a:-b}", "a:-b"),
            ("${EMPTY:-d}", "d"),
            ("${EMPTY}", ""),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("${INJ}", "${A}: }"),
            ("é${A}é", "éoneé"),
        ] {
            assert_eq!(filled(text).unwrap().unwrap(), result, "{text}");
        }
        for text in ["plain", "$A", "$", "a}b", "$ {A}"] {
            assert_eq!(filled(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_fill() {
        assert!(filled("${NONE}").unwrap_err().contains("`NONE` is not set"));
        for text in ["${A", "${}", "${1A}", "${A B}", "${ A}", "${A:-${A}}", "${A:?x}"] {
            assert!(filled(text).is_err(), "{text}");
        }
    }
}
