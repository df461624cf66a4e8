//! Single decoders, for the fuzz targets.

use std::ops::Range;

use super::edit::{self, Undo};
use super::inflate::inflate;
use super::{
    Budget, Concat, Derived, Entity, Escape, Fold, Percent, Wide, compact, encoded, hex, wide,
};

/// How many decoders there are.
pub(in crate::secret) const DECODERS: u8 = 12;

type Visit<'v> = dyn FnMut(Derived, &mut Budget) + 'v;

/// Shows what one decoder makes of a text. Where it goes by edits: whether they follow each other.
pub(in crate::secret) fn derive(
    which: u8,
    text: &str,
    runs: &[Range<usize>],
    budget: &mut Budget,
    visit: &mut Visit<'_>,
) -> Option<bool> {
    let bytes = text.as_bytes();
    match which % (DECODERS + 1) {
        0 => return Some(edits::<Percent>(text, budget, visit)),
        1 => return Some(edits::<Entity>(text, budget, visit)),
        2 => return Some(edits::<Escape>(text, budget, visit)),
        3 => return Some(edits::<Wide>(text, budget, visit)),
        4 => return Some(edits::<Concat>(text, budget, visit)),
        5 => return Some(edits::<Fold>(text, budget, visit)),
        6 => compact::derive(text, budget, visit),
        7 => encoded::derive(text, runs, budget, visit),
        8 => {
            return Some(hex::decode(bytes).is_none_or(|decoded| decoded.len() == bytes.len() / 2));
        }
        9 => return Some(wide::decode(bytes).is_none_or(|text| text.len() <= bytes.len() * 2)),
        10 => {
            let left = budget.left();
            return Some(inflate(bytes, budget).is_none_or(|text| text.len() <= left * 3));
        }
        _ => super::derive(text, runs, budget, visit),
    }
    None
}

fn edits<U: Undo>(text: &str, budget: &mut Budget, visit: &mut Visit<'_>) -> bool {
    edit::derive::<U>(text, budget, visit);
    let mut done = 0;
    while let Some(edit) = U::next(text, done) {
        let follows = edit.source.start >= done && edit.source.end > edit.source.start;
        if !follows || text.get(edit.source.clone()).is_none() {
            return false;
        }
        done = edit.source.end;
    }
    true
}
