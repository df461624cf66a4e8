//! Puts something else where a document holds secrets.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use systemprompt_core::call::Node;

use super::redact::widened;
use super::walk::{Group, Site, each};
use super::{Finding, Scanner};

/// A place of a document with a secret in it.
pub(crate) struct Spot {
    /// What was found there, by place and the surest first at each; never empty.
    pub(crate) found: Vec<Found>,
    /// The positions of the members and items on the way to the place.
    way: Vec<usize>,
    in_key: bool,
    /// What it takes of the text at the end of the way, and of those next to it.
    parts: Vec<(usize, Range<usize>)>,
}

/// One finding of a place.
pub(crate) struct Found {
    pub(crate) finding: Finding,
    /// Its bytes; comparable with those of the same place only.
    pub(crate) span: Range<usize>,
}

/// Every place of a document with a secret in it, in document order.
pub(crate) fn spots(scanner: &Scanner, root: &Node) -> Vec<Spot> {
    let mut spots = Vec::new();
    each(scanner, root, &mut |group| spots.push(Spot::of(scanner, group)));
    spots
}

impl Spot {
    fn of(scanner: &Scanner, group: &Group<'_>) -> Self {
        let found = |hit| Found { finding: group.finding_of(scanner, hit), span: hit.span.clone() };
        let parts = match group.site {
            Site::Joined(joined) => joined.parts(group.span()).collect(),
            Site::Key | Site::Value => vec![(0, widened(group.text.as_bytes(), &group.span()))],
        };
        Self {
            found: group.hits.iter().map(found).collect(),
            way: group.trail.positions(),
            in_key: matches!(group.site, Site::Key),
            parts,
        }
    }

    /// The bytes of it, where it stands in one text.
    pub(crate) fn span(&self) -> Option<Range<usize>> {
        let [(0, span)] = self.parts.as_slice() else { return None };
        Some(span.clone())
    }

    /// What stands there as it is written; `None` where it is spread over several texts.
    pub(crate) fn written<'n>(&self, root: &'n Node) -> Option<&'n str> {
        let span = self.span()?;
        let (last, way) = match self.way.split_last() {
            Some((last, way)) => (Some(*last), way),
            None => (None, self.way.as_slice()),
        };
        let parent = way.iter().try_fold(root, |node, at| child(node, *at))?;
        let text: &str = match (last, parent) {
            (Some(last), Node::Object(members)) if self.in_key => &members.get(last)?.0,
            (Some(last), parent) => text_of(child(parent, last)?)?,
            (None, root) => text_of(root)?,
        };
        text.get(span)
    }
}

fn child(node: &Node, at: usize) -> Option<&Node> {
    match node {
        Node::Array(items) => items.get(at),
        Node::Object(members) => members.get(at).map(|(_, value)| value),
        _ => None,
    }
}

fn text_of(node: &Node) -> Option<&str> {
    match node {
        Node::String(text) => Some(text),
        _ => None,
    }
}

/// The document with a text in the place of each spot. Where a spot is spread over several texts, the first
/// gets it and the others lose their part.
pub(crate) fn rewritten(root: &Node, edits: &[(&Spot, String)]) -> Node {
    let mut edited = Edits::default();
    for (spot, replacement) in edits {
        for (at, (offset, span)) in spot.parts.iter().enumerate() {
            let mut way = spot.way.clone();
            if let Some(last) = way.last_mut() {
                *last += offset;
            }
            let text = if at == 0 { replacement.as_str() } else { "" };
            if let Some((_, object)) = way.split_last().filter(|_| spot.in_key) {
                edited.renamed.insert(object.to_vec());
            }
            edited.texts.entry((way, spot.in_key)).or_default().push((span.clone(), text));
        }
    }
    copy(root, &mut Vec::new(), &edited)
}

/// What to put into a document.
#[derive(Default)]
struct Edits<'e> {
    /// What to put into its texts, by the way to each and whether it is the key there.
    texts: BTreeMap<(Vec<usize>, bool), Vec<(Range<usize>, &'e str)>>,
    /// The ways to the objects with other keys.
    renamed: BTreeSet<Vec<usize>>,
}

fn copy(node: &Node, way: &mut Vec<usize>, edits: &Edits<'_>) -> Node {
    match node {
        Node::Null | Node::Bool(_) | Node::Number(_) => node.clone(),
        Node::String(text) => Node::String(edited(text, way, false, edits)),
        Node::Array(items) => {
            let copied = |(at, item): (usize, &Node)| below(at, item, way, edits);
            Node::Array(items.iter().enumerate().map(copied).collect())
        }
        Node::Object(members) => {
            let mut keys = edits.renamed.contains(way).then(HashSet::new);
            let mut copied: Vec<(Box<str>, Node)> = Vec::with_capacity(members.len());
            for (at, (key, value)) in members.iter().enumerate() {
                let value = below(at, value, way, edits);
                way.push(at);
                let mut key = edited(key, way, true, edits);
                way.pop();
                // Two keys that were secrets must stay two keys.
                if let Some(keys) = &mut keys {
                    while !keys.insert(key.clone()) {
                        key = format!("{key}#{at}").into();
                    }
                }
                copied.push((key, value));
            }
            Node::Object(copied)
        }
    }
}

fn below(at: usize, node: &Node, way: &mut Vec<usize>, edits: &Edits<'_>) -> Node {
    way.push(at);
    let copied = copy(node, way, edits);
    way.pop();
    copied
}

fn edited(text: &str, way: &[usize], in_key: bool, edits: &Edits<'_>) -> Box<str> {
    let Some(edits) = edits.texts.get(&(way.to_vec(), in_key)) else { return text.into() };
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|(span, _)| span.start);
    let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
    for (span, replacement) in edits {
        if span.start >= end {
            clean.push_str(text.get(end..span.start).unwrap_or_default());
            clean.push_str(replacement);
        }
        end = end.max(span.end);
    }
    clean.push_str(text.get(end..).unwrap_or_default());
    clean.into()
}
