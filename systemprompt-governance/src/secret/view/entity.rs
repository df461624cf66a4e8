//! Character references of HTML and XML.

use super::View;
use super::edit::{Becomes, Edit, Undo, find};

/// Longest reference, from `&` to `;`.
const MAX_REFERENCE: usize = 12;

pub(super) struct Entity;

impl Undo for Entity {
    const VIEW: View = View::Entity;

    #[inline]
    fn next(text: &str, mut from: usize) -> Option<Edit> {
        loop {
            let at = find(b'&', text.as_bytes(), from)?;
            if let Some((unit, length)) = reference(text, at) {
                let source = at..at + length;
                return Some(Edit { source, becomes: Becomes::Char(unit), tells: true });
            }
            from = at + 1;
        }
    }
}

/// The character that the reference at `at` stands for, and its length.
fn reference(text: &str, at: usize) -> Option<(char, usize)> {
    let rest = text.as_bytes().get(at + 1..)?;
    let numeric = rest.first() == Some(&b'#');
    let named = |byte: &u8| byte.is_ascii_alphanumeric();
    let body = rest.iter().skip(usize::from(numeric)).take(MAX_REFERENCE).take_while(|b| named(b));
    let length = usize::from(numeric) + body.count();
    let closed = usize::from(rest.get(length) == Some(&b';'));
    if closed == 0 && !numeric {
        return None;
    }
    let name = text.get(at + 1..at + 1 + length)?;
    let unit = match name.strip_prefix('#') {
        Some(code) => {
            let hex = code.strip_prefix(['x', 'X']);
            let number = hex.map_or_else(|| code.parse(), |hex| u32::from_str_radix(hex, 16));
            char::from_u32(number.ok()?).filter(|unit| !unit.is_control())?
        }
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

#[cfg(test)]
mod tests {
    use super::super::edit::undone;
    use super::*;

    #[test]
    fn references_are_decoded_and_ampersands_stay() {
        assert_eq!(undone::<Entity>("&#65;&#x42;&#X43 &amp;&quot;x&quot;"), "ABC &\"x\"");
        for text in ["a && b", "&mut x", "&#;", "&#xzz;", "&nbsp;", "&#1114112;", "&"] {
            assert_eq!(undone::<Entity>(text), text);
        }
    }
}
