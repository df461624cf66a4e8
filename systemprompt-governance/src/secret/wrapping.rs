//! What single languages put between a name and its value, seen from either side.

use memchr::{memchr, memmem, memrchr};

/// Takes the mark of a literal such as `@"` or `r"` off the end of what stands before its quote.
pub(super) fn without_literal_mark(gap: &[u8]) -> &[u8] {
    match gap {
        [head @ .., b'=' | b'(' | b':' | b',' | b' ', mark] if b"@$rbfuL".contains(mark) => {
            gap.get(..=head.len()).unwrap_or_default()
        }
        _ => gap,
    }
}

/// Takes `{` and the mark of an encrypted value off the end, as Jenkins writes before it; anything may
/// stand between the two.
pub(super) fn without_cipher_mark(head: &[u8]) -> &[u8] {
    const LONGEST: usize = 48;
    let Some(inner) = head.strip_suffix(b"AQAAABAAA ") else { return head };
    let tail = inner.get(inner.len().saturating_sub(LONGEST)..).unwrap_or_default();
    memrchr(b'{', tail).and_then(|at| head.get(..inner.len() - tail.len() + at)).unwrap_or(head)
}

/// Takes `{ get; set; }` or `[64]` off the end of a name.
pub(super) fn without_declarator(named: &[u8]) -> &[u8] {
    const LONGEST: usize = 40;
    let tail = named.get(named.len().saturating_sub(LONGEST)..).unwrap_or_default();
    let (open, inner): (u8, fn(&[u8]) -> bool) = match tail.last() {
        Some(b'}') => (b'{', |inner| memmem::find(inner, b"get;").is_some()),
        Some(b']') => (b'[', |inner| inner.iter().all(u8::is_ascii_digit)),
        _ => return named,
    };
    memrchr(open, tail)
        .filter(|at| tail.get(at + 1..tail.len() - 1).is_some_and(inner))
        .and_then(|at| named.get(..named.len() - tail.len() + at))
        .unwrap_or(named)
}

/// What stands before `=` in `name = wrap("value")`, where `named` ends with the callee.
pub(super) fn before_call(named: &[u8]) -> Option<&[u8]> {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.:! ".contains(byte);
    let callee = named.iter().rev().take_while(part).count();
    match named.get(..named.len() - callee)? {
        [head @ .., b':', b'='] | [head @ .., b'='] if !head.ends_with(b"=") => Some(head),
        _ => None,
    }
}

/// What stands before `<string>` in `<key>name</key><string>value`, where `named` ends with `<string`.
pub(super) fn before_sibling(named: &[u8]) -> Option<&[u8]> {
    let head = named.strip_suffix(b"<string")?;
    head.trim_ascii_end().strip_suffix(b"</key>")
}

/// What stands before the `>-` or `|` of a YAML value that begins on the next line.
pub(super) fn before_block(broken: &[u8]) -> Option<&[u8]> {
    let head = broken.strip_suffix(b"-").unwrap_or(broken);
    match head {
        [head @ .., b':', b' ', b'>' | b'|'] => Some(head),
        _ => None,
    }
}

/// How much of what follows a name belongs to it or to the way its value is written.
pub(super) fn len_after(after: &[u8]) -> usize {
    const LONGEST: usize = 40;
    let after = after.get(..after.len().min(LONGEST)).unwrap_or_default();
    let find = |end: &[u8]| memmem::find(after, end).map_or(0, |at| at + end.len());
    match after {
        [b'[', ..] => memchr(b']', after)
            .filter(|at| after.get(1..*at).is_some_and(|n| n.iter().all(u8::is_ascii_digit)))
            .map_or(0, |at| at + 1),
        [b' ', b'{', b' ', b'g', b'e', b't', ..] => find(b"}"),
        [b'<', b'/', b'k', b'e', b'y', b'>', ..] => find(b"<string>"),
        [b':', b' ', b'>' | b'|', ..] => find(b"\n"),
        [b' ', b'=', b' ', ..] | [b' ', b':', b'=', b' ', ..] => {
            let from = if after.starts_with(b" = ") { 3 } else { 4 };
            let callee = after.iter().skip(from);
            let part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_.:!".contains(byte);
            let length = callee.take_while(part).count();
            match after.get(from + length..) {
                Some([b'(', b'"' | b'\'', ..]) if length > 0 => from + length,
                Some([b'"' | b'\'', ..]) if length == 1 => from + length,
                Some([b'@', b'"', ..]) if length == 0 => from + 1,
                _ => 0,
            }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_is_laid_bare() {
        assert_eq!(without_literal_mark(b"key = @"), b"key = ");
        assert_eq!(without_literal_mark(b"keyr"), b"keyr");
        assert_eq!(without_declarator(b"string Key { get; set; }"), b"string Key ");
        assert_eq!(without_declarator(b"char key[64]"), b"char key");
        assert_eq!(without_declarator(b"x[key]"), b"x[key]");
        assert_eq!(without_cipher_mark(b"<secret>{ci AQAAABAAA "), b"<secret>");
        assert_eq!(without_cipher_mark(b"secret AQAAABAAA "), b"secret AQAAABAAA ");
        assert_eq!(before_call(b"let key = String::from"), Some(&b"let key "[..]));
        assert_eq!(before_call(b"key == from"), None);
        assert_eq!(before_sibling(b"<key>token</key>\n  <string"), Some(&b"<key>token"[..]));
        assert_eq!(before_block(b"token: >-"), Some(&b"token"[..]));
        assert_eq!(before_block(b"| token |"), None);
    }

    #[test]
    fn what_follows_a_name_is_measured() {
        for (after, rest) in [
            ("[] = \"V", " = \"V"),
            (" { get; set; } = \"V", " = \"V"),
            ("</key>\n<string>V", "V"),
            (": >-\n  V", "  V"),
            (" = String::from(\"V", "(\"V"),
            (" = @\"V", "\"V"),
            (" = \"V", " = \"V"),
            (" = value", " = value"),
        ] {
            assert_eq!(&after[len_after(after.as_bytes())..], rest);
        }
    }
}
