use zeroize::{DefaultIsZeroes, Zeroizing};

/// The state before any byte.
pub(super) const ROOT: u32 = 0;

/// Finds many patterns at once, a byte at a time (Aho and Corasick, 1975).
///
/// Written out here and not taken from a crate because its states spell the secrets: this one is made in
/// memory that does not move and is wiped. It also knows how much of a text may still become a match,
/// which decides what a stream can let go.
pub(super) struct Automaton {
    nodes: Zeroizing<Vec<Node>>,
    /// The children of the root by byte; most bytes of a text are looked up here.
    starts: Zeroizing<Vec<u32>>,
}

/// A prefix of a pattern. The default is no node, and the root is its own parent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Node {
    byte: u8,
    /// Bytes of the prefix: how many of the last bytes may be the start of a match.
    pub(super) depth: u32,
    /// Bytes of the longest pattern that ends here; 0 when none does.
    pub(super) found: u32,
    /// Which value that pattern is of.
    pub(super) value: u32,
    /// The longest proper suffix that is a prefix itself.
    fallback: u32,
    /// The first child and the next one of the same parent; 0 when there is none.
    first_child: u32,
    next_sibling: u32,
}

impl DefaultIsZeroes for Node {}

impl Automaton {
    /// An automaton for patterns, each with the number of the value it is of. Where two are the same,
    /// the first counts.
    pub(super) fn new(patterns: &[(u32, Zeroizing<Vec<u8>>)]) -> Self {
        let most = 1 + patterns.iter().map(|(_, pattern)| pattern.len()).sum::<usize>();
        let mut automaton = Self {
            nodes: Zeroizing::new(Vec::with_capacity(most)),
            starts: Zeroizing::new(vec![ROOT; 256]),
        };
        automaton.nodes.push(Node::default());
        for (value, pattern) in patterns {
            automaton.insert(*value, pattern);
        }
        automaton.link();
        automaton
    }

    /// The state after one more byte.
    pub(super) fn step(&self, mut state: u32, byte: u8) -> u32 {
        loop {
            let child = self.child(state, byte);
            if child != ROOT || state == ROOT {
                return child;
            }
            state = self.node(state).fallback;
        }
    }

    /// The state that goes on as `state` does and has read the least: from the end of a pattern that
    /// no other continues, there is nothing to wait for.
    pub(super) fn least(&self, mut state: u32) -> u32 {
        while state != ROOT && self.node(state).first_child == ROOT {
            state = self.node(state).fallback;
        }
        state
    }

    pub(super) fn node(&self, state: u32) -> Node {
        self.nodes.get(state as usize).copied().unwrap_or_default()
    }

    /// Bytes of memory in use.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.starts.capacity() * size_of::<u32>()
    }

    fn child(&self, state: u32, byte: u8) -> u32 {
        if state == ROOT {
            return self.starts.get(usize::from(byte)).copied().unwrap_or(ROOT);
        }
        let mut child = self.node(state).first_child;
        while child != ROOT {
            let node = self.node(child);
            if node.byte == byte {
                return child;
            }
            child = node.next_sibling;
        }
        ROOT
    }

    fn insert(&mut self, value: u32, pattern: &[u8]) {
        let mut state = ROOT;
        for &byte in pattern {
            state = match self.child(state, byte) {
                ROOT => self.add(state, byte),
                known => known,
            };
        }
        if let Some(node) = self.nodes.get_mut(state as usize).filter(|node| node.found == 0) {
            node.found = node.depth;
            node.value = value;
        }
    }

    fn add(&mut self, parent: u32, byte: u8) -> u32 {
        let Ok(new) = u32::try_from(self.nodes.len()) else { return ROOT };
        let Node { depth, first_child: next_sibling, .. } = self.node(parent);
        self.nodes.push(Node { byte, depth: depth + 1, next_sibling, ..Node::default() });
        if let Some(parent) = self.nodes.get_mut(parent as usize) {
            parent.first_child = new;
        }
        if parent == ROOT
            && let Some(start) = self.starts.get_mut(usize::from(byte))
        {
            *start = new;
        }
        new
    }

    /// Finds every node's fallback, parents first, and hands down what is found on the way there.
    fn link(&mut self) {
        let mut queue = Vec::with_capacity(self.nodes.len());
        queue.push(ROOT);
        let mut next = 0;
        while let Some(&parent) = queue.get(next) {
            next += 1;
            let mut child = self.node(parent).first_child;
            while child != ROOT {
                queue.push(child);
                let node = self.node(child);
                let fallback = match parent {
                    ROOT => ROOT,
                    parent => self.step(self.node(parent).fallback, node.byte),
                };
                let shorter = self.node(fallback);
                if let Some(own) = self.nodes.get_mut(child as usize) {
                    own.fallback = fallback;
                    if own.found == 0 {
                        (own.found, own.value) = (shorter.found, shorter.value);
                    }
                }
                child = node.next_sibling;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use aho_corasick::{AhoCorasick, MatchKind};
    use proptest::prelude::*;

    use super::*;

    /// For every place in the text, the longest pattern that ends there and its number.
    fn expected(patterns: &[Vec<u8>], text: &[u8]) -> Vec<Option<(u32, u32)>> {
        let other = AhoCorasick::builder().match_kind(MatchKind::Standard).build(patterns).unwrap();
        let mut longest = vec![None; text.len()];
        for found in other.find_overlapping_iter(text) {
            let length = u32::try_from(found.len()).unwrap();
            let first = patterns.iter().position(|p| *p == patterns[found.pattern()]).unwrap();
            let place = &mut longest[found.end() - 1];
            if place.is_none_or(|(known, _)| known < length) {
                *place = Some((length, u32::try_from(first).unwrap()));
            }
        }
        longest
    }

    /// How many of the last bytes begin a pattern and are not yet all of it.
    fn beginning(patterns: &[Vec<u8>], text: &[u8]) -> usize {
        let starts = |length: &usize| {
            let end = &text[text.len() - length..];
            patterns.iter().any(|pattern| pattern.starts_with(end) && pattern.len() > *length)
        };
        (0..=text.len()).rev().find(starts).unwrap_or(0)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_what_another_implementation_finds(
            patterns in prop::collection::vec("[ab]{1,6}|[abc]{2,9}", 1..8),
            text in "[abc]{0,60}",
        ) {
            let patterns: Vec<_> = patterns.into_iter().map(String::into_bytes).collect();
            let numbered: Vec<_> =
                (0..).zip(&patterns).map(|(n, p)| (n, Zeroizing::new(p.clone()))).collect();
            let automaton = Automaton::new(&numbered);
            let mut state = ROOT;
            for (at, expected) in expected(&patterns, text.as_bytes()).into_iter().enumerate() {
                state = automaton.step(state, text.as_bytes()[at]);
                let node = automaton.node(state);
                let found = (node.found > 0).then_some((node.found, node.value));
                prop_assert_eq!(found, expected);
                state = automaton.least(state);
                let held = automaton.node(state).depth as usize;
                prop_assert_eq!(held, beginning(&patterns, &text.as_bytes()[..=at]));
            }
        }
    }

    #[test]
    fn a_long_value_takes_a_bounded_amount_of_memory() {
        let key: String = ('!'..='~').cycle().take(3_300).collect();
        let forms = super::super::forms::of(&key);
        let length: usize = forms.iter().map(|form| form.len()).sum();
        let patterns: Vec<_> = forms.into_iter().map(|form| (0, form)).collect();
        let automaton = Automaton::new(&patterns);
        assert!(length < 90 * key.len(), "{length}");
        assert!(automaton.bytes() < 12 * 1024 * 1024, "{}", automaton.bytes());
    }
}
