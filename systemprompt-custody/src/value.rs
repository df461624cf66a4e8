use systemprompt_core::secret::Secret;

/// Most bytes of a value.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// Why a text cannot be the value of a secret, or cannot be put where it is granted to. Says nothing of the
/// text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// It is empty.
    #[error("the value is empty")]
    Empty,
    /// It is longer than [`MAX_VALUE_BYTES`].
    #[error("the value is longer than {MAX_VALUE_BYTES} bytes")]
    TooLong,
    /// It holds a NUL, which no header and no variable can.
    #[error("the value holds a NUL character")]
    Nul,
    /// It is no UTF-8.
    #[error("the value is not UTF-8 text")]
    NotText,
    /// It is granted as a header, which holds no such character.
    #[error(
        "the value holds a line break or another control character, or begins or ends with a space, which no \
         header can hold"
    )]
    NotForHeaders,
}

/// Whether `value` can be kept: text without NUL of 1 to [`MAX_VALUE_BYTES`] bytes.
///
/// # Errors
/// [`ValueError`] with what is in the way.
pub fn check_value(value: &Secret<String>) -> Result<(), ValueError> {
    let text = value.expose();
    match text.len() {
        0 => Err(ValueError::Empty),
        1..=MAX_VALUE_BYTES if text.contains('\0') => Err(ValueError::Nul),
        1..=MAX_VALUE_BYTES => Ok(()),
        _ => Err(ValueError::TooLong),
    }
}

/// Whether `value` can be put into a header (RFC 9110 section 5.5). A tab is allowed inside.
pub(crate) fn check_for_headers(value: &Secret<String>) -> Result<(), ValueError> {
    let text = value.expose();
    let bad = |c: char| c.is_control() && c != '\t';
    let padded = text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
    match text.contains(bad) || padded {
        true => Err(ValueError::NotForHeaders),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_value_is_bounded_text_without_nul() {
        assert_eq!(check_value(&secret("")), Err(ValueError::Empty));
        assert_eq!(check_value(&secret("a\0b")), Err(ValueError::Nul));
        assert_eq!(check_value(&secret("line\nline\r\n\té")), Ok(()));
        assert_eq!(check_value(&secret(&"x".repeat(MAX_VALUE_BYTES))), Ok(()));
        assert_eq!(
            check_value(&secret(&"x".repeat(MAX_VALUE_BYTES + 1))),
            Err(ValueError::TooLong)
        );
    }

    #[test]
    fn a_header_takes_neither_line_breaks_nor_controls() {
        for good in ["Bearer abc", "a\tb", "é", "~!@#$%^&*()"] {
            assert_eq!(check_for_headers(&secret(good)), Ok(()), "{good:?}");
        }
        for bad in ["a\r\nb", "a\n", "a\rb", "a\u{1b}[0m", "a\u{7f}", "a\u{85}b", " a", "a\t"] {
            let refused = check_for_headers(&secret(bad));
            assert_eq!(refused, Err(ValueError::NotForHeaders), "{bad:?}");
        }
    }
}
