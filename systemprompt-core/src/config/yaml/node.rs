use std::fmt;

use crate::config::Position;

/// A node of the document.
#[derive(Debug, Clone)]
pub(in crate::config) struct Node {
    /// Unique in its document.
    pub(in crate::config) id: usize,
    /// Where the scalar begins; for a collection under a key, where the key does.
    pub(in crate::config) at: Position,
    pub(in crate::config) value: Value,
}

#[derive(Debug, Clone)]
pub(in crate::config) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(in crate::config) struct Entry {
    pub(in crate::config) key: String,
    pub(in crate::config) at: Position,
    pub(in crate::config) value: Node,
}

#[derive(Debug, Clone)]
pub(in crate::config) struct Scalar {
    pub(in crate::config) text: String,
    /// Written without quotes.
    pub(in crate::config) plain: bool,
    /// The text as written, when variables were filled in.
    pub(in crate::config) written: Option<String>,
}

/// One step from a node to a node in it.
#[derive(Clone, Copy)]
pub(in crate::config) enum Segment<'a> {
    Key(&'a str),
    Index(usize),
}

/// The way from the root to a node, linked backwards so that it costs nothing until it is printed.
#[derive(Clone, Copy)]
pub(in crate::config) struct Trail<'a> {
    last: Option<(&'a Trail<'a>, Segment<'a>)>,
}

impl<'a> Trail<'a> {
    pub(in crate::config) const ROOT: Self = Self { last: None };

    pub(in crate::config) fn then(&'a self, segment: Segment<'a>) -> Trail<'a> {
        Trail { last: Some((self, segment)) }
    }

    pub(in crate::config) fn is_root(&self) -> bool {
        self.last.is_none()
    }
}

impl fmt::Display for Trail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((before, segment)) = self.last else { return Ok(()) };
        before.fmt(f)?;
        match segment {
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::Key(key) if before.is_root() => f.write_str(&excerpt(key)),
            Segment::Key(key) => write!(f, ".{}", excerpt(key)),
        }
    }
}

/// `text` cut to a length one can read and without control characters.
pub(in crate::config) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
