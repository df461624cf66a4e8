//! Tokens that were split over neighbouring strings of a document.

use std::ops::Range;

use super::skim::is_token;

/// How many neighbours are put together.
pub(super) const WINDOW: usize = 4;

/// Longest string that is a piece of a token, in bytes.
const MAX_PIECE: usize = 512;

/// Fewest bytes of a token that was split.
const MIN_TOKEN: usize = 16;

/// Whether a string may be a piece of a token.
pub(super) fn is_piece(text: &str) -> bool {
    let joint = |byte: u8| is_token(byte) || matches!(byte, b'.' | b'=');
    !text.is_empty() && text.len() <= MAX_PIECE && text.bytes().all(joint)
}

/// Neighbouring pieces put together.
#[derive(Default)]
pub(super) struct Joined {
    pub(super) text: String,
    /// Where each piece begins.
    seams: [usize; WINDOW],
    pieces: usize,
}

impl Joined {
    /// Joins up to [`WINDOW`] pieces; `false` when they are too short for a token, or there is but one.
    pub(super) fn put<'t>(&mut self, pieces: impl Iterator<Item = &'t str>) -> bool {
        self.text.clear();
        self.pieces = 0;
        for (piece, seam) in pieces.zip(&mut self.seams) {
            *seam = self.text.len();
            self.text.push_str(piece);
            self.pieces += 1;
        }
        self.pieces > 1 && self.text.len() >= MIN_TOKEN
    }

    /// What a stretch takes of each piece, with the number of the piece.
    pub(super) fn parts(&self, span: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let starts = self.seams.iter().copied().take(self.pieces);
        let ends = starts.clone().skip(1).chain([self.text.len()]);
        starts.zip(ends).enumerate().filter_map(move |(number, (start, end))| {
            let part = span.start.max(start)..span.end.min(end);
            (part.start < part.end).then(|| (number, part.start - start..part.end - start))
        })
    }

    /// Whether a stretch begins in the first piece and goes beyond it: what begins later is seen by the
    /// join that begins later.
    pub(super) fn is_split(&self, span: &Range<usize>) -> bool {
        let second = self.seams.iter().take(self.pieces).nth(1);
        second.is_some_and(|second| span.start < *second && span.end > *second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_crosses_the_first_seam_counts() {
        let mut joined = Joined::default();
        assert!(joined.put(["AKIA", "1234567890", "ABCDEF"].into_iter()));
        assert_eq!(joined.text, "AKIA1234567890ABCDEF");
        assert!(joined.is_split(&(0..20)) && joined.is_split(&(3..5)));
        assert!(!joined.is_split(&(0..4)) && !joined.is_split(&(4..20)));
        let parts: Vec<_> = joined.parts(2..16).collect();
        assert_eq!(parts, [(0, 2..4), (1, 0..10), (2, 0..2)]);
        assert!(!joined.put(["AKIA1234567890ABCDEF"].into_iter()));
        assert!(!joined.put(["a", "b"].into_iter()));
    }

    #[test]
    fn a_piece_is_one_token() {
        assert!(is_piece("ghp_") && is_piece("a.b=") && !is_piece("a b") && !is_piece(""));
    }
}
