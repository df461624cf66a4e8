use super::super::reasoning::THINK;

const END: &str = "</think>";
/// The most white space that is held back to see what follows.
const HELD: usize = 256;

/// Takes reasoning between `<think>` and `</think>` at the beginning of a text out of it, as `MiniMax` and
/// others have it there. Tags further on are text.
#[derive(Debug, Default)]
pub(super) struct ThinkTags {
    place: Place,
    held: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing was said yet.
    #[default]
    Start,
    /// Inside the tags; the flag is set until something was said there.
    Inside { fresh: bool },
    /// After the tags; the text begins without white space, or with another thought.
    After,
    /// In the text.
    Text,
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Thought(String),
}

impl ThinkTags {
    /// The text has no tags: reasoning came another way.
    pub(super) fn none(&mut self) {
        if self.place == Place::Start && self.held.is_empty() {
            self.place = Place::Text;
        }
    }

    /// Whether all that comes is text.
    pub(super) fn is_text(&self) -> bool {
        self.place == Place::Text && self.held.is_empty()
    }

    /// Takes more of the text.
    pub(super) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut all = std::mem::take(&mut self.held);
        all.push_str(text);
        let (mut rest, mut pieces) = (all.as_str(), Vec::new());
        loop {
            let (left, again) = match self.place {
                Place::Start | Place::After => self.begin(rest, &mut pieces),
                Place::Inside { fresh } => self.inside(rest, fresh, &mut pieces),
                Place::Text => {
                    if !rest.is_empty() {
                        pieces.push(Piece::Text(rest.to_owned()));
                    }
                    ("", false)
                }
            };
            rest = left;
            if !again {
                rest.clone_into(&mut self.held);
                return pieces;
            }
        }
    }

    /// What was held back, when no more comes.
    pub(super) fn finish(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        match self.place {
            Place::Start | Place::Text => (!held.is_empty()).then_some(Piece::Text(held)),
            Place::Inside { .. } => {
                let thought = held.trim_matches('\n');
                (!thought.is_empty()).then(|| Piece::Thought(thought.to_owned()))
            }
            // The beginning of a tag that never came, or nothing.
            Place::After => (!held.is_empty()).then_some(Piece::Text(held)),
        }
    }

    /// Looks for the opening tag. Gives back what is left, and whether there is more to do with it.
    fn begin<'a>(&mut self, rest: &'a str, pieces: &mut Vec<Piece>) -> (&'a str, bool) {
        let trimmed = rest.trim_start();
        if let Some(rest) = trimmed.strip_prefix(THINK) {
            self.place = Place::Inside { fresh: true };
            return (rest, true);
        }
        let after = self.place == Place::After;
        let rest = if after { trimmed } else { rest };
        if THINK.starts_with(trimmed) && rest.len() <= HELD {
            return (rest, false);
        }
        self.place = Place::Text;
        pieces.push(Piece::Text(rest.to_owned()));
        ("", false)
    }

    /// Says the thought up to its closing tag. Gives back the same as [`begin`](Self::begin).
    fn inside<'a>(
        &mut self,
        rest: &'a str,
        fresh: bool,
        pieces: &mut Vec<Piece>,
    ) -> (&'a str, bool) {
        let rest = if fresh { rest.trim_start_matches('\n') } else { rest };
        let (thought, rest, ended) = match rest.split_once(END) {
            Some((thought, rest)) => (thought.trim_end_matches('\n'), rest, true),
            None => {
                let (thought, rest) = rest.split_at(sayable(rest));
                (thought, rest, false)
            }
        };
        let said = !thought.is_empty();
        if said {
            pieces.push(Piece::Thought(thought.to_owned()));
        }
        self.place = if ended { Place::After } else { Place::Inside { fresh: fresh && !said } };
        (rest, ended)
    }
}

/// How much of a thought can be said before more is known: all but line feeds at its end and what may
/// be the beginning of the tag.
fn sayable(held: &str) -> usize {
    let bytes = held.as_bytes();
    let tag = (1..END.len())
        .rev()
        .find(|length| END.get(..*length).is_some_and(|start| held.ends_with(start)))
        .unwrap_or(0);
    let end = bytes.len() - tag;
    let feeds = bytes.get(..end).unwrap_or_default();
    let feeds = feeds.iter().rev().take(HELD).take_while(|byte| **byte == b'\n').count();
    end - feeds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&str]) -> (String, String) {
        let mut tags = ThinkTags::default();
        let mut all: Vec<Piece> = pieces.iter().flat_map(|piece| tags.push(piece)).collect();
        all.extend(tags.finish());
        let (mut text, mut thought) = (String::new(), String::new());
        for piece in all {
            match piece {
                Piece::Text(piece) => text.push_str(&piece),
                Piece::Thought(piece) => thought.push_str(&piece),
            }
        }
        (thought, text)
    }

    #[test]
    fn a_thought_at_the_beginning_is_taken_out() {
        let cases = [
            ("<think>\nHm.\n</think>\n\nHi", "Hm.", "Hi"),
            ("\n<think>a</think><think>b</think>c", "ab", "c"),
            ("Hi <think>no</think>", "", "Hi <think>no</think>"),
            ("<think>never ended", "never ended", ""),
            ("<thin", "", "<thin"),
            ("<think></think>x", "", "x"),
            ("  spaces", "", "  spaces"),
            ("<think>a < b</think>c</think>", "a < b", "c</think>"),
        ];
        for (given, thought, text) in cases {
            assert_eq!(read(&[given]), (thought.to_owned(), text.to_owned()), "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_same(
            text in "(<think>|</think>|<|\n|a|é| |>|think){0,12}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            at.extend([0, text.len()]);
            at.retain(|at| text.is_char_boundary(*at));
            at.sort_unstable();
            let pieces: Vec<&str> = at.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[&text]));
        }
    }
}
