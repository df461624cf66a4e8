//! Percent-encoding (RFC 3986, section 2.1), and `%u0041` as ECMAScript's `escape` writes it.

use super::edit::{Becomes, Edit, Undo, find};
use super::{View, hex};

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
    match bytes.get(at + 1..)? {
        [b'u', rest @ ..] => {
            let [high, low] = *rest.first_chunk::<4>()?.as_chunks::<2>().0 else { return None };
            let code = u32::from(hex::byte(high)?) << 8 | u32::from(hex::byte(low)?);
            char::from_u32(code).filter(|unit| !unit.is_control()).map(|unit| (unit, 6))
        }
        rest => {
            let byte = hex::byte(*rest.first_chunk::<2>()?)?;
            byte.is_ascii().then_some((char::from(byte), 3))
        }
    }
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
