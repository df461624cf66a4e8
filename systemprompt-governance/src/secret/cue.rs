//! The few words that announce what is too short, or too long, to be found as a run.

use std::ops::ControlFlow;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, MatchKind};

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
    /// A word for the phrase of a purse.
    Phrase,
}

const WORDS: &[(&str, Cue)] = &[
    ("://", Cue::Url),
    ("-----BEGIN ", Cue::Armour),
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
    ("nemonic", Cue::Phrase),
    ("NEMONIC", Cue::Phrase),
    ("seed", Cue::Phrase),
    ("SEED", Cue::Phrase),
    (" phrase", Cue::Phrase),
    ("_PHRASE", Cue::Phrase),
];

/// Finds the words, vectorised where the machine can.
pub(super) struct Cues(Search);

enum Search {
    Vector(Searcher),
    Automaton(Option<AhoCorasick>),
}

impl Cues {
    pub(super) fn new() -> Self {
        let words = WORDS.iter().map(|(word, _)| word);
        Self(match Searcher::new(words.clone()) {
            Some(searcher) => Search::Vector(searcher),
            None => Search::Automaton(
                AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(words).ok(),
            ),
        })
    }

    /// Calls `found(cue, start, end)` for every word, until it breaks. `false` when the search itself is
    /// unavailable.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(Cue, usize, usize) -> ControlFlow<()>,
    ) -> bool {
        let mut report = |pattern: usize, start, end| match WORDS.get(pattern) {
            Some((_, cue)) => found(*cue, start, end),
            None => ControlFlow::Continue(()),
        };
        match &self.0 {
            Search::Vector(searcher) => {
                let _ = searcher.find_iter(bytes).try_for_each(|word| {
                    report(word.pattern().as_usize(), word.start(), word.end())
                });
                true
            }
            Search::Automaton(Some(automaton)) => {
                let _ = automaton.find_iter(bytes).try_for_each(|word| {
                    report(word.pattern().as_usize(), word.start(), word.end())
                });
                true
            }
            Search::Automaton(None) => false,
        }
    }
}
