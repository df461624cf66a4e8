use aho_corasick::{AhoCorasick, AhoCorasickKind};

/// Which rules know a value by its name, looked up by the parts of the name.
pub(super) struct Owners {
    /// `None` when no rule knows one.
    automaton: Option<AhoCorasick>,
    /// The rule of each pattern of the automaton.
    rules: Vec<usize>,
}

impl Owners {
    /// Pairs of a part of a name, lower case with words joined by `_`, and a rule.
    pub(super) fn new<'r>(names: impl Iterator<Item = (&'r str, usize)>) -> Self {
        let (names, rules): (Vec<_>, Vec<_>) = names.unzip();
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(&names)
            .ok()
            .filter(|_| !names.is_empty());
        Self { automaton, rules }
    }

    /// The first rule that `fits` among those whose part begins a word of `name`.
    pub(super) fn find(&self, name: &str, mut fits: impl FnMut(usize) -> bool) -> Option<usize> {
        let automaton = self.automaton.as_ref()?;
        let begins_word = |at: usize| at == 0 || name.as_bytes().get(at - 1) == Some(&b'_');
        let mut known: Vec<usize> = automaton
            .find_overlapping_iter(name)
            .filter(|found| begins_word(found.start()))
            .filter_map(|found| self.rules.get(found.pattern().as_usize()).copied())
            .collect();
        known.sort_unstable();
        known.dedup();
        known.into_iter().find(|rule| fits(*rule))
    }
}
