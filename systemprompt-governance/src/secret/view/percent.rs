//! Percent-encoding (RFC 3986, section 2.1), and `%u0041` as ECMAScript's `escape` writes it.

use super::View;
use super::edit::{Becomes, Edit, Undo, find};

pub(super) struct Percent;

impl Undo for Percent {
    const VIEW: View = View::Percent;

    #[inline]
    fn next(text: &str, mut from: usize) -> Option<Edit> {
        let bytes = text.as_bytes();
        loop {
            let at = find(b'%', bytes, from)?;
            if let Some((unit, length)) = encoded(bytes, at) {
                // What secrets and their surroundings have.
                let tells = unit.is_ascii_graphic() || !unit.is_ascii();
                return Some(Edit { source: at..at + length, becomes: Becomes::Char(unit), tells });
            }
            from = at + 1;
        }
    }
}

/// The character that stands encoded at `at`, and how long it is. What is no ASCII stays as it is.
fn encoded(bytes: &[u8], at: usize) -> Option<(char, usize)> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
    if bytes.get(at + 1) == Some(&b'u') {
        let code = (at + 2..at + 6).try_fold(0, |code, at| Some(code << 4 | digit(at)?))?;
        return char::from_u32(code).filter(|unit| !unit.is_control()).map(|unit| (unit, 6));
    }
    let byte = u8::try_from(digit(at + 1)? << 4 | digit(at + 2)?).ok()?;
    byte.is_ascii().then_some((char::from(byte), 3))
}

#[cfg(test)]
mod tests {
    use super::super::edit::undone;
    use super::*;

    #[test]
    fn encoded_bytes_are_decoded_once() {
        assert_eq!(undone::<Percent>("%41b%2541%zz%4"), "Ab%41%zz%4");
        assert_eq!(undone::<Percent>("caf%C3%A9 100%"), "caf%C3%A9 100%");
        assert_eq!(undone::<Percent>("%u0041%u00e9 %u004 %u000a%ud800"), "Aé %u004 %u000a%ud800");
    }
}
