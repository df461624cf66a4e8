//! What a value is made of, counted.

/// Counts over a value.
#[derive(Default)]
pub(super) struct Look {
    pub(super) lower: usize,
    pub(super) upper: usize,
    pub(super) digits: usize,
    /// Bytes that are neither letters, digits nor usual in tokens.
    pub(super) other: usize,
    /// Bytes in stretches of four or more letters, as words have them.
    pub(super) wordy: usize,
    /// Places where a letter and a digit meet.
    pub(super) turns: usize,
}

impl Look {
    pub(super) fn of(value: &[u8]) -> Self {
        let mut look = Self::default();
        let mut stretch = 0;
        let mut previous = 0_u8;
        for &byte in value {
            match byte {
                b'a'..=b'z' => look.lower += 1,
                b'A'..=b'Z' => look.upper += 1,
                b'0'..=b'9' => look.digits += 1,
                b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' => {}
                _ => look.other += 1,
            }
            let same = (previous.is_ascii_lowercase() && byte.is_ascii_lowercase())
                || (previous.is_ascii_uppercase()
                    && byte.is_ascii_alphabetic()
                    && (stretch == 1 || byte.is_ascii_uppercase()));
            if !same {
                look.close(stretch);
                stretch = 0;
            }
            stretch += usize::from(byte.is_ascii_alphabetic());
            let meets = (previous.is_ascii_digit() && byte.is_ascii_alphabetic())
                || (previous.is_ascii_alphabetic() && byte.is_ascii_digit());
            look.turns += usize::from(meets);
            previous = byte;
        }
        look.close(stretch);
        look
    }

    fn close(&mut self, stretch: usize) {
        if stretch >= 4 {
            self.wordy += stretch;
        }
    }
}

/// How many different bytes there are.
pub(super) fn distinct(value: &[u8]) -> usize {
    let mut seen = [0_u64; 4];
    for byte in value {
        if let Some(word) = seen.get_mut(usize::from(byte >> 6)) {
            *word |= 1 << (byte & 63);
        }
    }
    seen.iter().map(|word| word.count_ones() as usize).sum()
}

/// Shannon entropy in bits per byte.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = u32::try_from(value.len()).map_or(f64::MAX, f64::from);
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / total)
        .map(|share| -share * share.log2())
        .sum()
}
