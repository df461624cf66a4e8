/// Literals found by their first two bytes: a bit for each pair says whether any literal starts so.
///
/// Unlike an automaton this has no chain of dependent loads and is eight KiB, which stays in the cache.
pub(super) struct Anchors {
    pairs: Box<[u64; 1024]>,
    /// Sorted by pair.
    literals: Vec<(u16, &'static [u8], usize)>,
}

impl Anchors {
    /// `literals` with what each one stands for; every literal has at least two bytes.
    pub(super) fn new(literals: impl Iterator<Item = (&'static str, usize)>) -> Self {
        let mut pairs = Box::new([0_u64; 1024]);
        let mut sorted: Vec<_> = literals
            .filter_map(|(literal, meaning)| {
                let bytes = literal.as_bytes();
                Some((pair(*bytes.first()?, *bytes.get(1)?), bytes, meaning))
            })
            .collect();
        sorted.sort_unstable();
        for (pair, ..) in &sorted {
            if let Some(word) = pairs.get_mut(usize::from(pair >> 6)) {
                *word |= 1 << (pair & 63);
            }
        }
        Self { pairs, literals: sorted }
    }

    /// Calls `hit(position, meaning)` for every literal of `text` that starts within `start..end`.
    pub(super) fn find(
        &self,
        text: &[u8],
        start: usize,
        end: usize,
        mut hit: impl FnMut(usize, usize),
    ) {
        let end = text.len().min(end + 1);
        let Some(window) = text.get(start..end) else { return };
        for (offset, two) in window.windows(2).enumerate() {
            let &[first, second] = two else { continue };
            let pair = pair(first, second);
            if self.has(pair) {
                self.confirm(text, start + offset, pair, &mut hit);
            }
        }
    }

    #[inline]
    fn has(&self, pair: u16) -> bool {
        self.pairs.get(usize::from(pair >> 6)).is_some_and(|word| word >> (pair & 63) & 1 == 1)
    }

    fn confirm(&self, text: &[u8], at: usize, pair: u16, hit: &mut impl FnMut(usize, usize)) {
        let from = self.literals.partition_point(|(other, ..)| *other < pair);
        let rest = text.get(at..).unwrap_or_default();
        for (_, literal, meaning) in
            self.literals.iter().skip(from).take_while(|(other, ..)| *other == pair)
        {
            if rest.starts_with(literal) {
                hit(at, *meaning);
            }
        }
    }
}

fn pair(first: u8, second: u8) -> u16 {
    u16::from_be_bytes([first, second])
}
