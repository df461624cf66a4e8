//! *blocklist*: words and patterns that no tool name may match.

use std::sync::Arc;

use aho_corasick::{AhoCorasick, MatchKind};
use systemprompt_core::call::ToolRef;
use systemprompt_core::policy::Blocklist;
use systemprompt_core::principal::Principal;
use unicode_normalization::UnicodeNormalization as _;

use super::fault::{Faults, check_ids};
use super::glob::Glob;
use super::index::ToolIndex;
use super::scope::folded;
use super::vocabulary::Vocabulary;
use super::words::Words;

/// All lists, searched at once.
#[derive(Debug, Default)]
pub(crate) struct Blocklists {
    lists: Vec<List>,
    /// Every pattern, in the order of lists and patterns; the lowest that matches is reported.
    patterns: Vec<Pattern>,
    /// Finds how word patterns open, in any case: most names have none of it and are done.
    openings: Option<AhoCorasick>,
    /// Finds the text of word patterns; the numbers of its patterns are positions in `words`.
    automaton: Option<AhoCorasick>,
    words: Vec<(Words, u32)>,
    globs: ToolIndex,
}

#[derive(Debug)]
struct List {
    id: Arc<str>,
    exempt_scopes: Vec<String>,
    exempt_roles: Vec<String>,
}

#[derive(Debug)]
struct Pattern {
    list: usize,
    text: Arc<str>,
}

/// What a name matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocked {
    pub(crate) list: Arc<str>,
    pub(crate) pattern: Arc<str>,
}

impl Blocklists {
    pub(crate) fn compile(
        lists: &[Blocklist],
        words: &Vocabulary<'_>,
        faults: &mut Faults,
    ) -> Self {
        check_ids(faults, "blocklists", "blocklist", lists.iter().map(|list| list.id.as_str()));
        let mut compiled = Self::default();
        for (at, list) in lists.iter().enumerate() {
            let path = format!("blocklists[{at}]");
            words.check_scopes(&format!("{path}.exempt_scopes"), &list.exempt_scopes, faults);
            words.check_roles(&format!("{path}.exempt_roles"), &list.exempt_roles, faults);
            if list.patterns.is_empty() {
                faults.add(format!("{path}.patterns"), "a blocklist needs at least one pattern");
            }
            for (position, text) in list.patterns.iter().enumerate() {
                compiled.insert(at, text, &format!("{path}.patterns[{position}]"), faults);
            }
            compiled.lists.push(List {
                id: list.id.as_str().into(),
                exempt_scopes: list.exempt_scopes.clone(),
                exempt_roles: list.exempt_roles.clone(),
            });
        }
        compiled.finish(faults);
        compiled
    }

    /// The first pattern, in the order they are written, that the tool's name matches and the
    /// principal is not exempt from.
    pub(crate) fn check(&self, tool: &ToolRef, principal: &Principal) -> Result<(), Blocked> {
        let mut lowest: Option<u32> = None;
        let mut note = |number: u32| {
            if lowest.is_none_or(|lowest| number < lowest) && !self.exempts(number, principal) {
                lowest = Some(number);
            }
            false
        };
        self.find_words(tool.name().as_str(), &mut note);
        let name = folded(tool.name().as_str());
        self.globs.find(&name, &mut note);
        if tool.server().is_some() {
            self.globs.find(&folded(tool.qualified()), &mut note);
        }
        let hit = lowest.and_then(|number| {
            let pattern = self.patterns.get(number as usize)?;
            let list = self.lists.get(pattern.list)?;
            Some(Blocked { list: list.id.clone(), pattern: pattern.text.clone() })
        });
        hit.map_or(Ok(()), Err)
    }

    fn find_words(&self, name: &str, mut note: impl FnMut(u32) -> bool) {
        let (Some(openings), Some(automaton)) = (&self.openings, &self.automaton) else { return };
        if !openings.is_match(name) {
            return;
        }
        let name = Words::of(name);
        for hit in automaton.find_overlapping_iter(name.text()) {
            if let Some((pattern, number)) = self.words.get(hit.pattern().as_usize())
                && name.holds(pattern, hit.start())
            {
                note(*number);
            }
        }
    }

    fn exempts(&self, number: u32, principal: &Principal) -> bool {
        let list = self.patterns.get(number as usize).and_then(|p| self.lists.get(p.list));
        list.is_some_and(|list| {
            list.exempt_scopes.iter().any(|scope| principal.has_scope(scope))
                || list.exempt_roles.iter().any(|role| principal.has_role(role))
        })
    }

    fn insert(&mut self, list: usize, text: &str, path: &str, faults: &mut Faults) {
        let normal: String = text.nfkc().collect();
        let number = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        match Glob::parse(&normal) {
            Err(fault) => return faults.add(path, fault.to_string()),
            Ok(glob) if normal.contains(['*', '?']) => self.globs.insert(&glob.folded(), number),
            Ok(_) => {
                let words = Words::of(&normal);
                if words.text().is_empty() {
                    return faults.add(path, format!("`{text}` holds no word"));
                }
                self.words.push((words, number));
            }
        }
        self.patterns.push(Pattern { list, text: text.into() });
    }

    fn finish(&mut self, faults: &mut Faults) {
        self.globs.finish();
        if self.words.is_empty() {
            return;
        }
        let standard = || {
            let mut builder = AhoCorasick::builder();
            builder.match_kind(MatchKind::Standard);
            builder
        };
        let openings = self.words.iter().map(|(words, _)| words.opening());
        let texts = self.words.iter().map(|(words, _)| words.text());
        let built = standard()
            .ascii_case_insensitive(true)
            .build(openings)
            .and_then(|openings| Ok((openings, standard().build(texts)?)));
        match built {
            Ok((openings, texts)) => {
                (self.openings, self.automaton) = (Some(openings), Some(texts));
            }
            Err(error) => faults.add("blocklists", error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is skipped because no pattern opens in the name would not have been found either.
        #[test]
        fn openings_lose_nothing(
            pattern in "[ab1AB_]{1,5}",
            name in "[ab1AB_.]{1,8}",
        ) {
            let words = Words::of(&pattern);
            prop_assume!(!words.text().is_empty());
            let split = Words::of(&name);
            let found = split
                .text()
                .match_indices(words.text())
                .any(|(start, _)| split.holds(&words, start));
            let opens = name.to_ascii_lowercase().contains(words.opening());
            prop_assert!(!found || opens);
        }
    }
}
