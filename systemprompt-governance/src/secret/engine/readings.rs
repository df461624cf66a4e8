//! What the other readings of a text hold.

use std::collections::BTreeMap;
use std::ops::Range;

use super::scan::Scope;
use super::{Engine, Hit};
use crate::secret::view::{self, Budget, Derived, ViewPath};

/// Adds what the readings of `text` hold to `hits`; those from `known` on were found in the text itself.
pub(super) fn add(
    engine: &Engine,
    text: &str,
    path: ViewPath,
    runs: &[Range<usize>],
    known: usize,
    hits: &mut Vec<Hit>,
    budget: &mut Budget,
) {
    if !path.goes_on() {
        return;
    }
    // Most readings hold nothing, so that the places are never asked for.
    let mut taken: Option<Taken> = None;
    view::derive(text, runs, budget, &mut |derived, budget| {
        for hit in read(engine, &derived, path, budget) {
            let plain = hits.get(known..).unwrap_or_default();
            let taken = taken.get_or_insert_with(|| Taken::of(plain));
            if taken.take(&hit.span) {
                hits.push(hit);
            }
        }
    });
}

/// What one reading holds, with spans in the text it was derived from.
fn read(engine: &Engine, derived: &Derived, path: ViewPath, budget: &mut Budget) -> Vec<Hit> {
    let path = path.then(derived.view);
    let text = derived.mapped.text();
    let scope = if path.is_joined() { Scope::Formats } else { Scope::All };
    let (mut found, mut runs) = (Vec::new(), Vec::new());
    engine.pass(text, scope, &mut found, &mut runs);
    for hit in &mut found {
        hit.view = path;
        hit.decode(text);
    }
    runs.retain(|run| !derived.is_context(run));
    add(engine, text, path, &runs, 0, &mut found, budget);
    found.retain(|hit| !derived.is_context(&hit.span));
    for hit in &mut found {
        hit.span = derived.mapped.source(&hit.span);
    }
    found
}

/// The places of a text in which something was found.
#[derive(Default)]
struct Taken {
    /// From each start to its end; they are apart from each other.
    ends: BTreeMap<usize, usize>,
}

impl Taken {
    fn of(hits: &[Hit]) -> Self {
        let mut spans: Vec<_> = hits.iter().map(|hit| (hit.span.start, hit.span.end)).collect();
        spans.sort_unstable();
        let mut taken = Self::default();
        let mut last: Option<(usize, usize)> = None;
        for (start, end) in spans {
            last = match last {
                Some((first, reached)) if start <= reached => Some((first, reached.max(end))),
                _ => Some((start, end)),
            };
            taken.ends.extend(last);
        }
        taken
    }

    /// Takes a place unless part of it is taken.
    fn take(&mut self, span: &Range<usize>) -> bool {
        let before = self.ends.range(..span.end).next_back();
        let free = before.is_none_or(|(_, end)| *end <= span.start);
        if free {
            self.ends.insert(span.start, span.end);
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Confidence;

    #[test]
    fn a_place_is_taken_once() {
        let hits = [5..9, 30..40, 0..6, 12..14].map(|span| Hit::plain(0, span, Confidence::High));
        let mut taken = Taken::of(&hits);
        assert_eq!(taken.ends, BTreeMap::from([(0, 9), (12, 14), (30, 40)]));
        for (span, free) in
            [(8..10, false), (9..12, true), (10..11, false), (13..31, false), (14..30, true)]
        {
            assert_eq!(taken.take(&span), free, "{span:?}");
        }
        assert!(taken.take(&(40..41)) && !taken.take(&(0..100)));
    }
}
