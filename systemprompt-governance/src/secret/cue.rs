//! The few words that announce what is too short, or too long, to be found as a run.

use std::ops::ControlFlow;

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, Input, MatchKind, Span};

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

    /// Calls `found(cue, start, end)` for every word, until it breaks; it says where to go on. `false` when
    /// the search itself is unavailable.
    pub(super) fn find(
        &self,
        bytes: &[u8],
        mut found: impl FnMut(Cue, usize, usize) -> ControlFlow<(), usize>,
    ) -> bool {
        let mut from = 0;
        while from < bytes.len() {
            let span = Span::from(from..bytes.len());
            let word = match &self.0 {
                Search::Vector(searcher) => searcher.find_in(bytes, span),
                Search::Automaton(Some(automaton)) => automaton.find(Input::new(bytes).span(span)),
                Search::Automaton(None) => return false,
            };
            let Some(word) = word else { break };
            let Some((_, cue)) = WORDS.get(word.pattern().as_usize()) else { break };
            match found(*cue, word.start(), word.end()) {
                ControlFlow::Continue(next) => from = next.max(word.end()),
                ControlFlow::Break(()) => break,
            }
        }
        true
    }
}
