use std::ops::Range;

use super::edit::{Becomes, Edit};

/// A text made from another one, with the places its bytes come from.
#[derive(Debug, Default)]
pub(in crate::secret) struct Mapped {
    text: String,
    parts: Vec<Part>,
    /// Where the next byte of the last part would come from; `None` when it takes no more.
    next: Option<Range<usize>>,
}

/// Bytes of the text that come from places of the source in equal steps: what was copied from every byte,
/// what was percent-encoded from every third, what was decoded as a whole from one place over and over.
#[derive(Debug)]
struct Part {
    /// Where in the text it begins.
    at: usize,
    /// Where in the source its first byte comes from.
    source: usize,
    /// From one byte to the next, in the source.
    step: usize,
    /// Bytes of the source that each byte comes from.
    width: usize,
}

impl Part {
    fn source(&self, place: usize) -> Range<usize> {
        let start = self.source + place.saturating_sub(self.at) * self.step;
        start..start + self.width
    }
}

impl Mapped {
    pub(in crate::secret) fn text(&self) -> &str {
        &self.text
    }

    /// Adds `part`, copied from the source at `at`.
    #[inline]
    pub(super) fn copy(&mut self, part: &str, at: usize) {
        match part.as_bytes() {
            [] => {}
            [byte] => self.step(char::from(*byte), at..at + 1),
            bytes => {
                let copies = self.parts.last().is_some_and(|last| last.step == 1);
                if !copies || self.next != Some(at..at + 1) {
                    self.push(Part { at: self.text.len(), source: at, step: 1, width: 1 });
                }
                self.text.push_str(part);
                let end = at + bytes.len();
                self.next = Some(end..end + 1);
            }
        }
    }

    /// Adds what a change makes of its stretch.
    #[inline]
    pub(super) fn apply(&mut self, edit: &Edit) {
        let unit = match edit.becomes {
            Becomes::Nothing => return,
            Becomes::Char(unit) => unit,
            Becomes::Word(unit) => {
                self.gap(edit.source.start);
                unit
            }
        };
        if unit.is_ascii() {
            self.step(unit, edit.source.clone());
        } else {
            self.add(unit.encode_utf8(&mut [0; 4]), edit.source.clone());
        }
    }

    /// Adds a text of which no part can be told apart, made from `source`.
    pub(super) fn add(&mut self, part: &str, source: Range<usize>) {
        if !part.is_empty() {
            let (at, width) = (self.text.len(), source.len());
            self.push(Part { at, source: source.start, step: 0, width });
            self.text.push_str(part);
        }
    }

    /// Adds a space that stands between two parts of the source.
    pub(super) fn gap(&mut self, at: usize) {
        self.step(' ', at..at);
    }

    /// Adds a character of one byte, made from `source`.
    #[inline]
    fn step(&mut self, unit: char, source: Range<usize>) {
        if self.next.as_ref() != Some(&source) {
            self.turn(source.clone());
        }
        self.text.push(unit);
        let step = self.parts.last().map_or(0, |last| last.step);
        self.next = Some(source.start + step..source.end + step);
    }

    /// Makes the next byte come from `source`: a part of one byte has no step yet, others end.
    fn turn(&mut self, source: Range<usize>) {
        let (at, width) = (self.text.len(), source.len());
        if let Some(last) = self.parts.last_mut()
            && (last.at + 1, last.width) == (at, width)
            && last.source <= source.start
        {
            last.step = source.start - last.source;
            return;
        }
        self.push(Part { at, source: source.start, step: width, width });
    }

    fn push(&mut self, part: Part) {
        self.parts.push(part);
        self.next = None;
    }

    /// Where in the source a stretch of the text comes from.
    pub(in crate::secret) fn source(&self, span: &Range<usize>) -> Range<usize> {
        let of = |place: usize| {
            let index = self.parts.partition_point(|part| part.at <= place).checked_sub(1)?;
            self.parts.get(index).map(|part| part.source(place))
        };
        let start = of(span.start).map_or(0, |source| source.start);
        let last = span.end.saturating_sub(1).max(span.start);
        let end = of(last).map_or(start, |source| source.end);
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(source: Range<usize>, unit: char) -> Edit {
        Edit { source, becomes: Becomes::Char(unit), tells: true }
    }

    #[test]
    fn a_stretch_leads_back_to_what_it_was_made_from() {
        let mut mapped = Mapped::default();
        mapped.copy("ab", 10);
        mapped.apply(&edit(12..15, 'X'));
        mapped.copy("cd", 15);
        assert_eq!(mapped.text(), "abXcd");
        assert_eq!(mapped.source(&(0..5)), 10..17);
        assert_eq!(mapped.source(&(1..2)), 11..12);
        assert_eq!(mapped.source(&(1..3)), 11..15);
        assert_eq!(mapped.source(&(2..4)), 12..16);
    }

    #[test]
    fn equal_steps_take_one_part() {
        let mut mapped = Mapped::default();
        for at in 0..100 {
            mapped.apply(&edit(at * 3..at * 3 + 3, 'a'));
        }
        for at in 0..50 {
            mapped.copy("b", 300 + at * 2);
        }
        mapped.copy("ccc", 400);
        mapped.apply(&edit(403..407, 'é'));
        mapped.add("whole", 407..500);
        assert_eq!(mapped.parts.len(), 5);
        assert_eq!(mapped.source(&(10..12)), 30..36);
        assert_eq!(mapped.source(&(99..101)), 297..301);
        assert_eq!(mapped.source(&(120..121)), 340..341);
        assert_eq!(mapped.source(&(151..152)), 401..402);
        assert_eq!(mapped.source(&(153..155)), 403..407);
        assert_eq!(mapped.source(&(157..158)), 407..500);
    }

    #[test]
    fn single_bytes_in_unequal_steps_are_told_apart() {
        let mut mapped = Mapped::default();
        for at in [0, 2, 7, 8, 9, 20] {
            mapped.copy("x", at);
        }
        for (place, at) in [0, 2, 7, 8, 9, 20].into_iter().enumerate() {
            assert_eq!(mapped.source(&(place..place + 1)), at..at + 1);
        }
    }
}
