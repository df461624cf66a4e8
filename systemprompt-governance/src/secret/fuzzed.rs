//! What holds for every decoder and every input, for the fuzz targets.

use std::ops::Range;

use super::base64;
use super::skim::Runs;
use super::view::{self, Budget, Derived};

/// How often a target may ask for another decoder.
pub const DECODERS: u8 = view::fuzzed::DECODERS + 1;

/// Runs the decoder `which` over `input`.
///
/// # Errors
/// What does not hold.
pub fn decoder(which: u8, input: &[u8]) -> Result<(), String> {
    if which % DECODERS == view::fuzzed::DECODERS {
        let decoded = base64::decode(input).unwrap_or_default();
        return ensure(decoded.len() <= input.len(), "base 64 grows");
    }
    let text = String::from_utf8_lossy(input);
    let runs: Vec<Range<usize>> = Runs::new(text.as_bytes()).collect();
    let mut budget = Budget::of(text.len());
    let mut size = 0;
    let mut fault = Ok(());
    let edits = view::fuzzed::derive(which, &text, &runs, &mut budget, &mut |derived, _| {
        size += derived.mapped.text().len();
        fault = fault.clone().and_then(|()| places(&text, &derived));
    });
    // What stands before a run goes with it, and a run is not shorter than a third of that.
    let most = text.len().max(64 * 1024) * 4 * 5;
    fault?;
    ensure(size <= most, "more is derived than the budget allows")?;
    ensure(edits.is_none_or(|edits| edits), "edits overlap or are empty")
}

/// Every character of a reading comes from a stretch of the text between characters.
fn places(text: &str, derived: &Derived) -> Result<(), String> {
    for (at, unit) in derived.mapped.text().char_indices() {
        let source = derived.mapped.source(&(at..at + unit.len_utf8()));
        if text.get(source.clone()).is_none() {
            return Err(format!("{at} comes from {source:?}, which is no stretch of the text"));
        }
    }
    Ok(())
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
