use std::fmt;

use super::Position;
use super::hide;
use super::yaml::{Node, Value};

/// Where each part of a document was written, so that a fault found long after parsing can still be
/// reported with line and column.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    root: Option<Spot>,
}

#[derive(Debug, Clone)]
struct Spot {
    at: Position,
    filled: Option<Filled>,
    below: Below,
}

/// A text that variables were filled into.
#[derive(Clone)]
struct Filled {
    written: Box<str>,
    /// What it became; may hold a secret.
    text: Box<str>,
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filled").field(&self.written).finish()
    }
}

#[derive(Debug, Clone)]
enum Below {
    Nothing,
    Items(Box<[Spot]>),
    Entries(Box<[(Box<str>, Spot)]>),
}

impl SourceMap {
    pub(super) fn of(root: &Node) -> Self {
        Self { root: Some(Spot::of(root)) }
    }

    /// Where `path` (`governance.rules[3].agents[0]`) was written; `None` when it was not, as for a
    /// default.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<Position> {
        let (spot, rest) = self.walk(path)?;
        rest.is_empty().then_some(spot.at)
    }

    /// Where `path` or, when it was not written, the innermost part around it was.
    #[must_use]
    pub fn locate(&self, path: &str) -> Option<Position> {
        let (spot, _) = self.walk(path)?;
        Some(spot.at)
    }

    /// The text of `path` as written, when variables were filled into it.
    pub(super) fn written(&self, path: &str) -> Option<&str> {
        let (spot, rest) = self.walk(path)?;
        let filled = spot.filled.as_ref().filter(|_| rest.is_empty())?;
        Some(&filled.written)
    }

    /// `problem`, which was found at `path`, without the values of variables.
    pub(super) fn hide(&self, path: &str, problem: &str) -> String {
        let (Some(root), Some((spot, _))) = (&self.root, self.walk(path)) else {
            return problem.to_owned();
        };
        let (mut all, mut here) = (Vec::new(), Vec::new());
        root.collect_filled(&mut all);
        spot.collect_filled(&mut here);
        // A text that holds another is replaced before it.
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        here.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let shown = match &spot.filled {
            Some(filled) => hide::itself(problem, &filled.text),
            None => problem.to_owned(),
        };
        let shown = here.into_iter().fold(shown, |shown, text| hide::everywhere(&shown, text));
        all.into_iter().fold(shown, |shown, text| hide::quoted(&shown, text))
    }

    /// The innermost spot on the way along `path`, and what of the path is left.
    fn walk<'p>(&self, path: &'p str) -> Option<(&Spot, &'p str)> {
        let mut spot = self.root.as_ref()?;
        let mut rest = path;
        while let Some((next, after)) = spot.step(rest) {
            (spot, rest) = (next, after);
        }
        Some((spot, rest))
    }
}

impl Spot {
    fn of(node: &Node) -> Self {
        let (filled, below) = match &node.value {
            Value::Scalar(scalar) => {
                let filled = scalar.written.as_deref().map(|written| Filled {
                    written: written.into(),
                    text: scalar.text.as_str().into(),
                });
                (filled, Below::Nothing)
            }
            Value::List(items) => (None, Below::Items(items.iter().map(Self::of).collect())),
            Value::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.key.as_str().into(), Self::of(&entry.value)))
                    .collect();
                (None, Below::Entries(entries))
            }
        };
        Self { at: node.at, filled, below }
    }

    fn collect_filled<'s>(&'s self, into: &mut Vec<&'s str>) {
        into.extend(self.filled.as_ref().map(|filled| &*filled.text));
        match &self.below {
            Below::Nothing => {}
            Below::Items(items) => items.iter().for_each(|spot| spot.collect_filled(into)),
            Below::Entries(entries) => {
                entries.iter().for_each(|(_, spot)| spot.collect_filled(into));
            }
        }
    }

    /// The spot one segment further along `path`. Of several keys that fit, the longest is meant:
    /// keys may hold dots.
    fn step<'p>(&self, path: &'p str) -> Option<(&Self, &'p str)> {
        match &self.below {
            Below::Nothing => None,
            Below::Items(items) => {
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                Some((items.get(index.parse::<usize>().ok()?)?, after_segment(rest)?))
            }
            Below::Entries(entries) => entries
                .iter()
                .filter_map(|(key, spot)| {
                    let rest = after_segment(path.strip_prefix(&**key)?)?;
                    Some((key.len(), spot, rest))
                })
                .max_by_key(|(length, ..)| *length)
                .map(|(_, spot, rest)| (spot, rest)),
        }
    }
}

/// `rest` without the dot before the next segment; `None` in the middle of a segment.
fn after_segment(rest: &str) -> Option<&str> {
    match rest.strip_prefix('.') {
        Some(rest) => Some(rest),
        None if rest.is_empty() || rest.starts_with('[') => Some(rest),
        None => None,
    }
}
