//! Keeps what was filled in from variables out of messages.

use super::yaml::excerpt;

/// What stands for a value that is not shown.
const HIDDEN: &str = "${...}";

/// Shorter texts are words of any message; they are replaced only where they are quoted.
const SHORTEST: usize = 4;

/// `message` without `text` where it is quoted.
pub(super) fn quoted(message: &str, text: &str) -> String {
    let mut shown = message.to_owned();
    for form in forms(text) {
        for quote in ['`', '"', '\''] {
            let whole = format!("{quote}{form}{quote}");
            shown = shown.replace(&whole, &format!("{quote}{HIDDEN}{quote}"));
        }
    }
    shown
}

/// `message` without `text`, wherever it is.
pub(super) fn everywhere(message: &str, text: &str) -> String {
    let mut shown = quoted(message, text);
    for form in forms(text).into_iter().filter(|form| form.len() >= SHORTEST) {
        shown = shown.replace(&form, HIDDEN);
    }
    shown
}

/// `message` about `text` itself: without it, and without anything that is quoted, which may be the
/// same in another form.
pub(super) fn itself(message: &str, text: &str) -> String {
    let shown = everywhere(message, text);
    let parts = shown.split('`').enumerate();
    let parts: Vec<_> = parts.map(|(at, part)| if at % 2 == 1 { HIDDEN } else { part }).collect();
    parts.join("`")
}

/// The forms in which a message may repeat a text.
fn forms(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for form in [text.to_owned(), text.escape_debug().to_string(), excerpt(text)] {
        if !form.is_empty() && !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_hidden_in_every_form() {
        assert_eq!(quoted("unknown `ab c`, not ab c", "ab c"), "unknown `${...}`, not ab c");
        assert_eq!(
            everywhere("string \"hunter2\": hunter2", "hunter2"),
            "string \"${...}\": ${...}"
        );
        assert_eq!(everywhere("must be 1 to 10, not `1`", "1"), "must be 1 to 10, not `${...}`");
        assert_eq!(everywhere("not `a\\nbcd`", "a\nbcd"), "not `${...}`");
        assert_eq!(
            itself("normal form `hunter2`, not HUNTER2", "HUNTER2"),
            "normal form `${...}`, not ${...}"
        );
    }
}
