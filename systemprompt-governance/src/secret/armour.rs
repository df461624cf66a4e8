//! Key blocks whose lines are strings of their own.

use std::ops::Range;

use memchr::memmem;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";

/// Shorter lines have to look less like a word.
const LINE: usize = 16;

/// Whether a text ends inside of the block that begins or goes on in it.
pub(super) fn stays_open(text: &str) -> bool {
    let last = |mark| memmem::rfind(text.as_bytes(), mark);
    last(END).is_none_or(|end| last(BEGIN).is_some_and(|begin| begin > end))
}

/// What of a text belongs to the block that began in a string before it.
pub(super) fn rest(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if let Some(end) = memmem::find(bytes, END) {
        let label = bytes.get(end + END.len()..).unwrap_or_default();
        let close = memmem::find(label, b"-----").map_or(label.len(), |at| at + "-----".len());
        return Some(0..end + END.len() + close);
    }
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    (lines.peek().is_some() && lines.all(is_line)).then_some(0..bytes.len())
}

fn is_line(line: &str) -> bool {
    let sign = |byte: u8| matches!(byte, b'+' | b'/' | b'=') || byte.is_ascii_digit();
    let header = ["Proc-Type:", "DEK-Info:", "Version:", "Comment:", "Charset:", "Hash:"];
    let base64 = line.bytes().all(|byte| byte.is_ascii_alphabetic() || sign(byte));
    base64 && (line.len() >= LINE || line.bytes().any(sign))
        || header.iter().any(|name| line.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_open_until_its_last_line() {
        assert!(stays_open("-----BEGIN KEY-----") && stays_open("MIIEow"));
        assert!(!stays_open("-----BEGIN KEY-----\nMII\n-----END KEY-----"));
        assert!(
            !stays_open("-----END KEY-----") && stays_open("-----END A----- -----BEGIN B-----")
        );
    }

    #[test]
    fn lines_and_the_end_of_a_block_belong_to_it() {
        for line in ["MIIEowIBAAKCAQEA", "  q8==\n", "Proc-Type: 4,ENCRYPTED"] {
            assert_eq!(rest(line), Some(0..line.len()), "{line}");
        }
        assert_eq!(rest("-----END KEY-----\nand more"), Some(0..17));
        for other in ["", " ", "done", "README.md", "two words", "MIIEowIBAAKCAQEA\nand more"] {
            assert_eq!(rest(other), None, "{other}");
        }
    }
}
