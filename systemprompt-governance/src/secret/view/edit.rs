//! Changes to a text that undo a way of writing, and the stretches they are made in.

use std::ops::Range;

use super::{Budget, Derived, Mapped, View};

/// Bytes before a place that belong to its stretch, for the names of values.
const BEFORE: usize = 96;

/// Bytes behind a place that belong to its stretch; places nearer than that share one.
const BEHIND: usize = 80;

/// What becomes of a stretch of a text.
#[derive(Debug)]
pub(super) struct Edit {
    /// The stretch, which is not empty.
    pub(super) source: Range<usize>,
    pub(super) becomes: Becomes,
    /// Whether it is a reason to look at the text once more.
    pub(super) tells: bool,
}

/// What stands in place of a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    Nothing,
    Char(char),
    /// A character with a space before it.
    Word(char),
}

/// How a way of writing is undone.
pub(super) trait Undo {
    const VIEW: View;

    /// The first change that begins at `from` or behind.
    fn next(text: &str, from: usize) -> Option<Edit>;

    /// Where the first change stands, at `from` or behind, that tells.
    fn place(text: &str, mut from: usize) -> Option<usize> {
        loop {
            let edit = Self::next(text, from)?;
            if edit.tells {
                return Some(edit.source.start);
            }
            from = edit.source.end;
        }
    }
}

/// Shows the stretches of `text` in which there is something to undo, with it undone.
pub(super) fn derive<U: Undo>(
    text: &str,
    budget: &mut Budget,
    visit: &mut dyn FnMut(Derived, &mut Budget),
) {
    let mut from = 0;
    while let Some(place) = U::place(text, from) {
        let start = text.floor_char_boundary(place.saturating_sub(BEFORE).max(from));
        let (mapped, end) = undo::<U>(text, start, place);
        if !budget.take(end - start) {
            return;
        }
        visit(Derived::new(U::VIEW, mapped), budget);
        from = end;
    }
}

/// Undoes what stands from `start` on, until there is nothing more near `place`; and says how far that is.
fn undo<U: Undo>(text: &str, start: usize, place: usize) -> (Mapped, usize) {
    let mut mapped = Mapped::default();
    let mut done = start;
    let mut behind = place.saturating_add(BEHIND);
    while let Some(edit) = U::next(text, done) {
        let at = edit.source.start;
        if at > behind.saturating_add(BEFORE) && at >= token_end(text, behind) {
            break;
        }
        if edit.tells {
            behind = at.saturating_add(BEHIND);
        }
        mapped.copy(text.get(done..at).unwrap_or_default(), done);
        mapped.apply(&edit);
        done = edit.source.end;
    }
    let end = token_end(text, behind).max(done);
    mapped.copy(text.get(done..end).unwrap_or_default(), done);
    (mapped, end)
}

/// Where the token that `place` is in ends, within bounds: what is cut is cut there.
fn token_end(text: &str, place: usize) -> usize {
    const LONGEST: usize = 512;
    let rest = text.as_bytes().get(place..).unwrap_or_default();
    let token = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != b'"';
    let length = rest.iter().take(LONGEST).take_while(token).count();
    text.ceil_char_boundary(place.min(text.len()) + length)
}

/// Where the first `byte` stands, at `from` or behind. It is looked for nearby first: hostile texts are
/// full of it, and a search in vectors takes its time to begin.
#[inline]
pub(super) fn find(byte: u8, text: &[u8], from: usize) -> Option<usize> {
    const NEAR: usize = 8;
    let rest = text.get(from..)?;
    let near = rest.get(..NEAR).unwrap_or(rest);
    if let Some(at) = near.iter().position(|other| *other == byte) {
        return Some(from + at);
    }
    memchr::memchr(byte, rest.get(near.len()..)?).map(|at| from + near.len() + at)
}

/// The whole text with everything undone.
pub(super) fn undone<U: Undo>(text: &str) -> String {
    let mut mapped = Mapped::default();
    let mut done = 0;
    while let Some(edit) = U::next(text, done) {
        mapped.copy(text.get(done..edit.source.start).unwrap_or_default(), done);
        mapped.apply(&edit);
        done = edit.source.end;
    }
    mapped.copy(text.get(done..).unwrap_or_default(), done);
    mapped.text().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x` becomes `y`, and `z` too where there is an `x` near.
    struct Letters;

    impl Undo for Letters {
        const VIEW: View = View::Escape;

        fn next(text: &str, from: usize) -> Option<Edit> {
            let at = from + text.get(from..)?.find(['x', 'z'])?;
            let tells = text.as_bytes().get(at) == Some(&b'x');
            Some(Edit { source: at..at + 1, becomes: Becomes::Char('y'), tells })
        }
    }

    fn stretches(text: &str) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        derive::<Letters>(text, &mut Budget::of(text.len()), &mut |derived, _| {
            let whole = 0..derived.mapped.text().len();
            found.push((derived.mapped.text().to_owned(), derived.mapped.source(&whole)));
        });
        found
    }

    #[test]
    fn near_places_share_a_stretch_and_stretches_do_not_overlap() {
        let spaces = |count: usize| " ".repeat(count);
        let text = format!("{}x{}xaaa{}xé{}z", spaces(90), spaces(100), spaces(900), spaces(900));
        let found = stretches(&text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1.start, 0);
        assert!(found[0].1.end < found[1].1.start);
        assert!(found[0].0.contains("yaaa") && found[1].0.contains("yé"));
        assert!(stretches("z and z").is_empty());
    }

    #[test]
    fn a_long_token_is_not_cut() {
        let text = format!("x{}z b", "a".repeat(400));
        let found = stretches(&text);
        assert_eq!(found[0].0, format!("y{}y", "a".repeat(400)));
    }

    #[test]
    fn near_and_far_bytes_are_found() {
        let text = b"..........x.x";
        assert_eq!((find(b'x', text, 0), find(b'x', text, 11)), (Some(10), Some(12)));
        assert_eq!(
            (find(b'x', text, 13), find(b'y', text, 0), find(b'y', text, 99)),
            (None, None, None)
        );
    }
}
