//! Runs in base 64 and base 16.

use std::ops::Range;

use super::inflate::{inflate, is_compressed};
use super::probe::Encoding;
use super::{Budget, Derived, Mapped, View, hex, wide};
use crate::secret::base64;
use crate::secret::name::hint;

/// Bytes before a run that go with it, for the name of the value.
const CONTEXT: usize = 48;

/// Fewest characters of a line that an encoder has broken.
const MIN_LINE: usize = 56;

/// Shows what is encoded in `runs`, together by the way it was encoded: a text may have many of them.
pub(super) fn derive(
    text: &str,
    runs: &[Range<usize>],
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) {
    let mut readings: [Option<Derived>; 4] = Default::default();
    let mut runs = runs.iter().peekable();
    while let Some(first) = runs.next() {
        let mut end = first.end;
        // Encoders break lines at one length.
        while let Some(next) = runs.peek()
            && first.len() >= MIN_LINE
            && next.len() <= first.len()
            && is_break(text, end..next.start)
        {
            end = next.end;
            runs.next();
        }
        // What a line break leaves of the last line is too short to be a run.
        let end = if end > first.end { last_line(text, end) } else { end };
        if let Some((view, content, run)) = decoded(text, first.start..end, budget) {
            let junk = first.start..run.start;
            let same = |reading: &&mut Option<Derived>| {
                reading.as_ref().is_none_or(|reading| reading.view == view)
            };
            if let Some(reading) = readings.iter_mut().find(same) {
                let reading = reading.get_or_insert_with(|| Derived::new(view, Mapped::default()));
                add(reading, text, &content, junk, run);
            }
        }
        if budget.is_overrun() {
            break;
        }
    }
    for reading in readings.into_iter().flatten() {
        visit(reading, budget);
    }
}

/// Adds what a run holds to a reading, behind what stands before it and before the junk in front of it.
fn add(reading: &mut Derived, text: &str, content: &str, junk: Range<usize>, run: Range<usize>) {
    let Derived { mapped, contexts, .. } = reading;
    if !mapped.text().is_empty() {
        mapped.gap(run.start);
        mapped.gap(run.start);
    }
    let start = text.ceil_char_boundary(junk.start.saturating_sub(CONTEXT));
    let context = text.get(start..junk.start).unwrap_or_default();
    // What names no secret is nothing but more to look at.
    if hint::last(context.as_bytes(), context.len()).is_some() {
        let from = mapped.text().len();
        mapped.copy(context, start);
        if !junk.is_empty() {
            mapped.gap(junk.end);
        }
        contexts.push(from..mapped.text().len());
    }
    mapped.add(content, run);
}

fn is_break(text: &str, gap: Range<usize>) -> bool {
    let gap = text.as_bytes().get(gap).unwrap_or_default();
    matches!(gap, b"\n" | b"\r\n" | b"\\n" | b"\\r\\n" | b"\n " | b"\n  " | b"\n    " | b"\\\n")
}

fn last_line(text: &str, end: usize) -> usize {
    let rest = text.as_bytes().get(end..).unwrap_or_default();
    let gap = rest.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let tail = rest.iter().skip(gap).take(64).take_while(|byte| byte.is_ascii_alphanumeric());
    if gap == 0 { end } else { end + gap + tail.count() }
}

/// What is encoded in a run, by which way, and where in the run that begins.
fn decoded(
    text: &str,
    run: Range<usize>,
    budget: &mut Budget,
) -> Option<(View, String, Range<usize>)> {
    let bytes = text.as_bytes();
    let (encoding, start) = Encoding::of(bytes.get(run.clone())?)?;
    let run = run.start + start..run.end;
    let encoded = bytes.get(run.clone())?;
    if !budget.take(encoded.len()) {
        return None;
    }
    let (view, bytes) = match encoding {
        Encoding::Hex => (View::Hex, hex::decode(encoded)?),
        Encoding::Base64 => (View::Base64, base64::decode(encoded)?),
    };
    let (view, content) = content(view, bytes, budget)?;
    Some((view, content, run))
}

/// The text in decoded bytes.
fn content(view: View, bytes: Vec<u8>, budget: &mut Budget) -> Option<(View, String)> {
    if is_compressed(&bytes) {
        return inflate(&bytes, budget).map(|text| (View::Gzip, text));
    }
    if wide::is_likely(&bytes) {
        return wide::decode(&bytes).map(|text| (View::Utf16, text));
    }
    let text = String::from_utf8(bytes).unwrap_or_else(|error| as_text(error.as_bytes()));
    Some((view, text))
}

/// The text in bytes of which some are none.
fn as_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push('?');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str, runs: &[Range<usize>]) -> Vec<Derived> {
        let mut found = Vec::new();
        derive(text, runs, &mut Budget::of(text.len()), &mut |derived, _| found.push(derived));
        found
    }

    #[test]
    fn what_is_encoded_alike_is_one_reading() {
        let text = "key=dG9rZW49YWJjZGVm b=dG9rZW49Z2hpamts c=746f6b656e3d616263";
        let found = readings(text, &[4..20, 23..39, 42..60]);
        let texts: Vec<_> = found.iter().map(|derived| derived.mapped.text()).collect();
        assert_eq!(texts[0], format!("key=token=abcdef  {}token=ghijkl", &text[..23]));
        assert_eq!(texts[1], format!("{}token=abc", &text[..42]));
        let at = texts[0].find("ghi").unwrap();
        assert_eq!(found[0].mapped.source(&(at..at + 3)), 23..39);
        assert!(found[0].is_context(&(0..4)) && !found[0].is_context(&(4..7)));
        assert!(found[0].is_context(&(18..38)) && !found[0].is_context(&(at..at + 3)));
    }

    #[test]
    fn what_names_no_secret_is_left_out() {
        let found = readings("a=dG9rZW49YWJjZGVm b=dG9rZW49Z2hpamts", &[2..18, 21..37]);
        assert_eq!(found[0].mapped.text(), "token=abcdef  token=ghijkl");
    }

    #[test]
    fn bytes_that_are_no_text_stand_between_those_that_are() {
        assert_eq!(as_text(b"a\xff\xfeb\xc3\xa9\xc3"), "a??b\u{e9}?");
    }
}
