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
pub(super) struct Joined {
    pub(super) text: String,
    /// Where each piece but the first begins.
    seams: [usize; WINDOW],
}

impl Joined {
    /// Joins up to [`WINDOW`] pieces; `None` when they are too short for a token, or there is but one.
    pub(super) fn of<'t>(pieces: impl Iterator<Item = &'t str>) -> Option<Self> {
        let mut joined = Self { text: String::new(), seams: [usize::MAX; WINDOW] };
        let mut count = 0;
        for (piece, seam) in pieces.zip(&mut joined.seams) {
            if count > 0 {
                *seam = joined.text.len();
            }
            joined.text.push_str(piece);
            count += 1;
        }
        (count > 1 && joined.text.len() >= MIN_TOKEN).then_some(joined)
    }

    /// What a stretch takes of each piece, with the number of the piece.
    pub(super) fn parts(&self, span: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        let seams = self.seams.iter().copied().filter(|seam| *seam != usize::MAX);
        let starts = std::iter::once(0).chain(seams.clone());
        let ends = seams.chain([self.text.len()]);
        starts.zip(ends).enumerate().filter_map(move |(number, (start, end))| {
            let part = span.start.max(start)..span.end.min(end);
            (part.start < part.end).then(|| (number, part.start - start..part.end - start))
        })
    }

    /// Whether a stretch begins in the first piece and goes beyond it: what begins later is seen by the
    /// join that begins later.
    pub(super) fn is_split(&self, span: &Range<usize>) -> bool {
        let first = self.seams.iter().copied().min().unwrap_or(usize::MAX);
        span.start < first && span.end > first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_crosses_the_first_seam_counts() {
        let joined = Joined::of(["AKIA", "1234567890", "ABCDEF"].into_iter()).unwrap();
        assert_eq!(joined.text, "AKIA1234567890ABCDEF");
        assert!(joined.is_split(&(0..20)) && joined.is_split(&(3..5)));
        assert!(!joined.is_split(&(0..4)) && !joined.is_split(&(4..20)));
        let parts: Vec<_> = joined.parts(2..16).collect();
        assert_eq!(parts, [(0, 2..4), (1, 0..10), (2, 0..2)]);
        assert!(Joined::of(["AKIA1234567890ABCDEF"].into_iter()).is_none());
        assert!(Joined::of(["a", "b"].into_iter()).is_none());
    }

    #[test]
    fn a_piece_is_one_token() {
        assert!(is_piece("ghp_") && is_piece("a.b=") && !is_piece("a b") && !is_piece(""));
    }
}
