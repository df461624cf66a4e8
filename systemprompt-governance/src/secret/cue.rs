//! The few words that announce what is too short, or too long, to be found as a run.

use std::ops::ControlFlow;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, Match, MatchKind, Span};

/// What a word announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cue {
    /// The authority of a URL.
    Url,
    /// An armoured key.
    Armour,
    /// A PuTTY key file.
    Putty,
    /// A name such as `password`.
    Name,
    /// A bearer token.
    Bearer,
    /// Basic authentication.
    Basic,
    /// A program that takes a user and a password.
    Client,
    /// A program that takes a password.
    Prompter,
    /// A program that takes a password without a space before it.
    Database,
    /// A word for the phrase of a purse.
    Phrase,
}

pub(super) const WORDS: &[(&str, Cue)] = &[
    ("://", Cue::Url),
    ("-BEGIN ", Cue::Armour),
    ("PuTTY-User-Key-File-", Cue::Putty),
    ("assw", Cue::Name),
    ("ASSW", Cue::Name),
    ("pwd", Cue::Name),
    ("Pwd", Cue::Name),
    ("PWD", Cue::Name),
    ("assphrase", Cue::Name),
    ("ASSPHRASE", Cue::Name),
    ("ecret", Cue::Name),
    ("ECRET", Cue::Name),
    ("_pass", Cue::Name),
    ("_PASS", Cue::Name),
    ("pass=", Cue::Name),
    ("pass:", Cue::Name),
    ("PASS=", Cue::Name),
    ("pass\"", Cue::Name),
    ("earer ", Cue::Bearer),
    ("EARER ", Cue::Bearer),
    ("asic ", Cue::Basic),
    ("BASIC ", Cue::Basic),
    ("curl ", Cue::Client),
    ("sshpass ", Cue::Prompter),
    ("docker login ", Cue::Prompter),
    ("mysql ", Cue::Database),
    ("mysqldump ", Cue::Database),
    ("mysqladmin ", Cue::Database),
    ("nemonic", Cue::Phrase),
    ("NEMONIC", Cue::Phrase),
    ("seed", Cue::Phrase),
    ("SEED", Cue::Phrase),
    (" phrase", Cue::Phrase),
    ("_PHRASE", Cue::Phrase),
];

/// Words as near to each other as this are looked for one byte at a time: a search in vectors takes its time
/// to begin.
const DENSE: usize = 24;

/// Bytes that are looked at one at a time before vectors are tried again.
const WINDOW: usize = 96;

/// Longest word.
const LONGEST: usize = 20;

/// Finds the words.
pub(super) struct Cues {
    /// Where the machine can.
    vector: Option<Searcher>,
    automaton: Option<AhoCorasick>,
}

impl Cues {
    pub(super) fn new() -> Self {
        let words = WORDS.iter().map(|(word, _)| word);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .prefilter(false)
            .build(words.clone());
        Self { vector: Searcher::new(words), automaton: automaton.ok() }
    }

    /// The first word from `from` on; `dense` says that another one was near.
    fn next(&self, bytes: &[u8], from: usize, dense: bool) -> Option<Match> {
        let all = Span::from(from..bytes.len());
        match (&self.vector, &self.automaton) {
            (Some(vector), Some(automaton)) if dense => {
                let end = bytes.len().min(from + WINDOW);
                let near = automaton.find(Input::new(bytes).span(from..end));
                // What begins before it may end behind the window.
                near.filter(|word| end == bytes.len() || word.end() + LONGEST <= end)
                    .or_else(|| vector.find_in(bytes, all))
            }
            (Some(vector), _) => vector.find_in(bytes, all),
            (None, Some(automaton)) => automaton.find(Input::new(bytes).span(all)),
            (None, None) => None,
        }
    }

    /// Calls `found(cue, start, end)` for every word, until it breaks; it says where to go on. `false` when
    /// the search itself is unavailable.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(Cue, usize, usize) -> ControlFlow<(), usize>,
    ) -> bool {
        if self.vector.is_none() && self.automaton.is_none() {
            return false;
        }
        let (mut from, mut dense) = (0, false);
        while let Some(word) = self.next(bytes, from, dense) {
            dense = word.start() < from + DENSE;
            let Some((_, cue)) = WORDS.get(word.pattern().as_usize()) else { break };
            match found(*cue, word.start(), word.end()) {
                ControlFlow::Continue(next) => from = next.max(word.end()),
                ControlFlow::Break(()) => break,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_searches_find_the_same() {
        assert_eq!(WORDS.iter().map(|(word, _)| word.len()).max(), Some(LONGEST));
        let cues = Cues::new();
        let mut state = 7_u32;
        for _ in 0..300 {
            let mut text = String::new();
            while text.len() < 400 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 16) as usize;
                text.push_str(WORDS[at % WORDS.len()].0);
                text.push_str(&"PuTTY-User-Key-File pass".repeat(9)[..at % 97]);
            }
            let find = |cues: &Cues| {
                let mut found = Vec::new();
                cues.find(text.as_bytes(), |cue, start, end| {
                    found.push((cue, start, end));
                    ControlFlow::Continue(0)
                });
                found
            };
            let plain = Cues { vector: None, automaton: cues.automaton.clone() };
            assert_eq!(find(&cues), find(&plain), "{text}");
        }
    }
}
