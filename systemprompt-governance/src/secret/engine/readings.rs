//! What the other readings of a text hold.

use std::ops::Range;

use super::covered::Covered;
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
    // Built when first needed: most readings hold nothing.
    let mut covered: Option<Covered> = None;
    view::derive(text, runs, budget, &mut |derived, budget| {
        for hit in read(engine, &derived, path, budget) {
            let covered = covered.get_or_insert_with(|| Covered::of(hits.iter().skip(known)));
            if !covered.overlaps(&hit.span) {
                covered.add(&hit.span);
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
