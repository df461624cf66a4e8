use aho_corasick::{AhoCorasick, MatchKind};
use hashbrown::HashMap;

use super::glob::{Glob, Shape};

/// Finds the patterns that match a name without looking at the others: exact names and prefixes by
/// hash, the rest by a literal they contain.
#[derive(Debug, Default)]
pub(crate) struct ToolIndex {
    exact: HashMap<Box<str>, Vec<u32>>,
    prefixes: HashMap<Box<str>, Vec<u32>>,
    /// The lengths that occur in `prefixes`, ascending.
    prefix_lengths: Vec<usize>,
    any: Vec<u32>,
    others: Vec<(Glob, u32)>,
    /// Positions in `others` by literal, in the order of the automaton's patterns.
    by_literal: Vec<Vec<usize>>,
    literals: Option<AhoCorasick>,
    /// Positions in `others` of patterns without a literal.
    bare: Vec<usize>,
}

/// An index takes patterns with the number of what they belong to, then [`finish`](Self::finish).
impl ToolIndex {
    pub(crate) fn insert(&mut self, pattern: &Glob, owner: u32) {
        match pattern.shape() {
            Shape::Exact => push(&mut self.exact, pattern.as_str(), owner),
            Shape::Prefix => push(&mut self.prefixes, pattern.prefix(), owner),
            Shape::Any => self.any.push(owner),
            Shape::Other => self.others.push((pattern.clone(), owner)),
        }
    }

    /// Builds what needs all patterns. An automaton that cannot be built is done without.
    pub(crate) fn finish(&mut self) {
        self.prefix_lengths = self.prefixes.keys().map(|prefix| prefix.len()).collect();
        self.prefix_lengths.sort_unstable();
        self.prefix_lengths.dedup();
        let mut literals: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (pattern, _)) in self.others.iter().enumerate() {
            literals.entry(pattern.literal().to_owned()).or_default().push(at);
        }
        self.bare = literals.remove("").unwrap_or_default();
        let (texts, owners): (Vec<_>, Vec<_>) = literals.into_iter().unzip();
        if texts.is_empty() {
            return;
        }
        match AhoCorasick::builder().match_kind(MatchKind::Standard).build(&texts) {
            Ok(automaton) => (self.literals, self.by_literal) = (Some(automaton), owners),
            Err(_) => self.bare = (0..self.others.len()).collect(),
        }
    }

    /// Calls `visit` with the owner of every pattern that matches `name` (more than once where several
    /// do) until it returns `true`. Says whether it did.
    pub(crate) fn find(&self, name: &str, mut visit: impl FnMut(u32) -> bool) -> bool {
        self.exact(name).iter().any(|owner| visit(*owner))
            || self.find_wild(name, |pattern| pattern.matches(name), visit)
    }

    /// The same for patterns that cover the pattern `other`; see [`Glob::covers`].
    pub(crate) fn find_covering(&self, other: &str, mut visit: impl FnMut(u32) -> bool) -> bool {
        self.exact(other).iter().any(|owner| visit(*owner))
            || self.find_wild(other, |pattern| pattern.covers(other), visit)
    }

    /// The owners of `name` as a pattern without wildcards.
    pub(crate) fn exact(&self, name: &str) -> &[u32] {
        self.exact.get(name).map_or(&[], Vec::as_slice)
    }

    fn find_wild(
        &self,
        name: &str,
        matches: impl Fn(&Glob) -> bool,
        mut visit: impl FnMut(u32) -> bool,
    ) -> bool {
        self.any.iter().any(|owner| visit(*owner))
            || self
                .prefix_lengths
                .iter()
                .map_while(|length| name.get(..*length))
                .filter_map(|prefix| self.prefixes.get(prefix))
                .flatten()
                .any(|owner| visit(*owner))
            || self.candidates(name).any(|at| {
                self.others
                    .get(at)
                    .is_some_and(|(pattern, owner)| matches(pattern) && visit(*owner))
            })
    }

    fn candidates(&self, name: &str) -> impl Iterator<Item = usize> {
        let hits = self.literals.iter().flat_map(move |automaton| {
            automaton
                .find_overlapping_iter(name)
                .filter_map(|hit| self.by_literal.get(hit.pattern().as_usize()).map(Vec::as_slice))
        });
        self.bare.iter().copied().chain(hits.flatten().copied())
    }
}

fn push(map: &mut HashMap<Box<str>, Vec<u32>>, key: &str, owner: u32) {
    map.entry(key.into()).or_default().push(owner);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_index_finds_what_trying_every_pattern_finds(
            patterns in proptest::collection::vec("[abc*?]{1,4}", 0..12),
            name in "[abc]{1,6}",
        ) {
            let patterns: Vec<Glob> = patterns.iter().map(|p| Glob::parse(p).unwrap()).collect();
            let mut index = ToolIndex::default();
            for (at, pattern) in patterns.iter().enumerate() {
                index.insert(pattern, u32::try_from(at).unwrap());
            }
            index.finish();
            let mut found = BTreeSet::new();
            index.find(&name, |owner| {
                found.insert(owner);
                false
            });
            let expected: BTreeSet<u32> = (0_u32..)
                .zip(&patterns)
                .filter(|(_, pattern)| pattern.matches(&name))
                .map(|(at, _)| at)
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
