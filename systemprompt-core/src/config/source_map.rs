use super::Position;
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
    /// The text as written, when variables were filled in.
    written: Option<Box<str>>,
    below: Below,
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
        if rest.is_empty() { spot.written.as_deref() } else { None }
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
        let (written, below) = match &node.value {
            Value::Scalar(scalar) => (scalar.written.as_deref().map(Box::from), Below::Nothing),
            Value::List(items) => (None, Below::Items(items.iter().map(Self::of).collect())),
            Value::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.key.as_str().into(), Self::of(&entry.value)))
                    .collect();
                (None, Below::Entries(entries))
            }
        };
        Self { at: node.at, written, below }
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
