use std::sync::OnceLock;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};

use super::{MAX_SECRET, pattern};
use crate::secret::rule::{Rule, Trigger};
use crate::secret::value::{distinct, entropy, is_blank};

/// A rule with its pattern.
pub(super) struct Compiled {
    pub(super) rule: Rule,
    /// Built when first needed: most processes meet a few of the formats only.
    pattern: OnceLock<Option<Regex>>,
}

impl Compiled {
    pub(super) fn new(rule: Rule) -> Self {
        Self { rule, pattern: OnceLock::new() }
    }

    /// How long the literal is that a secret starts with.
    pub(super) fn literal_len(&self, secret: &[u8]) -> usize {
        let Trigger::Literals(literals) = &self.rule.trigger else { return 0 };
        let present = literals.iter().filter(|literal| secret.starts_with(literal.as_bytes()));
        present.map(|literal| literal.len()).max().unwrap_or(0)
    }

    /// Where the match that starts at `start` ends. A pattern that cannot be built matches everything.
    pub(super) fn end(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let limit = bytes.len().min(start + MAX_SECRET);
        match self.pattern.get_or_init(|| self.build()) {
            Some(regex) => {
                let input = Input::new(bytes).range(start..limit).anchored(Anchored::Yes);
                regex.search(&input).map(|found| found.end())
            }
            None => Some(limit),
        }
    }

    fn build(&self) -> Option<Regex> {
        let pattern = &self.rule.pattern;
        match self.rule.trigger {
            // The first alternative that matches may be one that does not match all.
            Trigger::Names(_) => pattern::build(&format!(r"(?:{pattern})\z")).ok(),
            Trigger::Literals(_) | Trigger::Structure(_) => pattern::build(pattern).ok(),
        }
    }

    /// Whether the pattern matches all of `value`, which is varied enough.
    pub(super) fn is_whole(&self, value: &[u8]) -> bool {
        self.is_varied(value) && self.end(value, 0) == Some(value.len())
    }

    /// Whether the variable part of a secret varies as much as the rule asks.
    pub(super) fn is_varied(&self, variable: &[u8]) -> bool {
        let rule = &self.rule;
        (!rule.digit || variable.iter().any(u8::is_ascii_digit))
            && distinct(variable) >= rule.distinct
            && (rule.entropy <= 0.0 || entropy(variable) >= rule.entropy)
            && !is_blank(variable)
    }
}
