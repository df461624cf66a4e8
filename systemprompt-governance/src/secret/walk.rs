use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use systemprompt_core::call::Node;

use super::engine::Hit;
use super::join::{self, Joined};
use super::keys::{Keys, Name};
use super::location::Trail;
use super::view::Budget;
use super::{Confidence, Finding, Match, Scanner, armour};

/// The first secret in document order.
pub(super) fn first(scanner: &Scanner, root: &Node) -> Option<Finding> {
    let mut found = None;
    let _ = Walk::new(scanner, root).node(root, None, &Trail::ROOT, &mut |group| {
        found = group.finding(scanner);
        ControlFlow::Break(())
    });
    found
}

/// Every secret in document order.
pub(super) fn all(scanner: &Scanner, root: &Node) -> Vec<Finding> {
    let mut found = Vec::new();
    each(scanner, root, &mut |group| found.extend(group.finding(scanner)));
    found
}

/// Everything there is in document order: places that overlap together, each place with all that was found
/// in it.
pub(super) fn each(scanner: &Scanner, root: &Node, sink: &mut dyn FnMut(&Group<'_>)) {
    let _ = Walk::new(scanner, root).node(root, None, &Trail::ROOT, &mut |group| {
        sink(&group);
        ControlFlow::Continue(())
    });
}

/// The first secret of a text.
pub(super) fn text(scanner: &Scanner, text: &str) -> Option<Finding> {
    let hits = hits_of(scanner, text);
    groups(text, &hits, &Trail::ROOT, Site::Value).next()?.finding(scanner)
}

/// Every secret of a text, with its place.
pub(super) fn matches(scanner: &Scanner, text: &str) -> Vec<Match> {
    let hits = hits_of(scanner, text);
    let matched = |group: Group<'_>| {
        let span = group.hits.first()?.span.clone();
        Some(Match { finding: group.finding(scanner)?, span })
    };
    groups(text, &hits, &Trail::ROOT, Site::Value).filter_map(matched).collect()
}

fn hits_of(scanner: &Scanner, text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    scanner.engine().hits(text, &mut hits, &mut Budget::of(text.len()));
    hits.sort_unstable_by_key(Hit::order);
    hits
}

/// Hits that overlap, one after the other: one place is one finding, whatever number of rules see it.
pub(super) struct Group<'g> {
    /// By place, the surest first at each; never empty.
    pub(super) hits: &'g [Hit],
    /// The text that was searched.
    pub(super) text: &'g str,
    /// The way to the text.
    pub(super) trail: &'g Trail<'g>,
    pub(super) site: Site<'g>,
}

/// What the text of a group is of the node its trail leads to.
#[derive(Clone, Copy)]
pub(super) enum Site<'g> {
    /// Its value.
    Value,
    /// Its key.
    Key,
    /// Its value with those of the next ones put together.
    Joined(&'g Joined),
}

impl Group<'_> {
    /// What the group is reported as.
    pub(super) fn finding(&self, scanner: &Scanner) -> Option<Finding> {
        self.hits.first().map(|hit| self.finding_of(scanner, hit))
    }

    pub(super) fn finding_of(&self, scanner: &Scanner, hit: &Hit) -> Finding {
        let (id, vendor) = scanner.engine().describe(hit.rule);
        Finding {
            rule: Arc::clone(id),
            vendor: Arc::clone(vendor),
            location: self.trail.locate(scanner),
            fingerprint: scanner.key().of(hit.secret(self.text)),
            confidence: hit.confidence,
            view: hit.view.name(),
        }
    }

    /// The whole stretch.
    pub(super) fn span(&self) -> Range<usize> {
        let start = self.hits.first().map_or(0, |hit| hit.span.start);
        start..self.hits.iter().map(|hit| hit.span.end).max().unwrap_or(start)
    }
}

/// The groups of sorted hits.
fn groups<'g>(
    text: &'g str,
    hits: &'g [Hit],
    trail: &'g Trail<'g>,
    site: Site<'g>,
) -> impl Iterator<Item = Group<'g>> {
    let mut end = 0;
    let overlaps = move |one: &Hit, next: &Hit| {
        end = end.max(one.span.end);
        next.span.start < end
    };
    hits.chunk_by(overlaps).map(move |hits| Group { hits, text, trail, site })
}

struct Walk<'s, 'n> {
    scanner: &'s Scanner,
    hits: Vec<Hit>,
    budget: Budget,
    keys: Keys<'n>,
    /// Where neighbours are put together.
    joined: Joined,
    /// Whether a key block that began in the string before goes on in the next one.
    inside: bool,
}

type Sink<'k> = dyn FnMut(Group<'_>) -> ControlFlow<()> + 'k;

impl<'s, 'n> Walk<'s, 'n> {
    fn new(scanner: &'s Scanner, root: &Node) -> Self {
        Self {
            scanner,
            hits: Vec::new(),
            budget: Budget::of(size(root)),
            keys: Keys::default(),
            joined: Joined::default(),
            inside: false,
        }
    }

    /// Looks through `node`; `name` is what the document calls it.
    fn node(
        &mut self,
        node: &'n Node,
        name: Option<Name<'n>>,
        trail: &Trail<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        match node {
            Node::String(text) => self.string(text, name, trail, sink),
            Node::Array(items) => self.array(items, name, trail, sink),
            Node::Object(members) => self.object(members, trail, sink),
            Node::Null | Node::Bool(_) | Node::Number(_) => {
                self.inside = false;
                ControlFlow::Continue(())
            }
        }
    }

    /// Items carry the name of their array; after a command line flag, the flag is the name.
    fn array(
        &mut self,
        items: &'n [Node],
        name: Option<Name<'n>>,
        trail: &Trail<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let mut flag = None;
        self.inside = false;
        for (index, item) in items.iter().enumerate() {
            self.node(item, flag.or(name), &trail.index(index), sink)?;
            flag = match item {
                Node::String(text) if text.starts_with('-') => Some(Name::new(text)),
                _ => None,
            };
        }
        self.neighbours(items.len(), |at| items.get(at), |at| trail.index(at), sink)
    }

    /// Members carry their key; the `value` of `{"name": .., "value": ..}` carries that name.
    fn object(
        &mut self,
        members: &'n [(Box<str>, Node)],
        trail: &Trail<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        self.inside = false;
        for (index, (key, value)) in members.iter().enumerate() {
            let name = match self.keys.find(key) {
                Some(name) => name,
                None if self.key(key, index, trail, sink)? => {
                    let name = Some(Name::new(key));
                    self.node(value, name, &trail.hidden_key(index), sink)?;
                    continue;
                }
                None => self.keys.remember(key),
            };
            let sibling = match value {
                Node::String(_) if key.eq_ignore_ascii_case("value") => sibling_name(members),
                _ => None,
            };
            let name = sibling.map_or(name, Name::new);
            self.node(value, Some(name), &trail.key(index, key), sink)?;
        }
        let value = |at: usize| members.get(at).map(|(_, value)| value);
        let step = |at: usize| match members.get(at) {
            Some((key, _)) => trail.key(at, key),
            None => trail.hidden_key(at),
        };
        self.neighbours(members.len(), value, step, sink)
    }

    /// Reports the tokens that were split over neighbouring strings, at the place of the first.
    fn neighbours<'t>(
        &mut self,
        count: usize,
        node: impl Fn(usize) -> Option<&'t Node>,
        step: impl Fn(usize) -> Trail<'t>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let piece = |at: usize| match node(at) {
            Some(Node::String(text)) if join::is_piece(text) => Some(&**text),
            _ => None,
        };
        let mut next = piece(0);
        for at in 0..count.saturating_sub(1) {
            let first = next;
            next = piece(at + 1);
            if first.is_none() || next.is_none() {
                continue;
            }
            let pieces = (at..at + join::WINDOW).map_while(piece);
            if !self.joined.put(pieces) {
                continue;
            }
            let joined = std::mem::take(&mut self.joined);
            let mut hits = self.scanner.engine().joined(&joined.text, &mut self.budget);
            hits.retain(|hit| joined.is_split(&hit.span));
            if !hits.is_empty() {
                self.keep_split(first.unwrap_or_default(), &mut hits);
            }
            hits.sort_unstable_by_key(Hit::order);
            groups(&joined.text, &hits, &step(at), Site::Joined(&joined))
                .try_for_each(&mut *sink)?;
            self.joined = joined;
        }
        ControlFlow::Continue(())
    }

    /// Leaves out the hits whose token stands in the first piece as a whole: what the next pieces hold only
    /// looks like more of it.
    fn keep_split(&mut self, first: &str, hits: &mut Vec<Hit>) {
        let whole = self.scanner.engine().joined(first, &mut self.budget);
        let same = |one: &Hit, other: &Hit| {
            let id = |hit: &Hit| self.scanner.engine().describe(hit.rule).0;
            one.span.start == other.span.start && id(one) == id(other)
        };
        hits.retain(|hit| !whole.iter().any(|other| same(hit, other)));
    }

    /// Reports the secrets of a key; `true` when there are any.
    fn key(
        &mut self,
        key: &str,
        index: usize,
        trail: &Trail<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<(), bool> {
        self.hits.clear();
        self.scanner.engine().hits(key, &mut self.hits, &mut self.budget);
        if self.hits.is_empty() {
            return ControlFlow::Continue(false);
        }
        self.report(key, &trail.hidden_key(index), Site::Key, sink)?;
        ControlFlow::Continue(true)
    }

    fn string(
        &mut self,
        text: &str,
        name: Option<Name<'_>>,
        trail: &Trail<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        let engine = self.scanner.engine();
        let inside = std::mem::take(&mut self.inside);
        self.hits.clear();
        engine.hits(text, &mut self.hits, &mut self.budget);
        let block = engine.structures().private_key;
        if let Some(block) = block.filter(|_| inside)
            && let Some(rest) = armour::rest(text)
        {
            self.hits.push(Hit::plain(block, rest, Confidence::High));
        }
        let whole = |hit: &Hit| hit.span.len() == text.len();
        // A password may have in it what looks like something else.
        if let Some(name) = name.filter(|name| name.tells)
            && !self.hits.iter().any(whole)
            && let Some(hit) = engine.named(name.text, text)
        {
            self.hits.push(hit);
        }
        if self.hits.is_empty() {
            return ControlFlow::Continue(());
        }
        let of_block = |hit: &Hit| Some(hit.rule) == block && hit.decoded.is_none();
        self.inside = self.hits.iter().any(of_block) && armour::stays_open(text);
        self.report(text, trail, Site::Value, sink)
    }

    fn report(
        &mut self,
        text: &str,
        trail: &Trail<'_>,
        site: Site<'_>,
        sink: &mut Sink<'_>,
    ) -> ControlFlow<()> {
        self.hits.sort_unstable_by_key(Hit::order);
        groups(text, &self.hits, trail, site).try_for_each(sink)
    }
}

/// How much text a document holds, in bytes.
fn size(node: &Node) -> usize {
    match node {
        Node::String(text) => text.len(),
        Node::Array(items) => items.iter().map(size).sum(),
        Node::Object(members) => members.iter().map(|(key, value)| key.len() + size(value)).sum(),
        Node::Null | Node::Bool(_) | Node::Number(_) => 0,
    }
}

/// The name beside a `value`, as environment and header lists write it.
fn sibling_name(members: &[(Box<str>, Node)]) -> Option<&str> {
    members.iter().find_map(|(key, value)| match value {
        Node::String(name)
            if ["name", "key", "header"].iter().any(|k| key.eq_ignore_ascii_case(k)) =>
        {
            Some(&**name)
        }
        _ => None,
    })
}
