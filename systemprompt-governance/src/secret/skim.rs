use std::ops::Range;

/// Fewest bytes of a run worth a look.
pub(super) const MIN_RUN: usize = 14;

/// Token bytes: letters, digits and `_ - + /`.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    loop {
        #[expect(clippy::indexing_slicing, reason = "a byte is within 256")]
        {
            table[byte as usize] =
                byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'/');
        }
        if byte == u8::MAX {
            break;
        }
        byte += 1;
    }
    table
};

#[inline]
pub(super) fn is_token(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).is_some_and(|token| *token)
}

/// The runs of at least [`MIN_RUN`] token bytes.
///
/// Looks at every fourteenth byte first: where that is no token byte, no run that long can cover the
/// bytes before it.
pub(super) struct Runs<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl<'t> Runs<'t> {
    pub(super) fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn is_token(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| is_token(*byte))
    }
}

impl Iterator for Runs<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let mut start = self.at;
        // Bytes from `start` up to `known` are token bytes.
        let mut known = start;
        loop {
            let probe = start + (MIN_RUN - 1);
            if !is_token(*self.bytes.get(probe)?) {
                start = probe + 1;
                known = start;
                continue;
            }
            let mut first = probe;
            while first > known && self.is_token(first - 1) {
                first -= 1;
            }
            if first > known {
                start = first;
                known = probe + 1;
                continue;
            }
            let rest = self.bytes.get(probe + 1..).unwrap_or_default();
            let end = probe + 1 + leading_tokens(rest);
            self.at = end;
            return Some(start..end);
        }
    }
}

/// How many token bytes `bytes` begins with. Long runs go by blocks without a branch per byte, which the
/// compiler turns into vector instructions.
fn leading_tokens(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let whole = bytes
        .chunks_exact(BLOCK)
        .take_while(|block| block.iter().fold(true, |all, byte| all & is_token_arithmetic(*byte)))
        .count()
        * BLOCK;
    let rest = bytes.get(whole..).unwrap_or_default();
    whole + rest.iter().take_while(|byte| is_token(**byte)).count()
}

fn is_token_arithmetic(byte: u8) -> bool {
    // `/` stands right before the digits.
    ((byte | 0x20).wrapping_sub(b'a') < 26)
        | (byte.wrapping_sub(b'/') < 11)
        | (byte == b'_')
        | (byte == b'-')
        | (byte == b'+')
}

/// Whether there is a digit; without a branch per byte, as above.
pub(super) fn has_digit(bytes: &[u8]) -> bool {
    bytes.iter().fold(0_u8, |any, byte| any | u8::from(byte.is_ascii_digit())) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tests_for_token_bytes_agree() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_token(byte), is_token_arithmetic(byte), "{byte}");
        }
    }

    #[test]
    fn runs_are_those_a_plain_search_finds() {
        let mut state = 7_u32;
        for round in 0..2_000_usize {
            let text: Vec<u8> = (0..round % 150)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    if (state >> 24).is_multiple_of(16) { b' ' } else { b'a' }
                })
                .collect();
            let mut plain = Vec::new();
            let mut start = 0;
            for part in text.split(|byte| *byte == b' ') {
                if part.len() >= MIN_RUN {
                    plain.push(start..start + part.len());
                }
                start += part.len() + 1;
            }
            assert_eq!(Runs::new(&text).collect::<Vec<_>>(), plain);
        }
    }
}
