//! What is done about secrets: actions, exemptions, and the formats of the organisation's own.

mod action;
mod exemption;
mod field;
mod own;

use std::sync::Arc;

use systemprompt_core::call::{CallKind, ToolCall};
use systemprompt_core::policy::{SecretAction, SecretDirection, SecretPolicy};

use self::action::ActionRule;
pub(crate) use self::action::Bind;
use self::exemption::Exemption;
pub(crate) use self::own::OwnRules;
use super::KnownIds;
use super::compile::check_known;
use super::fault::Faults;
use super::glob::Glob;
use super::scope::globs;
use crate::secret::{CANARY, Finding, SCAN_BUDGET};

/// The compiled `secrets` section.
#[derive(Debug)]
pub(crate) struct Secrets {
    enabled: bool,
    disabled: Vec<String>,
    actions: Vec<ActionRule>,
    exemptions: Vec<Exemption>,
    own: OwnRules,
}

/// What a text is that a secret was found in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'t> {
    /// The qualified name of the tool it goes to or comes from, if any.
    pub(crate) tool: Option<&'t str>,
    pub(crate) direction: SecretDirection,
}

impl<'t> Place<'t> {
    /// The arguments of a call, or the prompt that it stands for.
    pub(crate) fn of_call(call: &'t ToolCall) -> Self {
        match call.kind() {
            CallKind::Tool => {
                Self { tool: Some(call.tool().qualified()), direction: SecretDirection::Call }
            }
            CallKind::Prompt => Self { tool: None, direction: SecretDirection::Prompt },
        }
    }
}

/// What a policy says about a finding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Judged<'p> {
    /// Its rule is not used.
    Disabled,
    /// It does not count, by the exemption of this id.
    Exempt(&'p Arc<str>),
    /// This is done about it.
    Act(SecretAction, &'p Bind),
}

impl Secrets {
    pub(super) fn compile(document: &SecretPolicy, known: &KnownIds, faults: &mut Faults) -> Self {
        let own = OwnRules::compile(document, &known.secret_rules, faults);
        let mut rules = known.secret_rules.clone();
        rules.extend(own.ids());
        let mut vendors = known.secret_vendors.clone();
        vendors.extend(own.vendors());
        check_known(
            "secrets.disabled_rules",
            "secret rule",
            &document.disabled_rules,
            &known.secret_rules,
            faults,
        );
        for (at, id) in document.disabled_rules.iter().enumerate() {
            if id == SCAN_BUDGET {
                faults.add(
                    format!("secrets.disabled_rules[{at}]"),
                    format!(
                        "`{SCAN_BUDGET}` says that a text was not read to its end, and stays on"
                    ),
                );
            }
        }
        let known = Known { rules: &rules, vendors: &vendors };
        Self {
            enabled: document.enabled,
            disabled: document.disabled_rules.clone(),
            actions: ActionRule::compile_all(&document.actions, &known, faults),
            exemptions: Exemption::compile_all(&document.exemptions, &known, faults),
            own,
        }
    }

    /// `None` when the secret check is off, else the rules whose findings do not count.
    pub(super) fn disabled_rules(&self) -> Option<&[String]> {
        self.enabled.then_some(&self.disabled)
    }

    pub(crate) fn own(&self) -> &OwnRules {
        &self.own
    }

    /// What is done about `finding`.
    pub(crate) fn judge(&self, finding: &Finding, place: Place<'_>) -> Judged<'_> {
        if is_beyond_appeal(&finding.rule) {
            return Judged::Act(SecretAction::Deny, Bind::ORIGIN);
        }
        if self.disabled.iter().any(|disabled| **disabled == *finding.rule) {
            return Judged::Disabled;
        }
        if let Some(exemption) = self.exemptions.iter().find(|one| one.covers(finding, place)) {
            return Judged::Exempt(&exemption.id);
        }
        let rule = self.actions.iter().find(|rule| rule.covers(finding, place));
        rule.map_or(Judged::Act(by_default(place.direction), Bind::ORIGIN), |rule| {
            Judged::Act(rule.action, &rule.bind)
        })
    }

    /// Whether a finding of the rule in the arguments of a call denies it; `None` where that depends on
    /// more than the record of a call tells.
    pub(crate) fn denies(&self, rule: &str, place: Place<'_>) -> Option<bool> {
        if is_beyond_appeal(rule) {
            return Some(true);
        }
        if self.disabled.iter().any(|disabled| disabled == rule) {
            return Some(false);
        }
        if self.exemptions.iter().any(|exemption| exemption.may_cover(rule, place)) {
            return None;
        }
        let action = self.actions.iter().find(|action| action.may_cover(rule, place));
        match action {
            None => Some(by_default(place.direction) == SecretAction::Deny),
            Some(action) if action.is_by_rule() => Some(action.action == SecretAction::Deny),
            Some(_) => None,
        }
    }
}

/// Whether neither an action nor an exemption counts: a text that was not read to its end, and proof that
/// data was taken.
fn is_beyond_appeal(rule: &str) -> bool {
    rule == SCAN_BUDGET || rule.starts_with(CANARY)
}

/// What is done where the policy says nothing.
fn by_default(direction: SecretDirection) -> SecretAction {
    match direction {
        SecretDirection::Call | SecretDirection::Prompt => SecretAction::Deny,
        SecretDirection::Result
        | SecretDirection::Description
        | SecretDirection::Answer
        | SecretDirection::History => SecretAction::Redact,
    }
}

/// What the section may refer to.
struct Known<'k> {
    rules: &'k std::collections::BTreeSet<Arc<str>>,
    vendors: &'k std::collections::BTreeSet<Arc<str>>,
}

impl Known<'_> {
    /// Patterns of rule ids, each of which matches one that there is.
    fn rules(&self, path: &str, texts: &[String], faults: &mut Faults) -> Vec<Glob> {
        let patterns = globs(path, texts, false, faults);
        for (at, text) in texts.iter().enumerate() {
            let Ok(pattern) = Glob::parse(text) else { continue };
            if !self.rules.iter().any(|rule| pattern.matches(rule)) {
                let known = self.rules.iter().map(|rule| &**rule);
                faults.unknown(format!("{path}[{at}]"), "secret rule", text, known);
            }
        }
        patterns
    }

    fn vendors(&self, path: &str, texts: &[String], faults: &mut Faults) -> Vec<Box<str>> {
        for (at, text) in texts.iter().enumerate() {
            if !self.vendors.iter().any(|vendor| vendor.eq_ignore_ascii_case(text)) {
                let known = self.vendors.iter().map(|vendor| &**vendor);
                faults.unknown(format!("{path}[{at}]"), "vendor", text, known);
            }
        }
        texts.iter().map(|text| text.as_str().into()).collect()
    }
}

/// Whether one of the patterns matches; none match everything.
fn any(patterns: &[Glob], text: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(text))
}

/// Whether one of the patterns matches a tool; none match everything, also what has to do with no tool.
fn any_tool(patterns: &[Glob], tool: Option<&str>) -> bool {
    patterns.is_empty() || tool.is_some_and(|tool| any(patterns, tool))
}
