//! What the rules find in one text.

mod compiled;
mod covered;
mod hints;
mod owners;
pub(super) mod pattern;
mod readings;
mod scan;

use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use self::compiled::Compiled;
use self::owners::Owners;
use self::scan::{Scan, Scope};
use super::Confidence;
use super::anchors::{Anchors, Literal};
use super::cue::Cues;
use super::quiet::is_quiet;
use super::rule::{Lead, Rule, Structure, Trigger};
use super::view::{Budget, View, ViewPath};

/// Fewest bytes a text with a secret has.
const MIN_TEXT: usize = 8;

/// Longest secret a pattern may match.
const MAX_SECRET: usize = 4096;

/// Bytes the patterns may look at for each byte of text; benign text stays far below one.
const BUDGET_FACTOR: usize = 4;

/// Bytes the patterns may look at in any text, however short.
const BUDGET_FLOOR: usize = 64 * 1024;

/// A place where a rule found a secret.
pub(super) struct Hit {
    /// Position of the rule in the engine.
    pub(super) rule: usize,
    pub(super) span: Range<usize>,
    pub(super) confidence: Confidence,
    /// The reading it was found in.
    pub(super) view: ViewPath,
    /// The secret, where it does not stand in the text as it is.
    pub(super) decoded: Option<Zeroizing<Box<str>>>,
}

impl Hit {
    /// A hit in a text as it stands.
    pub(super) fn plain(rule: usize, span: Range<usize>, confidence: Confidence) -> Self {
        Self { rule, span, confidence, view: ViewPath::PLAIN, decoded: None }
    }

    /// Keeps the secret, given the text the span stands in: it is not part of the one that was written.
    fn decode(&mut self, text: &str) {
        self.decoded = text.get(self.span.clone()).map(|secret| Zeroizing::new(secret.into()));
    }

    /// The secret, given the text it was found in.
    pub(super) fn secret<'t>(&'t self, text: &'t str) -> &'t [u8] {
        match &self.decoded {
            Some(decoded) => decoded.as_bytes(),
            None => text.as_bytes().get(self.span.clone()).unwrap_or_default(),
        }
    }

    /// First by place; at one place the surer and then the earlier rule.
    pub(super) fn order(&self) -> (usize, std::cmp::Reverse<Confidence>, usize) {
        (self.span.start, std::cmp::Reverse(self.confidence), self.rule)
    }
}

/// The compiled rules.
pub(super) struct Engine {
    rules: Vec<Compiled>,
    anchors: Anchors,
    cues: Cues,
    owners: Owners,
    structures: Structures,
    /// Stands in where there is no rule, which a hit never has.
    unknown: Arc<str>,
}

/// The positions of the rules with code of their own; `None` where disabled.
#[derive(Default)]
pub(super) struct Structures {
    pub(in crate::secret) private_key: Option<usize>,
    url_credentials: Option<usize>,
    authorization: Option<usize>,
    basic_auth: Option<usize>,
    command: Option<usize>,
    discord_bot: Option<usize>,
    scan_budget: Option<usize>,
    mnemonic: Option<usize>,
    pub(super) generic_secret: Option<usize>,
    pub(super) generic_password: Option<usize>,
}

impl Engine {
    /// Compiles `rules`; where two see one place, the earlier one names it.
    pub(super) fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules: Vec<_> = rules.into_iter().map(Compiled::new).collect();
        let literals = rules.iter().enumerate().flat_map(|(index, compiled)| {
            let literals: &[Box<str>] = match &compiled.rule.trigger {
                Trigger::Literals(literals) => literals,
                Trigger::Names(_) | Trigger::Structure(_) => &[],
            };
            let lead = match compiled.rule.lead {
                Lead::Bytes(bytes) => bytes,
                Lead::Digits => 0,
            };
            literals.iter().map(move |text| Literal { text, rule: index, lead })
        });
        let anchors = Anchors::new(literals);
        let names = rules.iter().enumerate().flat_map(|(index, compiled)| {
            let names: &[Box<str>] = match &compiled.rule.trigger {
                Trigger::Names(names) => names,
                Trigger::Literals(_) | Trigger::Structure(_) => &[],
            };
            names.iter().map(move |name| (&**name, index))
        });
        let owners = Owners::new(names);
        let structures = Structures::new(&rules);
        Self { rules, anchors, cues: Cues::new(), owners, structures, unknown: "unknown".into() }
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// Id and vendor of each rule.
    pub(super) fn rules(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.rules.iter().map(|compiled| (&compiled.rule.id, &compiled.rule.vendor))
    }

    pub(super) fn structures(&self) -> &Structures {
        &self.structures
    }

    /// Id and vendor of a rule.
    pub(super) fn describe(&self, rule: usize) -> (&Arc<str>, &Arc<str>) {
        let none = &self.unknown;
        self.rules
            .get(rule)
            .map_or((none, none), |compiled| (&compiled.rule.id, &compiled.rule.vendor))
    }

    /// Whether there is any secret in `text`, in any reading.
    pub(super) fn any(&self, text: &str) -> bool {
        let mut hits = Vec::new();
        self.hits(text, &mut hits, &mut Budget::of(text.len()));
        !hits.is_empty()
    }

    /// Adds every place of `text` with a secret to `hits`, in no order; one place may occur more than
    /// once. What other readings of it hold counts, too.
    pub(super) fn hits(&self, text: &str, hits: &mut Vec<Hit>, budget: &mut Budget) {
        if is_quiet(text.as_bytes()) {
            return;
        }
        self.look_through(text, hits, budget);
    }

    fn look_through(&self, text: &str, hits: &mut Vec<Hit>, budget: &mut Budget) {
        let mut runs = Vec::new();
        let known = hits.len();
        self.pass(text, Scope::All, hits, &mut runs);
        readings::add(self, text, ViewPath::PLAIN, &runs, known, hits, budget);
        if budget.is_overrun()
            && let Some(rule) = self.structures.scan_budget
        {
            hits.push(Hit::plain(rule, 0..text.len(), Confidence::Medium));
        }
    }

    /// The formats in a text that was put together from neighbours.
    pub(super) fn joined(&self, text: &str, budget: &mut Budget) -> Vec<Hit> {
        let mut hits = Vec::new();
        if budget.take(text.len()) {
            self.pass(text, Scope::Formats, &mut hits, &mut Vec::new());
        }
        for hit in &mut hits {
            hit.view = ViewPath::PLAIN.then(View::Joined);
            hit.decode(text);
        }
        hits
    }

    /// Adds every place of `text` as it stands with a secret to `hits`, and its runs that may be encoded
    /// to `runs`.
    #[inline]
    fn pass(&self, text: &str, scope: Scope, hits: &mut Vec<Hit>, runs: &mut Vec<Range<usize>>) {
        if text.len() >= MIN_TEXT {
            let budget = text.len().saturating_mul(BUDGET_FACTOR).saturating_add(BUDGET_FLOOR);
            Scan::new(self, text.as_bytes(), scope, hits, runs, budget).run();
        }
    }

    /// The first vendor rule for values with this [normalised](super::name::normalised) name that covers
    /// `value`. With `near`, that is all there is to tell that it is a secret.
    pub(super) fn owner(&self, name: &str, value: &[u8], near: bool) -> Option<usize> {
        self.owners.find(name, |rule| {
            let rule = self.rules.get(rule);
            rule.is_some_and(|compiled| (!near || compiled.rule.near) && compiled.is_whole(value))
        })
    }
}

impl Structures {
    fn new(rules: &[Compiled]) -> Self {
        let mut structures = Self::default();
        for (index, compiled) in rules.iter().enumerate() {
            let Trigger::Structure(structure) = compiled.rule.trigger else { continue };
            let slot = match structure {
                Structure::PrivateKey => &mut structures.private_key,
                Structure::UrlCredentials => &mut structures.url_credentials,
                Structure::AuthorizationHeader => &mut structures.authorization,
                Structure::BasicAuth => &mut structures.basic_auth,
                Structure::CommandPassword => &mut structures.command,
                Structure::DiscordBotToken => &mut structures.discord_bot,
                Structure::GenericSecret => &mut structures.generic_secret,
                Structure::GenericPassword => &mut structures.generic_password,
                Structure::MnemonicPhrase => &mut structures.mnemonic,
                Structure::ScanBudget => &mut structures.scan_budget,
            };
            slot.get_or_insert(index);
        }
        structures
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::secret::Scanner;
    use crate::secret::cue::WORDS;
    use crate::secret::tests::scanner;

    /// What short texts with a secret are made of.
    fn part() -> impl Strategy<Value = String> {
        let words: Vec<String> = WORDS.iter().map(|(word, _)| (*word).to_owned()).collect();
        prop_oneof![
            prop::sample::select(words),
            "[a-zA-Z0-9]{1,9}",
            "[ =:>(|/@!.+_-]{1,2}",
            prop::sample::select(vec![
                "user:pw1@h",
                "dXNlcjpwYXNz",
                "hunter2!",
                "login x ",
                "g h p _ 1 "
            ])
            .prop_map(str::to_owned),
        ]
    }

    static SCANNER: LazyLock<Scanner> = LazyLock::new(scanner);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]
        #[test]
        fn what_is_quiet_at_a_glance_holds_nothing(parts in prop::collection::vec(part(), 1..8)) {
            let text = parts.concat();
            if is_quiet(text.as_bytes()) {
                let mut hits = Vec::new();
                SCANNER.engine().look_through(&text, &mut hits, &mut Budget::of(text.len()));
                prop_assert!(hits.is_empty(), "{}", text);
            }
        }
    }
}
