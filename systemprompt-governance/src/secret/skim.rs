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
            let end = probe + 1 + rest.iter().take_while(|byte| is_token(**byte)).count();
            self.at = end;
            return Some(start..end);
        }
    }
}
