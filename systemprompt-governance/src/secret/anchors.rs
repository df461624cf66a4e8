use std::ops::Range;

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
    /// Whether a literal is looked up by two separators.
    doubled: bool,
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
                    // Lines of separators are common, other bytes behind one are not.
                    let separators = text.iter().take_while(|byte| is_separator(**byte)).count();
                    let offset = separators.saturating_sub(1).min(text.len().saturating_sub(2));
                    starts.extend(Entry::new(text, offset, literal.rule));
                    depths.extend(Some(literal.lead).filter(|lead| *lead > 0));
                }
            }
        }
        depths.sort_unstable();
        depths.dedup();
        let (starts, separated) = (Table::new(starts), Table::new(separated));
        let doubled = starts.has_separators() || separated.has_separators();
        Self { starts, separated, depths, doubled }
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
        let mut at = stretch.start;
        while let Some(rest) = text.get(at..stretch.end)
            && let Some(offset) = memchr::memchr3(b'_', b'-', b'/', rest)
        {
            at += offset;
            // They often stand in a row.
            let here = |at: usize| text.get(at).is_some_and(|byte| is_separator(*byte));
            while at < stretch.end && here(at) {
                let amid = here(at + 1) && at > stretch.start && here(at - 1);
                if (!amid || self.doubled) && !self.separator(text, at, hit) {
                    return;
                }
                at += 1;
            }
        }
        let bytes = text.get(stretch.clone()).unwrap_or_default();
        for offset in memchr::memchr_iter(b'+', bytes) {
            if !self.starts.find(text, stretch.start + offset + 1, hit) {
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

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'_' | b'-' | b'/')
}

/// Literals by a pair of their bytes; a bit for each pair says whether there is any.
struct Table {
    pairs: Box<[u64; 1024]>,
    /// Where the entries of each pair begin, in units of 64 pairs.
    blocks: Vec<usize>,
    /// Sorted by pair.
    entries: Vec<Entry>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    pair: u16,
    literal: Box<[u8]>,
    /// Where in the literal the pair stands.
    offset: usize,
    /// The byte behind the pair, if the literal has one: most texts differ there.
    next: Option<u8>,
    rule: usize,
}

impl Entry {
    fn new(literal: &[u8], offset: usize, rule: usize) -> Option<Self> {
        let next = literal.get(offset + 2).copied();
        Some(Self { pair: pair(literal, offset)?, literal: literal.into(), offset, next, rule })
    }

    /// Where in `text` the literal begins, if its pair at `at` is part of it.
    #[inline]
    fn start(&self, text: &[u8], at: usize) -> Option<usize> {
        if self.next.is_some() && self.next != text.get(at + 2).copied() {
            return None;
        }
        let start = at.checked_sub(self.offset)?;
        text.get(start..)?.starts_with(&self.literal).then_some(start)
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
        let begins = |block: u16| entries.partition_point(|entry| entry.pair >> 6 < block);
        let blocks = (0..1024).map(begins).collect();
        Self { pairs, blocks, entries }
    }

    fn has_separators(&self) -> bool {
        let double = |entry: &Entry| entry.pair.to_be_bytes().map(is_separator) == [true; 2];
        self.entries.iter().any(double)
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
        let from = self.blocks.get(usize::from(pair >> 6)).copied().unwrap_or_default();
        let entries = self.entries.get(from..).unwrap_or_default();
        let entries = entries.iter().skip_while(|entry| entry.pair < pair);
        entries
            .take_while(|entry| entry.pair == pair)
            .all(|entry| entry.start(text, at).is_none_or(|start| hit(start, entry.rule)))
    }
}

#[inline]
fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk::<2>().map(|pair| u16::from_be_bytes(*pair))
}
