use std::ops::Range;

/// Longest stretch whose separators are looked for byte by byte.
const SHORT: usize = 64;

/// The literals of the rules, looked up only where one can stand.
///
/// A literal with a separator in it (`ghp_`, `glpat-`) is found by that separator, wherever it is. One
/// without (`AKIA`) must stand at the start of a word. So a run without separators, however long, costs
/// one look-up, and the search for separators is vectorised.
pub(super) struct Anchors {
    /// Literals by their first two bytes.
    starts: Table,
    /// Literals by their first separator and the byte before it.
    separated: Table,
    /// How far into a run a literal without separators may stand by the form of its rule.
    depths: Vec<usize>,
}

/// A literal with what it stands for.
#[derive(Clone, Copy)]
pub(super) struct Literal<'r> {
    pub(super) text: &'r str,
    pub(super) rule: usize,
    /// Bytes of the secret before it.
    pub(super) lead: usize,
}

impl Anchors {
    pub(super) fn new<'r>(literals: impl Iterator<Item = Literal<'r>>) -> Self {
        let (mut starts, mut separated, mut depths) = (Vec::new(), Vec::new(), Vec::new());
        for literal in literals {
            let text = literal.text.as_bytes();
            let separator = text.iter().position(|byte| matches!(byte, b'_' | b'-'));
            match separator.filter(|at| *at > 0) {
                Some(at) => separated.extend(Entry::new(text, at - 1, literal.rule)),
                None => {
                    starts.extend(Entry::new(text, 0, literal.rule));
                    depths.extend(Some(literal.lead).filter(|lead| *lead > 0));
                }
            }
        }
        depths.sort_unstable();
        depths.dedup();
        Self { starts: Table::new(starts), separated: Table::new(separated), depths }
    }

    /// Calls `hit(position, rule)` for the literals of `run`, and of what is joined to it from `from` on,
    /// until it says `false`.
    pub(super) fn find(
        &self,
        text: &[u8],
        from: usize,
        run: &Range<usize>,
        hit: &mut impl FnMut(usize, usize) -> bool,
    ) {
        for at in from..=run.start {
            self.starts.find(text, at, hit);
        }
        if from < run.start {
            self.separators(text, from..run.start, hit);
        }
        if run.start > 0 && text.get(run.start - 1) == Some(&b'\\') {
            // What follows may be the letter of an escape such as `\n`.
            self.starts.find(text, run.start + 1, hit);
        }
        for depth in self.depths.iter().take_while(|depth| **depth < run.len()) {
            self.starts.find(text, run.start + depth, hit);
        }
        self.separators(text, run.clone(), hit);
    }

    fn separators(
        &self,
        text: &[u8],
        stretch: Range<usize>,
        hit: &mut impl FnMut(usize, usize) -> bool,
    ) {
        let Some(bytes) = text.get(stretch.clone()) else { return };
        if bytes.len() <= SHORT {
            for (offset, byte) in bytes.iter().enumerate() {
                if matches!(byte, b'_' | b'-' | b'/' | b'+') {
                    self.separator(text, stretch.start + offset, hit);
                }
            }
            return;
        }
        for offset in memchr::memchr3_iter(b'_', b'-', b'/', bytes) {
            if !self.separator(text, stretch.start + offset, hit) {
                return;
            }
        }
    }

    fn separator(
        &self,
        text: &[u8],
        at: usize,
        hit: &mut impl FnMut(usize, usize) -> bool,
    ) -> bool {
        self.starts.find(text, at, hit)
            && self.starts.find(text, at + 1, hit)
            && (at == 0 || self.separated.find(text, at - 1, hit))
    }
}

/// Literals by a pair of their bytes; a bit for each pair says whether there is any.
struct Table {
    pairs: Box<[u64; 1024]>,
    /// Sorted by pair.
    entries: Vec<Entry>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    pair: u16,
    literal: Box<[u8]>,
    /// Where in the literal the pair stands.
    offset: usize,
    rule: usize,
}

impl Entry {
    fn new(literal: &[u8], offset: usize, rule: usize) -> Option<Self> {
        Some(Self { pair: pair(literal, offset)?, literal: literal.into(), offset, rule })
    }
}

impl Table {
    fn new(mut entries: Vec<Entry>) -> Self {
        let mut pairs = Box::new([0_u64; 1024]);
        entries.sort_unstable();
        for entry in &entries {
            if let Some(word) = pairs.get_mut(usize::from(entry.pair >> 6)) {
                *word |= 1 << (entry.pair & 63);
            }
        }
        Self { pairs, entries }
    }

    /// The literals whose pair stands at `at`; `false` when `hit` has said so.
    #[inline]
    fn find(&self, text: &[u8], at: usize, hit: &mut impl FnMut(usize, usize) -> bool) -> bool {
        let Some(pair) = pair(text, at) else { return true };
        let known = self.pairs.get(usize::from(pair >> 6));
        if known.is_some_and(|word| word >> (pair & 63) & 1 == 1) {
            return self.confirm(text, at, pair, hit);
        }
        true
    }

    fn confirm(
        &self,
        text: &[u8],
        at: usize,
        pair: u16,
        hit: &mut impl FnMut(usize, usize) -> bool,
    ) -> bool {
        let from = self.entries.partition_point(|entry| entry.pair < pair);
        let entries = self.entries.get(from..).unwrap_or_default();
        entries.iter().take_while(|entry| entry.pair == pair).all(|entry| {
            let Some(start) = at.checked_sub(entry.offset) else { return true };
            let there = text.get(start..).is_some_and(|rest| rest.starts_with(&entry.literal));
            !there || hit(start, entry.rule)
        })
    }
}

#[inline]
fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}
