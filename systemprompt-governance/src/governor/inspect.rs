//! What goes past the tool calls themselves: results, descriptions, answers, the turns of a conversation.

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_trait::async_trait;
use serde::de::IgnoredAny;
use serde_json::json;
use systemprompt_core::call::{Node, ToolRef};
use systemprompt_core::content::{
    Content, ContentBody, ContentFinding, ContentOrigin, ContentVerdict, Inspection, StreamOrigin,
};
use systemprompt_core::contract::{Inspect, InspectStream};
use systemprompt_core::decision::DenialReason;
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::id::{EventId, TraceId};

use super::in_force::InForce;
use super::secrets::{Done, Noted, Treated, Treatment};
use super::stream::SecretStream;
use super::{Governor, Inner};
use crate::policy::secrets::Place;
use crate::record;
use crate::secret::Finding;

/// Most findings that one event spells out.
const RECORDED: usize = 64;

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

    /// Looks through a text that comes in pieces, by the policy that is in force now.
    #[must_use]
    pub fn inspect_stream(&self, origin: StreamOrigin) -> SecretStream {
        SecretStream::new(self.clone(), origin)
    }
}

#[async_trait]
impl Inspect for Governor {
    async fn inspect(&self, content: Content<'_>) -> Inspection {
        Self::inspect(self, content).await
    }

    fn inspect_stream(&self, origin: StreamOrigin) -> Box<dyn InspectStream> {
        Box::new(Self::inspect_stream(self, origin))
    }
}

impl Inner {
    fn look_through(&self, in_force: &InForce, content: Content<'_>) -> (Treated, Option<String>) {
        let treatment = self.treatment(in_force, content.origin);
        match content.body {
            ContentBody::Json(text) => match Node::read(text) {
                Ok(document) => {
                    let treated = treatment.apply(&document);
                    let json = treated.root.as_ref().map(|root| root.written_like(text.as_bytes()));
                    (treated, json.and_then(|json| String::from_utf8(json).ok()))
                }
                Err(_) => {
                    let (treated, rewritten) = in_text(&treatment, text);
                    // What was JSON stays JSON, or goes no further.
                    let keeps_form = |rewritten: &String| !is_json(text) || is_json(rewritten);
                    (treated, rewritten.filter(keeps_form))
                }
            },
            ContentBody::Text(text) => in_text(&treatment, text),
        }
    }

    /// What a text is looked through with.
    pub(super) fn treatment<'t>(
        &'t self,
        in_force: &'t InForce,
        origin: ContentOrigin<'t>,
    ) -> Treatment<'t> {
        Treatment {
            scanner: &in_force.scanner,
            secrets: in_force.policy.secrets(),
            handles: &self.handles,
            principal: origin.principal,
            tool: origin.tool,
            place: Place { tool: origin.tool.map(ToolRef::qualified), direction: origin.direction },
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
        let findings: Vec<_> = treated.noted.into_iter().filter_map(told).collect();
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
            self.found_event(in_force, content.origin, &findings, withheld)
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
        origin: ContentOrigin<'_>,
        findings: &[ContentFinding],
        withheld: bool,
    ) -> AuditEvent {
        let InForce { policy, scanner, .. } = in_force;
        let context = origin.context;
        let call_id = context.call_id.as_ref().and_then(|id| record::redacted_id(scanner, id));
        let detail = json!({
            "direction": origin.direction.as_str(),
            "tool": origin.tool.map(|tool| record::text(scanner, tool.qualified())),
            "policy_version": policy.version(),
            "withheld": withheld,
            "findings": findings.get(..RECORDED).unwrap_or(findings),
            "more": findings.len().saturating_sub(RECORDED),
        });
        AuditEvent {
            id: EventId::generate(),
            occurred_at: self.clock.now(),
            trace_id: context.trace_id.unwrap_or_else(TraceId::generate),
            subject: Some(origin.principal.into()),
            context: record::circumstances(scanner, policy, (origin.door, context), call_id),
            body: AuditBody::Other { kind: EventKind::SecretFound, detail },
        }
    }
}

/// Whether a text has the form of JSON, however deep.
fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn in_text(treatment: &Treatment<'_>, text: &str) -> (Treated, Option<String>) {
    let treated = treatment.apply(&Node::String(text.into()));
    let text = match &treated.root {
        Some(Node::String(text)) => Some(text.to_string()),
        _ => None,
    };
    (treated, text)
}

/// As it is told and recorded; `None` for what is as if it had not been found.
pub(super) fn told(noted: Noted) -> Option<ContentFinding> {
    let Finding { rule, vendor, location, fingerprint, confidence, view } = noted.finding;
    let (action, exemption) = match noted.done {
        Done::Disabled => return None,
        Done::Exempt(id) => (None, Some(id)),
        Done::Act(action) => (Some(action), None),
    };
    Some(ContentFinding {
        rule,
        vendor,
        location,
        fingerprint,
        confidence,
        view,
        action,
        exemption,
    })
}
