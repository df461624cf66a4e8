//! What goes past the tool calls themselves: results, descriptions, answers, the turns of a conversation.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::{Value, json};
use systemprompt_core::call::{Arguments, CallContext, Door, Node, ToolRef};
use systemprompt_core::decision::DenialReason;
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::id::{EventId, TraceId};
use systemprompt_core::policy::{SecretAction, SecretDirection};
use systemprompt_core::principal::Principal;

use super::in_force::InForce;
use super::secrets::{Done, Noted, Treated, Treatment};
use super::{Governor, Inner};
use crate::policy::secrets::Place;
use crate::record;
use crate::secret::Finding;

/// Most findings that one event spells out.
const RECORDED: usize = 64;

/// A text on its way, with its circumstances. Nothing here grants anything.
#[derive(Debug, Clone, Copy)]
pub struct Content<'c> {
    /// Which way it goes.
    pub direction: SecretDirection,
    /// On whose behalf.
    pub principal: &'c Principal,
    /// The tool it comes from, if any.
    pub tool: Option<&'c ToolRef>,
    /// The door.
    pub door: Door,
    /// The call or conversation it belongs to.
    pub context: &'c CallContext,
    /// The text.
    pub body: ContentBody<'c>,
}

/// A text as it came.
#[derive(Debug, Clone, Copy)]
pub enum ContentBody<'c> {
    /// Plain text.
    Text(&'c str),
    /// JSON, whose strings and keys are searched. What is no JSON, or larger or deeper than arguments may be,
    /// is searched as text.
    Json(&'c str),
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether it goes on, and as what.
    pub verdict: ContentVerdict,
    /// What was found in it, in order.
    pub findings: Vec<ContentFinding>,
}

/// Whether a text goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentVerdict {
    /// As it came.
    Pass,
    /// With something else in the place of its secrets.
    Rewritten(String),
    /// Not at all.
    Withheld(DenialReason),
}

/// A secret in a text, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentFinding {
    /// The secret.
    pub finding: Finding,
    /// What was done; `None` when it does not count.
    pub action: Option<SecretAction>,
    /// The exemption because of which it does not count.
    pub exemption: Option<Arc<str>>,
}

impl Governor {
    /// Does what the policy says about the secrets in a text. Where something was found, the record of it is
    /// durable on return; without a record the text is withheld.
    pub async fn inspect(&self, content: Content<'_>) -> Inspection {
        let inner = &*self.0;
        let in_force = inner.current.load();
        if !in_force.policy.looks_for_secrets() || in_force.knows_as_clean(content.body) {
            return Inspection::pass();
        }
        let look = || inner.look_through(&in_force, content);
        let Ok((treated, rewritten)) = catch_unwind(AssertUnwindSafe(look)) else {
            return Inspection::withheld(DenialReason::CheckFailed { check: "secret".into() });
        };
        if treated.noted.is_empty() {
            in_force.remember_as_clean(content.body);
            return Inspection::pass();
        }
        inner.conclude_inspection(&in_force, content, treated, rewritten).await
    }
}

impl Inner {
    fn look_through(&self, in_force: &InForce, content: Content<'_>) -> (Treated, Option<String>) {
        let treatment = self.treatment(in_force, content);
        match content.body {
            ContentBody::Json(text) => match Arguments::parse(text.to_owned()) {
                Ok(document) => {
                    let treated = treatment.apply(document.root());
                    let json = treated.root.as_ref().map(serde_json::to_string);
                    (treated, json.and_then(Result::ok))
                }
                Err(_) => in_text(&treatment, text),
            },
            ContentBody::Text(text) => in_text(&treatment, text),
        }
    }

    /// What a text is looked through with.
    pub(super) fn treatment<'t>(
        &'t self,
        in_force: &'t InForce,
        content: Content<'t>,
    ) -> Treatment<'t> {
        Treatment {
            scanner: &in_force.scanner,
            secrets: in_force.policy.secrets(),
            handles: &self.handles,
            principal: content.principal,
            tool: content.tool,
            place: Place {
                tool: content.tool.map(ToolRef::qualified),
                direction: content.direction,
            },
            rewritable: true,
            now: self.clock.monotonic(),
        }
    }

    async fn conclude_inspection(
        &self,
        in_force: &InForce,
        content: Content<'_>,
        treated: Treated,
        rewritten: Option<String>,
    ) -> Inspection {
        let findings: Vec<_> = treated.noted.into_iter().filter_map(ContentFinding::of).collect();
        let verdict = match (treated.denial, treated.root.is_some(), rewritten) {
            (Some(reason), ..) => ContentVerdict::Withheld(reason),
            (None, true, Some(text)) => ContentVerdict::Rewritten(text),
            (None, true, None) => {
                ContentVerdict::Withheld(DenialReason::CheckFailed { check: "secret".into() })
            }
            (None, false, _) => ContentVerdict::Pass,
        };
        if findings.is_empty() {
            return Inspection { verdict, findings };
        }
        let withheld = matches!(verdict, ContentVerdict::Withheld(_));
        let event = catch_unwind(AssertUnwindSafe(|| {
            self.found_event(in_force, content, &findings, withheld)
        }));
        if !self.append(event).await {
            return Inspection::withheld(DenialReason::AuditUnavailable);
        }
        Inspection { verdict, findings }
    }

    /// The record of what was found in a text.
    pub(super) fn found_event(
        &self,
        in_force: &InForce,
        content: Content<'_>,
        findings: &[ContentFinding],
        withheld: bool,
    ) -> AuditEvent {
        let InForce { policy, scanner, .. } = in_force;
        let context = content.context;
        let call_id = context.call_id.as_ref().and_then(|id| record::redacted_id(scanner, id));
        let detail = json!({
            "direction": content.direction.as_str(),
            "tool": content.tool.map(|tool| record::text(scanner, tool.qualified())),
            "policy_version": policy.version(),
            "withheld": withheld,
            "findings": findings.iter().take(RECORDED).map(ContentFinding::record).collect::<Vec<_>>(),
            "more": findings.len().saturating_sub(RECORDED),
        });
        AuditEvent {
            id: EventId::generate(),
            occurred_at: self.clock.now(),
            trace_id: context.trace_id.unwrap_or_else(TraceId::generate),
            subject: Some(content.principal.into()),
            context: record::circumstances(scanner, policy, (content.door, context), call_id),
            body: AuditBody::Other { kind: EventKind::SecretFound, detail },
        }
    }
}

fn in_text(treatment: &Treatment<'_>, text: &str) -> (Treated, Option<String>) {
    let treated = treatment.apply(&Node::String(text.into()));
    let text = match &treated.root {
        Some(Node::String(text)) => Some(text.to_string()),
        _ => None,
    };
    (treated, text)
}

impl Inspection {
    fn pass() -> Self {
        Self { verdict: ContentVerdict::Pass, findings: Vec::new() }
    }

    fn withheld(reason: DenialReason) -> Self {
        Self { verdict: ContentVerdict::Withheld(reason), findings: Vec::new() }
    }
}

impl ContentFinding {
    /// `None` for what is as if it had not been found.
    pub(super) fn of(noted: Noted) -> Option<Self> {
        let Noted { finding, done } = noted;
        match done {
            Done::Disabled => None,
            Done::Exempt(id) => Some(Self { finding, action: None, exemption: Some(id) }),
            Done::Act(action) => Some(Self { finding, action: Some(action), exemption: None }),
        }
    }

    /// As it is recorded, and told to callers.
    pub(crate) fn record(&self) -> Value {
        let Finding { rule, vendor, location, fingerprint, confidence, view } = &self.finding;
        json!({
            "rule": **rule,
            "vendor": **vendor,
            "location": location,
            "fingerprint": fingerprint,
            "confidence": confidence.as_str(),
            "view": view,
            "action": self.action.map(SecretAction::as_str),
            "exemption": self.exemption.as_deref(),
        })
    }
}
