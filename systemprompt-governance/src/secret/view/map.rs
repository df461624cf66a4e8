use std::ops::Range;

/// A text made from another one, with the places its parts come from.
#[derive(Debug, Default)]
pub(in crate::secret) struct Mapped {
    text: String,
    /// From this byte of the text on, what was made from this stretch of the source; a stretch of the
    /// same length was copied byte by byte.
    parts: Vec<(usize, Range<usize>)>,
}

impl Mapped {
    pub(in crate::secret) fn text(&self) -> &str {
        &self.text
    }

    /// Adds `part`, copied from the source at `at`.
    pub(super) fn copy(&mut self, part: &str, at: usize) {
        let source = at..at + part.len();
        self.add(part, source);
    }

    /// Adds `part`, made from `source`.
    pub(super) fn add(&mut self, part: &str, source: Range<usize>) {
        if !part.is_empty() {
            self.parts.push((self.text.len(), source));
            self.text.push_str(part);
        }
    }

    /// Adds a text of which no part can be told apart, made from `source`.
    pub(super) fn append(&mut self, part: String, source: Range<usize>) {
        // A part as long as its source would count as copied.
        let source = source.start..source.end + usize::from(part.len() == source.len());
        self.add(&part, source);
    }

    /// Adds one character, made from `source`.
    pub(super) fn add_char(&mut self, unit: char, source: Range<usize>) {
        self.add(unit.encode_utf8(&mut [0; 4]), source);
    }

    /// Moves the source by so many bytes.
    pub(super) fn shift(&mut self, by: usize) {
        for (_, source) in &mut self.parts {
            *source = source.start + by..source.end + by;
        }
    }

    /// Where in the source a stretch of the text comes from.
    pub(in crate::secret) fn source(&self, span: &Range<usize>) -> Range<usize> {
        let of = |place: usize| {
            let index = self.parts.partition_point(|(start, _)| *start <= place).checked_sub(1)?;
            let (start, source) = self.parts.get(index)?;
            let next = self.parts.get(index + 1).map_or(self.text.len(), |(next, _)| *next);
            let copied = next - start == source.len();
            Some((place - start, source.clone(), copied))
        };
        let start = match of(span.start) {
            Some((offset, source, true)) => source.start + offset,
            Some((_, source, false)) => source.start,
            None => 0,
        };
        let end = match of(span.end.saturating_sub(1).max(span.start)) {
            Some((offset, source, true)) => source.start + offset + 1,
            Some((_, source, false)) => source.end,
            None => start,
        };
        start..end.max(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_leads_back_to_what_it_was_made_from() {
        let mut mapped = Mapped::default();
        mapped.copy("ab", 0);
        mapped.add("X", 2..5);
        mapped.copy("cd", 5);
        mapped.shift(10);
        assert_eq!(mapped.text(), "abXcd");
        assert_eq!(mapped.source(&(0..5)), 10..17);
        assert_eq!(mapped.source(&(1..2)), 11..12);
        assert_eq!(mapped.source(&(1..3)), 11..15);
        assert_eq!(mapped.source(&(2..4)), 12..16);
    }
}
