use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;
use systemprompt_governance::secret::{Confidence, Match, Scanner};

use super::spot::{Id, Scanned, Spot, Unread};
use crate::args::InputArg;

/// Bytes in which a zero byte tells that a file is no text.
const SNIFFED: usize = 8 * 1024;

/// How much of a text is scanned at once, in bytes.
const BLOCK: usize = 4 * 1024 * 1024;

/// How far two neighbouring blocks overlap, in bytes: longer than any secret but a large private key,
/// whose first line is enough.
const OVERLAP: usize = 16 * 1024;

/// Scans what was read.
pub(super) struct Reader<'a> {
    scanner: &'a Scanner,
    input: InputArg,
    field: &'a str,
    id: &'a str,
    least: Confidence,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        scanner: &'a Scanner,
        input: InputArg,
        field: &'a str,
        id: &'a str,
        least: Confidence,
    ) -> Self {
        Self { scanner, input, field, id, least }
    }

    /// Scans the content of `path`.
    pub(super) fn scan(&self, path: &str, content: &[u8]) -> Scanned {
        let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let mut scanned = Scanned { files: 1, bytes, ..Scanned::default() };
        let Some(text) = decode(content) else {
            scanned.binary = 1;
            return scanned;
        };
        match self.input {
            InputArg::Text => self.text(path, &text, &mut scanned),
            InputArg::Jsonl => self.lines(path, &text, &mut scanned),
        }
        scanned
    }

    fn text(&self, path: &str, text: &str, scanned: &mut Scanned) {
        let mut lines = Lines { text, at: 0, line: 1, start: 0 };
        let mut seen = 0;
        for block in blocks(text) {
            let part = text.get(block.clone()).unwrap_or_default();
            for found in self.found(part) {
                let start = block.start + found.span.start;
                if start < seen {
                    continue;
                }
                seen = block.start + found.span.end;
                let (line, column) = lines.of(start);
                scanned.spots.push(spot(path, line, column, None, found));
            }
        }
    }

    fn lines(&self, path: &str, text: &str, scanned: &mut Scanned) {
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let number = index + 1;
            match self.field_of(line) {
                Ok((text, id)) => {
                    for found in self.found(&text) {
                        let id = Some(Id(id.clone()));
                        scanned.spots.push(spot(path, number, 1, id, found));
                    }
                }
                Err(reason) => {
                    scanned.unread.push(Unread { path: format!("{path}:{number}"), reason });
                }
            }
        }
    }

    /// The text and the id of a JSON line.
    fn field_of(&self, line: &str) -> Result<(String, Value), String> {
        let mut value: Value = serde_json::from_str(line)
            .map_err(|error| format!("no JSON at column {}", error.column()))?;
        let members = value.as_object_mut().ok_or("no JSON object")?;
        let id = members.get(self.id).cloned().unwrap_or(Value::Null);
        match members.remove(self.field) {
            Some(Value::String(text)) => Ok((text, id)),
            Some(_) => Err(format!("`{}` is no string", self.field)),
            None => Err(format!("there is no `{}`", self.field)),
        }
    }

    fn found(&self, text: &str) -> impl Iterator<Item = Match> {
        let least = self.least;
        self.scanner
            .find_in_text(text)
            .into_iter()
            .filter(move |found| found.finding.confidence >= least)
    }
}

fn spot(path: &str, line: usize, column: usize, id: Option<Id>, found: Match) -> Spot {
    let finding = found.finding;
    Spot {
        path: path.to_owned(),
        line,
        column,
        id,
        rule: finding.rule.to_string(),
        vendor: finding.vendor.to_string(),
        confidence: finding.confidence.as_str().to_owned(),
        view: finding.view.to_string(),
        fingerprint: finding.fingerprint,
    }
}

/// The content as text, if it is text: UTF-8, or UTF-16 with a byte order mark.
fn decode(content: &[u8]) -> Option<Cow<'_, str>> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let (pairs, _) = content.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().skip(1).map(|pair| unit(*pair)).collect();
        Some(Cow::Owned(String::from_utf16_lossy(&units)))
    };
    match content {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ if content.iter().take(SNIFFED).any(|byte| *byte == 0) => None,
        _ => Some(String::from_utf8_lossy(content)),
    }
}

/// The stretches of `text` that are scanned one by one; they overlap.
fn blocks(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0_usize);
    std::iter::from_fn(move || {
        let start = next?;
        let end = text.floor_char_boundary(start.saturating_add(BLOCK));
        next = (end < text.len()).then(|| text.floor_char_boundary(end - OVERLAP));
        Some(start..end)
    })
}

/// Counts lines, forwards only.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Where the line begins.
    start: usize,
}

impl Lines<'_> {
    /// Line and column of a byte, from 1; places are asked for in order.
    fn of(&mut self, place: usize) -> (usize, usize) {
        let passed = self.text.as_bytes().get(self.at..place).unwrap_or_default();
        for (offset, _) in passed.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            self.line += 1;
            self.start = self.at + offset + 1;
        }
        self.at = self.at.max(place);
        (self.line, place.saturating_sub(self.start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner() -> Scanner {
        Scanner::builder().fingerprint_key(&[7; 32]).build().unwrap()
    }

    fn token(n: usize) -> String {
        format!("{}_{:036}", "glpat-x", n * 7_919 + 1_234_567)
    }

    #[test]
    fn a_finding_has_its_line_and_column_also_across_blocks() {
        let scanner = scanner();
        let reader = Reader::new(&scanner, InputArg::Text, "text", "id", Confidence::Medium);
        let filler = "nothing to see here\n".repeat(BLOCK / 20 + 3);
        let text = format!("a\nb {}\n{filler}{}\n{filler}  {}", token(1), token(2), token(3));
        let scanned = reader.scan("x", text.as_bytes());
        let places: Vec<_> = scanned.spots.iter().map(|spot| (spot.line, spot.column)).collect();
        let lines = filler.lines().count();
        assert_eq!(places, [(2, 3), (3 + lines, 1), (4 + 2 * lines, 3)]);
    }

    #[test]
    fn every_place_of_a_long_text_is_in_a_block() {
        let text = "é".repeat(3 * BLOCK / 2);
        let blocks: Vec<_> = blocks(&text).collect();
        assert_eq!((blocks[0].start, blocks.last().unwrap().end), (0, text.len()));
        for pair in blocks.windows(2) {
            assert!(pair[1].start + OVERLAP - 2 <= pair[0].end + 2 && pair[1].start < pair[0].end);
            assert!(text.is_char_boundary(pair[1].start));
        }
    }

    #[test]
    fn a_line_that_is_no_object_is_named_and_the_others_are_scanned() {
        let scanner = scanner();
        let reader = Reader::new(&scanner, InputArg::Jsonl, "t", "n", Confidence::Medium);
        let text = format!(
            "{{\"n\": 7, \"t\": \"x {}\"}}\n[]\n\n{{\"t\": 1}}\n{{}}\n{{\"t\": \"clean\"}}\nnot\n",
            token(1)
        );
        let scanned = reader.scan("f", text.as_bytes());
        assert_eq!(scanned.spots.len(), 1);
        assert_eq!(scanned.spots[0].id, Some(Id(Value::from(7))));
        let unread: Vec<_> = scanned.unread.iter().map(|unread| &*unread.path).collect();
        assert_eq!(unread, ["f:2", "f:4", "f:5", "f:7"]);
    }

    #[test]
    fn wide_text_is_read_and_no_text_is_left() {
        let scanner = scanner();
        let reader = Reader::new(&scanner, InputArg::Text, "t", "n", Confidence::Medium);
        let mut wide = vec![0xff, 0xfe];
        wide.extend(token(5).encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(reader.scan("w", &wide).spots.len(), 1);
        let binary = reader.scan("b", b"\0\0\0");
        assert_eq!((binary.spots.len(), binary.binary), (0, 1));
    }
}
