//! Character references of HTML and XML.

use super::{Budget, Derived, Mapped, View, decode_segments};

/// Longest reference, from `&` to `;`.
const MAX_REFERENCE: usize = 12;

pub(super) fn derive(text: &str, budget: &mut Budget, visit: &mut dyn FnMut(Derived, &mut Budget)) {
    let places =
        memchr::memchr_iter(b'&', text.as_bytes()).filter(|at| reference(text, *at).is_some());
    decode_segments(View::Entity, text, places, decode, budget, visit);
}

/// The character that the reference at `at` stands for, and its length.
fn reference(text: &str, at: usize) -> Option<(char, usize)> {
    let rest = text.as_bytes().get(at + 1..)?;
    let numeric = rest.first() == Some(&b'#');
    let named = |byte: &u8| byte.is_ascii_alphanumeric();
    let body = rest.iter().skip(usize::from(numeric)).take(MAX_REFERENCE).take_while(|b| named(b));
    let length = usize::from(numeric) + body.count();
    let name = text.get(at + 1..at + 1 + length)?;
    let closed = usize::from(rest.get(length) == Some(&b';'));
    let unit = match name.strip_prefix('#') {
        Some(code) => {
            let hex = code.strip_prefix(['x', 'X']);
            let number = hex.map_or_else(|| code.parse(), |hex| u32::from_str_radix(hex, 16));
            char::from_u32(number.ok()?).filter(|unit| !unit.is_control())?
        }
        None if closed == 0 => return None,
        None => match name {
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            "lt" => '<',
            "gt" => '>',
            "equals" => '=',
            "colon" => ':',
            "lowbar" => '_',
            "dash" | "hyphen" => '-',
            "sol" => '/',
            "plus" => '+',
            "period" => '.',
            "commat" => '@',
            _ => return None,
        },
    };
    Some((unit, 1 + length + closed))
}

fn decode(text: &str) -> Mapped {
    let mut mapped = Mapped::default();
    let mut done = 0;
    for at in memchr::memchr_iter(b'&', text.as_bytes()) {
        let Some((unit, length)) = reference(text, at).filter(|_| at >= done) else { continue };
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        mapped.add_char(unit, at..at + length);
        done = at + length;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_and_ampersands_stay() {
        assert_eq!(decode("&#65;&#x42;&#X43 &amp;&quot;x&quot;").text(), "ABC &\"x\"");
        for text in ["a && b", "&mut x", "&#;", "&#xzz;", "&nbsp;", "&#1114112;", "&"] {
            assert_eq!(decode(text).text(), text);
        }
    }
}
