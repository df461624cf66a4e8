use systemprompt_core::call::ToolRef;
use systemprompt_core::policy::{
    SecretAction, SecretActionRule, SecretConfidence, SecretDirection,
};

use super::super::fault::Faults;
use super::super::glob::Glob;
use super::super::scope::globs;
use super::{Known, Place, any, any_tool};
use crate::secret::Finding;

/// What is done about some findings.
#[derive(Debug)]
pub(super) struct ActionRule {
    pub(super) action: SecretAction,
    pub(super) bind: Bind,
    rules: Vec<Glob>,
    vendors: Vec<Box<str>>,
    /// Case-folded, as the tools they are compared with.
    tools: Vec<Glob>,
    directions: Vec<SecretDirection>,
    least: SecretConfidence,
}

/// Which tools get back what stands behind a handle.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Bind {
    /// Those of the server the value came from or went to, or the tool itself where there is no server.
    Origin,
    /// Those with names that one of the patterns matches.
    Tools(Vec<Glob>),
}

impl Bind {
    pub(crate) const ORIGIN: &'static Self = &Self::Origin;

    /// Whether `tool` is bound to a value that `origin` had.
    pub(crate) fn covers(&self, origin: Option<&ToolRef>, tool: &ToolRef) -> bool {
        match self {
            Self::Tools(patterns) => patterns.iter().any(|one| one.matches(tool.qualified())),
            Self::Origin => origin.is_some_and(|origin| match (origin.server(), tool.server()) {
                (Some(one), Some(other)) => one == other,
                (None, None) => origin == tool,
                _ => false,
            }),
        }
    }
}

impl ActionRule {
    pub(super) fn compile_all(
        rules: &[SecretActionRule],
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Vec<Self> {
        let mut compiled: Vec<Self> = Vec::with_capacity(rules.len());
        for (at, rule) in rules.iter().enumerate() {
            let path = format!("secrets.actions[{at}]");
            let next = Self::compile(rule, &path, known, faults);
            if let Some(earlier) = compiled.iter().position(|earlier| earlier.takes_all_of(&next)) {
                faults.add(
                    &path,
                    format!("is never reached: secrets.actions[{earlier}] covers all of it"),
                );
            }
            compiled.push(next);
        }
        compiled
    }

    fn compile(
        rule: &SecretActionRule,
        path: &str,
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Self {
        if rule.action != SecretAction::Tokenise && !rule.bind.is_empty() {
            faults.add(format!("{path}.bind"), "only `tokenise` binds tools");
        }
        let bound = globs(&format!("{path}.bind"), &rule.bind, false, faults);
        Self {
            action: rule.action,
            bind: if bound.is_empty() { Bind::Origin } else { Bind::Tools(bound) },
            rules: known.rules(&format!("{path}.rules"), &rule.rules, faults),
            vendors: known.vendors(&format!("{path}.vendors"), &rule.vendors, faults),
            tools: globs(&format!("{path}.tools"), &rule.tools, true, faults),
            directions: rule.directions.clone(),
            least: rule.min_confidence.unwrap_or(SecretConfidence::Medium),
        }
    }

    pub(super) fn covers(&self, finding: &Finding, place: Place<'_>) -> bool {
        self.may_cover(&finding.rule, place)
            && finding.confidence >= self.least
            && (self.vendors.is_empty()
                || self.vendors.iter().any(|vendor| vendor.eq_ignore_ascii_case(&finding.vendor)))
    }

    /// Whether the action may count for findings of the rule, as far as that can be told by the rule.
    pub(super) fn may_cover(&self, rule: &str, place: Place<'_>) -> bool {
        let tool = place.tool.map(str::to_ascii_lowercase);
        any(&self.rules, rule)
            && any_tool(&self.tools, tool.as_deref())
            && (self.directions.is_empty() || self.directions.contains(&place.direction))
    }

    /// Whether the rule of a finding tells all that the action depends on.
    pub(super) fn is_by_rule(&self) -> bool {
        self.vendors.is_empty() && self.least == SecretConfidence::Medium
    }

    /// Whether nothing is left for `later`.
    fn takes_all_of(&self, later: &Self) -> bool {
        let directions = |rule: &Self| match rule.directions.is_empty() {
            true => SecretDirection::ALL.to_vec(),
            false => rule.directions.clone(),
        };
        let mine = directions(self);
        (self.rules.is_empty() || self.rules == later.rules)
            && (self.vendors.is_empty() || self.vendors == later.vendors)
            && (self.tools.is_empty() || self.tools == later.tools)
            && self.least <= later.least
            && directions(later).iter().all(|direction| mine.contains(direction))
    }
}
