//! Percent-encoding (RFC 3986, section 2.1).

use super::{Budget, Derived, Mapped, View, decode_segments};

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let bytes = text.as_bytes();
    let places = memchr::memchr_iter(b'%', bytes).filter(|at| tells(bytes, *at));
    decode_segments(View::Percent, text, places, decode, budget, visit);
}

/// Whether what stands at `at` is an encoded byte that secrets and their surroundings have.
fn tells(bytes: &[u8], at: usize) -> bool {
    byte_at(bytes, at).is_some_and(|byte| byte.is_ascii_graphic())
}

fn byte_at(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let high = digit(bytes.get(at + 1)?)?;
    let low = digit(bytes.get(at + 2)?)?;
    u8::try_from(high << 4 | low).ok()
}

fn decode(text: &str) -> Mapped {
    let bytes = text.as_bytes();
    let mut mapped = Mapped::default();
    let mut done = 0;
    for at in memchr::memchr_iter(b'%', bytes) {
        // What is no ASCII stays as it is.
        let Some(byte) = byte_at(bytes, at).filter(u8::is_ascii) else { continue };
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        mapped.add_char(char::from(byte), at..at + 3);
        done = at + 3;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_bytes_are_decoded_once() {
        assert_eq!(decode("%41b%2541%zz%4").text(), "Ab%41%zz%4");
        assert_eq!(decode("caf%C3%A9 100%").text(), "caf%C3%A9 100%");
    }
}
