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

/// The JSON text `raw` of `before` with the strings of `after` in the place of those that differ. Everything
/// else stays as it is written: numbers, spaces, the escapes of other strings.
pub(crate) fn spliced(raw: &str, before: &Node, after: &Node) -> String {
    let (mut was, mut is) = (Vec::new(), Vec::new());
    strings(before, &mut was);
    strings(after, &mut is);
    let (mut text, mut copied) = (String::with_capacity(raw.len()), 0);
    let literals = Literals { raw, at: 0 };
    for (literal, (was, is)) in literals.zip(was.into_iter().zip(is)) {
        if was != is {
            text.push_str(raw.get(copied..literal.start).unwrap_or_default());
            // Neither a string nor memory can fail to be written.
            text.push_str(&serde_json::to_string(is).unwrap_or_default());
            copied = literal.end;
        }
    }
    text.push_str(raw.get(copied..).unwrap_or_default());
    text
}

/// The strings of a document in the order in which they are written.
fn strings<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
    match node {
        Node::Null | Node::Bool(_) | Node::Number(_) => {}
        Node::String(text) => found.push(text),
        Node::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Node::Object(members) => {
            for (key, value) in members {
                found.push(key);
                strings(value, found);
            }
        }
    }
}

/// The string literals of a JSON text, quotes included. Nothing else in JSON has a quote in it.
struct Literals<'r> {
    raw: &'r str,
    at: usize,
}

impl Iterator for Literals<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let bytes = self.raw.as_bytes();
        let start = self.at + memchr::memchr(b'"', bytes.get(self.at..)?)?;
        let mut end = start + 1;
        loop {
            end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
            match bytes.get(end)? {
                b'"' => break,
                _ => end += 2,
            }
        }
        self.at = end + 1;
        Some(start..self.at)
    }
}

/// What to put in the place of a stretch of a text.
type TextEdit<'e> = (Range<usize>, &'e str);

/// What to put into a document.
#[derive(Default)]
struct Edits<'e> {
    /// What to put into its texts, by the way to each and whether it is the key there.
    texts: BTreeMap<(Vec<usize>, bool), Vec<TextEdit<'e>>>,
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

#[cfg(test)]
mod tests {
    use systemprompt_core::call::Arguments;

    use super::*;

    #[test]
    fn only_what_differs_is_written_anew() {
        let raw = r#" {"a" : 1.50, "b\u0041":["x\"y", 12345678901234567890123, {"q\\":"x"}], "e":"\u00e9"} "#;
        let before = Arguments::parse(raw).unwrap();
        let all = |node: &Node| -> Node {
            fn copy(node: &Node) -> Node {
                match node {
                    Node::String(text) if **text == *"x" => Node::String("\"new\"".into()),
                    Node::Array(items) => Node::Array(items.iter().map(copy).collect()),
                    Node::Object(members) => Node::Object(
                        members.iter().map(|(key, value)| (key.clone(), copy(value))).collect(),
                    ),
                    other => other.clone(),
                }
            }
            copy(node)
        };
        let text = spliced(raw, before.root(), &all(before.root()));
        assert_eq!(text, raw.replace(r#":"x"}"#, r#":"\"new\""}"#));
        assert_eq!(spliced(raw, before.root(), before.root()), raw);
    }
}
