use std::ops::Range;

/// Encoded events of one log, in its order: one line each, every line ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Batch {
    /// The log.
    pub(super) origin: String,
    /// The place it starts after.
    pub(super) after: i64,
    /// The place of the last event that was looked at.
    pub(super) to: i64,
    bytes: Vec<u8>,
    /// Where each line ends, its line break included.
    ends: Vec<usize>,
}

impl Batch {
    /// An empty batch of the log `origin` after a place.
    pub(super) fn new(origin: &str, after: i64) -> Self {
        Self { origin: origin.to_owned(), after, to: after, bytes: Vec::new(), ends: Vec::new() }
    }

    /// A batch of lines that were written before; `None` when the last one is not whole.
    pub(super) fn of_lines(origin: &str, after: i64, to: i64, bytes: Vec<u8>) -> Option<Self> {
        let ends: Vec<_> = bytes
            .iter()
            .enumerate()
            .filter_map(|(at, byte)| (*byte == b'\n').then_some(at + 1))
            .collect();
        let whole = ends.last().copied().unwrap_or_default() == bytes.len();
        whole.then(|| Self { origin: origin.to_owned(), after, to, bytes, ends })
    }

    /// Lets `encode` append one line. When it fails there is none.
    pub(super) fn push<E>(
        &mut self,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        encode(&mut self.bytes)?;
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Takes the last line away again.
    pub(super) fn pop(&mut self) {
        self.ends.pop();
        self.bytes.truncate(self.ends.last().copied().unwrap_or_default());
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All lines.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Some lines, each without its line break.
    pub(super) fn lines(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        range.map(|line| {
            let end = self.ends.get(line).copied().unwrap_or_default();
            let start = line.checked_sub(1).and_then(|at| self.ends.get(at)).copied();
            let line = self.bytes.get(start.unwrap_or_default()..end).unwrap_or_default();
            line.strip_suffix(b"\n").unwrap_or(line)
        })
    }

    /// Some lines as they stand, line breaks included.
    pub(super) fn text(&self, range: &Range<usize>) -> &[u8] {
        let end_of = |line: usize| {
            line.checked_sub(1).and_then(|at| self.ends.get(at)).copied().unwrap_or_default()
        };
        self.bytes.get(end_of(range.start)..end_of(range.end)).unwrap_or_default()
    }

    /// The size of some lines in bytes, line breaks included.
    pub(super) fn size(&self, range: &Range<usize>) -> usize {
        self.text(range).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_as_they_were_put_in() {
        let mut batch = Batch::new("server@x", 4);
        for line in ["one", "", "three"] {
            let push = |out: &mut Vec<u8>| {
                out.extend_from_slice(line.as_bytes());
                Ok::<_, ()>(())
            };
            batch.push(push).unwrap();
        }
        let text = |range| -> Vec<&str> {
            batch.lines(range).map(|line| std::str::from_utf8(line).unwrap()).collect()
        };
        assert_eq!(text(0..3), ["one", "", "three"]);
        assert_eq!(text(1..3), ["", "three"]);
        assert_eq!((batch.size(&(0..3)), batch.size(&(1..2))), (11, 1));
        assert_eq!(batch.text(&(1..3)), b"\nthree\n");
        let again = Batch::of_lines("server@x", 4, 4, batch.bytes().to_vec());
        assert_eq!(again.as_ref(), Some(&batch));
        assert_eq!(Batch::of_lines("server@x", 4, 4, b"one\ntw".to_vec()), None);
    }
}
