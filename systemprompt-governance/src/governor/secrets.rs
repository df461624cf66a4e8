//! What is done about the secrets in a document.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashSet;
use systemprompt_core::call::{CallKind, Door, Node, ToolCall, ToolRef};
use systemprompt_core::decision::DenialReason;
use systemprompt_core::policy::SecretAction;
use systemprompt_core::principal::Principal;

use crate::handle::Handles;
use crate::policy::secrets::{Judged, Place, Secrets};
use crate::secret::{Confidence, Finding, Found, SCAN_BUDGET, Scanner, Spot, rewritten, spots};

/// How often what is left of a document is looked through again: what was taken out may have kept other
/// things apart.
const ROUNDS: usize = 4;

/// Most findings that the record of a check spells out.
const SPELLED_OUT: usize = 8;

/// What a document is looked through with, and for whom.
pub(crate) struct Treatment<'t> {
    pub(crate) scanner: &'t Scanner,
    pub(crate) secrets: &'t Secrets,
    pub(crate) handles: &'t Handles,
    pub(crate) principal: &'t Principal,
    /// The tool it goes to or comes from.
    pub(crate) tool: Option<&'t ToolRef>,
    pub(crate) place: Place<'t>,
    /// Whether something else can be put where a secret is.
    pub(crate) rewritable: bool,
    /// On the monotonic clock of the governor.
    pub(crate) now: Duration,
}

/// A document that was looked through.
#[derive(Debug, Default)]
pub(crate) struct Treated {
    /// Why it goes no further.
    pub(crate) denial: Option<DenialReason>,
    /// What goes on in its place.
    pub(crate) root: Option<Node>,
    /// What was found, with what was done about it.
    pub(crate) noted: Vec<Noted>,
}

/// A finding, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Noted {
    pub(crate) finding: Finding,
    pub(crate) done: Done,
}

/// What was done about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Done {
    /// Nothing: its rule is not used.
    Disabled,
    /// Nothing, by this exemption.
    Exempt(Arc<str>),
    Act(SecretAction),
}

impl<'t> Treatment<'t> {
    /// That of the arguments of a call.
    pub(super) fn of_call(
        call: &'t ToolCall,
        (scanner, secrets, handles): (&'t Scanner, &'t Secrets, &'t Handles),
        now: Duration,
    ) -> Self {
        let prompt = call.kind() == CallKind::Prompt;
        Self {
            scanner,
            secrets,
            handles,
            principal: call.principal(),
            tool: (!prompt).then_some(call.tool()),
            place: Place::of_call(call),
            // A hook can only stop a prompt: what its client submits cannot be changed.
            rewritable: !(prompt && call.door() == Door::Hook),
            now,
        }
    }

    /// Looks through a document and does what the policy says.
    pub(crate) fn apply(&self, root: &Node) -> Treated {
        let mut treated = Treated::default();
        let mut known = HashSet::new();
        for _ in 0..ROUNDS {
            let now = treated.root.as_ref().unwrap_or(root);
            let spots = spots(self.scanner, now);
            let mut edits = Vec::new();
            for spot in &spots {
                let Some(verdict) = self.judge(spot) else { continue };
                if let Some(text) = self.replacement(spot, now, &verdict) {
                    edits.push((spot, text));
                }
                let noted = verdict.noted();
                if noted.done == Done::Act(SecretAction::Deny) {
                    treated.denial = Some(reason(&noted.finding));
                    treated.noted.push(noted);
                    return treated;
                }
                if known.insert(noted.clone()) {
                    treated.noted.push(noted);
                }
            }
            if edits.is_empty() {
                return treated;
            }
            treated.root = Some(rewritten(now, &edits));
        }
        // Whatever it is that never comes to an end, it does not go on.
        treated.denial = treated.noted.last().map(|noted| reason(&noted.finding));
        treated
    }

    /// The places of a text with secrets, and what the policy says about each.
    pub(super) fn in_text(&self, text: &str) -> Vec<TextSpot> {
        let root = Node::String(text.into());
        let mut found = Vec::new();
        for spot in spots(self.scanner, &root) {
            let (Some(verdict), Some(span)) = (self.judge(&spot), spot.span()) else { continue };
            let replacement = self.replacement(&spot, &root, &verdict);
            found.push(TextSpot { span, noted: verdict.noted(), replacement });
        }
        found
    }

    /// What the policy says about a place: the strictest that counts for any of its findings.
    fn judge<'s>(&'s self, spot: &'s Spot) -> Option<Verdict<'s>> {
        let judged = |found: &'s Found| Verdict {
            found,
            judged: self.secrets.judge(&found.finding, self.place),
        };
        let verdicts: Vec<Verdict<'s>> = spot.found.iter().map(judged).collect();
        let excuses = Excuses::of(&verdicts);
        let counts = verdicts.iter().filter(|verdict| verdict.action().is_some());
        let counts = counts.filter(|verdict| !excuses.cover(verdict));
        // The first of the strictest.
        let strictest = counts.rev().max_by_key(|verdict| verdict.action());
        let left_alone = || verdicts.iter().find(|verdict| verdict.action().is_none());
        strictest.or_else(left_alone).map(|verdict| Verdict {
            judged: match verdict.judged {
                Judged::Act(action, bind) => Judged::Act(self.possible(action), bind),
                excused => excused,
            },
            ..*verdict
        })
    }

    /// What is done where `action` cannot be.
    fn possible(&self, action: SecretAction) -> SecretAction {
        match action {
            SecretAction::Redact | SecretAction::Tokenise if !self.rewritable => SecretAction::Deny,
            action => action,
        }
    }

    /// What stands in the place of a secret from here on, if anything.
    fn replacement(&self, spot: &Spot, root: &Node, verdict: &Verdict<'_>) -> Option<String> {
        let redacted = || format!("[redacted:{}]", verdict.found.finding.rule);
        match verdict.judged {
            Judged::Act(SecretAction::Redact, _) => Some(redacted()),
            Judged::Act(SecretAction::Tokenise, bind) => {
                let value = spot.written(root);
                let bound = (bind, self.tool);
                let handle = value
                    .and_then(|value| self.handles.mint(value, self.principal, bound, self.now));
                Some(handle.unwrap_or_else(redacted))
            }
            Judged::Act(SecretAction::Flag | SecretAction::Deny, _)
            | Judged::Disabled
            | Judged::Exempt(_) => None,
        }
    }
}

/// A place of a text with a secret.
pub(super) struct TextSpot {
    /// Its bytes.
    pub(super) span: Range<usize>,
    pub(super) noted: Noted,
    /// What stands there from here on, if not the secret.
    pub(super) replacement: Option<String>,
}

/// A finding, and what the policy says about it.
#[derive(Clone, Copy)]
struct Verdict<'v> {
    found: &'v Found,
    judged: Judged<'v>,
}

impl Verdict<'_> {
    fn action(&self) -> Option<SecretAction> {
        match self.judged {
            Judged::Act(action, _) => Some(action),
            Judged::Disabled | Judged::Exempt(_) => None,
        }
    }

    fn noted(&self) -> Noted {
        let done = match self.judged {
            Judged::Disabled => Done::Disabled,
            Judged::Exempt(id) => Done::Exempt(Arc::clone(id)),
            Judged::Act(action, _) => Done::Act(action),
        };
        Noted { finding: self.found.finding.clone(), done }
    }
}

/// What the policy leaves alone among the findings of a place.
struct Excuses {
    /// For each confidence, where findings that are at least as sure begin, and how far those that begin
    /// there or before reach.
    reach: [(Confidence, Vec<(usize, usize)>); 3],
}

impl Excuses {
    /// The verdicts are in the order of their places.
    fn of(verdicts: &[Verdict<'_>]) -> Self {
        let reach = |least: Confidence| {
            let mut until = 0;
            let alone = verdicts.iter().filter(|verdict| verdict.action().is_none());
            let sure = alone.filter(|verdict| verdict.found.finding.confidence >= least);
            let far = sure.map(|verdict| {
                until = until.max(verdict.found.span.end);
                (verdict.found.span.start, until)
            });
            (least, far.collect())
        };
        Self { reach: [Confidence::Medium, Confidence::High, Confidence::Certain].map(reach) }
    }

    /// Whether a finding does not count since the policy leaves one alone that is as sure and covers all of it.
    fn cover(&self, verdict: &Verdict<'_>) -> bool {
        let Found { finding, span } = verdict.found;
        let as_sure = self.reach.iter().find(|(least, _)| *least == finding.confidence);
        let Some((_, reach)) = as_sure else { return false };
        let before = reach.partition_point(|(start, _)| *start <= span.start).checked_sub(1);
        before.and_then(|at| reach.get(at)).is_some_and(|(_, until)| *until >= span.end)
    }
}

impl Noted {
    /// What the record of a check says about it; `None` for what is as if it had not been found.
    fn describe(&self) -> Option<String> {
        let Finding { rule, location, .. } = &self.finding;
        let at = location.as_str();
        match &self.done {
            Done::Disabled => None,
            Done::Exempt(id) => Some(format!("{rule} at {at} is exempt by `{id}`")),
            Done::Act(action) => Some(format!("{} {rule} at {at}", action.as_str())),
        }
    }
}

impl Treated {
    /// What the record of a check says.
    pub(crate) fn describe(&self) -> Option<String> {
        let mut said: Vec<_> = self.noted.iter().filter_map(Noted::describe).collect();
        let more = said.len().saturating_sub(SPELLED_OUT);
        said.truncate(SPELLED_OUT);
        if more > 0 {
            said.push(format!("{more} more"));
        }
        (!said.is_empty()).then(|| said.join("; "))
    }

    /// The ids of the rules that found something, each once, in the order of the document.
    pub(super) fn rules(&self) -> Vec<Arc<str>> {
        rules_that_found(self.noted.iter().map(|noted| &noted.finding))
    }
}

/// Why something with this finding in it goes no further.
pub(super) fn reason(finding: &Finding) -> DenialReason {
    let Finding { rule, location, fingerprint, .. } = finding;
    if **rule == *SCAN_BUDGET {
        return DenialReason::ScanBudgetExceeded { location: location.clone() };
    }
    DenialReason::SecretDetected {
        rule: Arc::clone(rule),
        location: location.clone(),
        fingerprint: fingerprint.clone(),
    }
}

/// The ids of the rules behind `findings`, each once, in the order of the document.
pub(super) fn rules_that_found<'f>(
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Vec<Arc<str>> {
    let mut rules: Vec<Arc<str>> = Vec::new();
    for finding in findings {
        if !rules.contains(&finding.rule) {
            rules.push(Arc::clone(&finding.rule));
        }
    }
    rules
}
