//! Whether a run is encoded, as its first characters tell.

use std::iter;

use super::inflate::is_compressed;
use super::{hex, wide};
use crate::secret::base64;

/// How a run is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// How many decoded bytes of a run are looked at.
const PROBE: usize = 24;

/// How far into a run base 64 may begin without being aligned with it, when the run is long and when not.
const JUNK: [usize; 2] = [12, 4];

/// Quanta that must be readable where base 64 is not aligned with its run.
const SURE: usize = 5;

impl Encoding {
    /// The encoding of a run, and where in the run it begins.
    pub(super) fn of(run: &[u8]) -> Option<(Self, usize)> {
        // Programs write `0x` and databases `x` before digits.
        let mark = match run {
            [b'0', b'x', ..] => 2,
            [b'x', ..] => 1,
            _ => 0,
        };
        let digits = run.get(mark..).unwrap_or_default();
        let sixteen = (0..PROBE / 3)
            .map_while(|at| Some([hex::at(digits, at * 4)?, hex::at(digits, at * 4 + 2)?]));
        if is_promising(sixteen) {
            return Some((Self::Hex, mark));
        }
        let begins = is_promising((0..PROBE / 3).map_while(|at| base64::triple(run, at * 4)));
        let start = match aligned(run) {
            // What is aligned with the run is read from its start, however it goes on.
            Some(start) if !begins || start % 4 != 0 => start,
            _ if begins => 0,
            _ => return None,
        };
        Some((Self::Base64, start))
    }
}

/// Where base 64 begins that stands somewhere behind the first characters of its run.
fn aligned(run: &[u8]) -> Option<usize> {
    let room = |junk: &&usize| **junk + 4 * (SURE + 1) <= run.len();
    let junk = *JUNK.iter().find(room)?;
    let three = |at: usize| base64::triple(run, at).unwrap_or_default();
    let readable = |at: usize| {
        let [one, two, three] = three(at);
        is_readable(one) & is_readable(two) & is_readable(three)
    };
    // Chance decides about each: all are looked at before there is a branch.
    let any = readable(junk) | readable(junk + 1) | readable(junk + 2) | readable(junk + 3);
    if !any {
        return None;
    }
    let quanta = |shift: usize| (0..SURE).map(move |quantum| junk + shift + quantum * 4);
    // Text that is read beside its quanta may be readable, but has fewer letters and digits.
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b' ';
    let score = |shift: &usize| {
        quanta(*shift).map(|at| three(at).iter().filter(|b| plain(b)).count()).sum::<usize>()
    };
    let sure = (0..4).filter(|shift| quanta(*shift).all(readable));
    let mut at = junk + sure.max_by_key(score)?;
    while let Some(before) = at.checked_sub(4)
        && readable(before)
    {
        at = before;
    }
    Some(at)
}

/// Whether the first bytes of a run are those of text, of wide text or of compressed data.
#[inline]
fn is_promising<const N: usize>(mut decoded: impl Iterator<Item = [u8; N]>) -> bool {
    // Most runs are known by their first two.
    let Some(start) = decoded.next() else { return false };
    let [first, second, ..] = start.as_slice() else { return false };
    let may_begin = |byte: u8| is_readable(byte) || byte == 0;
    let text = may_begin(*first) && may_begin(*second);
    if !text && !is_compressed(&[*first, *second, 8]) {
        return false;
    }
    let mut head = [0; PROBE];
    let mut length = 0;
    for (slots, bytes) in head.chunks_exact_mut(N).zip(iter::once(start).chain(decoded)) {
        slots.copy_from_slice(&bytes);
        length += N;
    }
    let head = head.get(..length).unwrap_or_default();
    length >= 8 && (is_compressed(head) || is_text(head) || wide::is_likely(head))
}

fn is_readable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| is_readable(**byte)).count() * 10 >= bytes.len() * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promising(bytes: &[u8]) -> bool {
        is_promising(bytes.as_chunks::<2>().0.iter().copied())
    }

    #[test]
    fn images_and_digests_do_not_look_like_text() {
        assert!(!promising(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\0"));
        assert!(!promising(b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\x01\0H"));
        assert!(!promising(&[0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9]));
        assert!(promising(b"token=abcdef"));
        assert!(promising(b"t\0o\0k\0e\0n\0"));
    }

    #[test]
    fn encodings_are_known_wherever_they_begin() {
        // `a token, or so: abcdefgh`
        let base64 = "YSB0b2tlbiwgb3Igc286IGFiY2RlZmdo";
        for junk in 0..16 {
            let run = format!("{}{base64}", "_Q3-9zX_k8Wv_m4T".get(..junk).unwrap());
            let found = Encoding::of(run.as_bytes());
            let near =
                |at: usize| at % 4 == junk % 4 && at >= junk.saturating_sub(4) && at <= junk + 12;
            assert!(
                found.is_some_and(|(how, at)| how == Encoding::Base64 && near(at)),
                "{junk} {found:?}"
            );
        }
        assert_eq!(Encoding::of(b"746f6b656e3d616263"), Some((Encoding::Hex, 0)));
        assert_eq!(Encoding::of(b"0x746f6b656e3d616263"), Some((Encoding::Hex, 2)));
        assert_eq!(Encoding::of(b"d41d8cd98f00b204e9800998ecf8427e"), None);
        assert_eq!(Encoding::of(b"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15"), None);
        assert_eq!(Encoding::of(b"abc"), None);
    }
}
