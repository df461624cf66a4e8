use std::collections::BTreeMap;
use std::ops::Range;

use super::Hit;

/// The parts of a text in which something was found: stretches that do not overlap, by their beginning.
#[derive(Default)]
pub(super) struct Covered(BTreeMap<usize, usize>);

impl Covered {
    pub(super) fn of<'h>(hits: impl IntoIterator<Item = &'h Hit>) -> Self {
        let mut covered = Self::default();
        hits.into_iter().for_each(|hit| covered.add(&hit.span));
        covered
    }

    /// Whether a stretch overlaps one that was added.
    pub(super) fn overlaps(&self, span: &Range<usize>) -> bool {
        let before = self.0.range(..span.end).next_back();
        before.is_some_and(|(_, end)| *end > span.start)
    }

    /// Adds a stretch.
    pub(super) fn add(&mut self, span: &Range<usize>) {
        let Range { mut start, mut end } = *span;
        while let Some((other, until)) = self.0.range(..end).next_back().map(|(a, b)| (*a, *b)) {
            if until <= start {
                break;
            }
            self.0.remove(&other);
            start = start.min(other);
            end = end.max(until);
        }
        self.0.insert(start, end);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_knows_every_stretch_that_was_added(
            spans in prop::collection::vec((0..60_usize, 1..20_usize), 0..20),
            (start, length) in (0..60_usize, 1..20_usize),
        ) {
            let mut covered = Covered::default();
            for (start, length) in &spans {
                covered.add(&(*start..start + length));
            }
            let asked = start..start + length;
            let overlaps = spans.iter().any(|(start, length)| {
                *start < asked.end && asked.start < start + length
            });
            prop_assert_eq!(covered.overlaps(&asked), overlaps);
            prop_assert!(covered.0.iter().zip(covered.0.iter().skip(1)).all(|(a, b)| a.1 <= b.0));
        }
    }
}
