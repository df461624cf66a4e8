//! What is written down about a decision, with every caller-supplied text redacted.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::call::{CallContext, CallKind, Digest, Door, ToolCall};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{DenialReason, Evaluation};
use systemprompt_core::event::{
    AuditBody, AuditEvent, DecisionBody, DecisionFeatures, EventContext, EventSubject, SecretScan,
    ShadowVerdict, Verdict,
};
use systemprompt_core::id::{CallId, EventId, PermitId, TraceId};
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::Redact;

use crate::policy::Policy;

/// Most bytes of a rejected tool text that are kept.
const MAX_TOOL_BYTES: usize = 255;

/// What stands for a text that could not be redacted.
const REDACTED: &str = "[redacted]";

/// How a call was decided.
pub(crate) struct Ruling<'r> {
    pub(crate) policy: &'r Policy,
    pub(crate) id: EventId,
    pub(crate) occurred_at: Timestamp,
    /// Why it is denied; `None` when it is allowed.
    pub(crate) reason: Option<&'r DenialReason>,
    /// The permit and until when it accepts an outcome.
    pub(crate) permit: Option<(PermitId, Timestamp)>,
    pub(crate) evaluation: Arc<Evaluation>,
    pub(crate) duration: Duration,
    pub(crate) seen: Seen<'r>,
}

/// What was seen of a call beside what its evaluation says.
#[derive(Debug, Default)]
pub(crate) struct Seen<'r> {
    /// What the rules of the secret scanner are called.
    pub(crate) rules: Option<&'r Arc<str>>,
    /// Those that found something, when they were asked.
    pub(crate) scan: Option<Vec<Arc<str>>>,
    /// What shadow policies would have decided differently.
    pub(crate) shadow: Vec<ShadowVerdict>,
}

/// The event of a decided call.
pub(crate) fn of_call(redact: &dyn Redact, call: &ToolCall, mut ruling: Ruling<'_>) -> AuditEvent {
    let call_id = if call.call_id_supplied() {
        redacted_id(redact, call.call_id())
    } else {
        Some(call.call_id().clone())
    };
    let tool = call.tool();
    let what = What {
        server: tool.server().map(|server| shared(redact, server)),
        tool: shared(redact, tool.name()),
        arguments: Some((call.arguments_digest(), call.arguments().raw().len())),
        call_digest: Some(call.digest()),
    };
    let who = (call.principal(), call.door(), call.context());
    let server_kept = what.server.as_deref() == tool.server().map(|server| server.as_str());
    let tool_kept = server_kept && *what.tool == *tool.name().as_str();
    let seen = std::mem::take(&mut ruling.seen);
    let mut event = event(redact, who, (call.trace_id(), call_id), what, ruling);
    let kept = tool_kept
        && event.context.session.as_ref() == call.session()
        && event.context.agent.as_ref() == call.agent();
    if let AuditBody::Decision(body) = &mut event.body {
        body.features = Some(features(call, seen, kept));
    }
    event
}

/// What it takes to decide the call again; `kept` says whether its names are recorded as they were.
fn features(call: &ToolCall, seen: Seen<'_>, kept: bool) -> Arc<str> {
    let prompt = call.kind() == CallKind::Prompt;
    let label = call.context().agent_is_label && call.agent().is_some();
    let scan = seen.rules.zip(seen.scan);
    let plain = kept && !prompt && !label && seen.shadow.is_empty();
    match scan {
        Some((rules, found)) if plain && found.is_empty() => {
            DecisionFeatures::plain(call.principal(), rules)
        }
        scan => DecisionFeatures {
            prompt,
            label,
            redacted: !kept,
            scan: scan.map(|(rules, found)| SecretScan { rules: rules.clone(), found }),
            shadow: seen.shadow,
            ..DecisionFeatures::of(call.principal())
        }
        .to_text()
        .into(),
    }
}

/// The event of something that is no tool call.
pub(crate) fn of_rejected(
    redact: &dyn Redact,
    call: &RejectedCall,
    ids: (TraceId, &CallId),
    ruling: Ruling<'_>,
) -> AuditEvent {
    let tool = call.tool.as_deref().unwrap_or("");
    let what = What {
        server: None,
        tool: cut(&one_line(text(redact, tool))).into(),
        arguments: None,
        call_digest: None,
    };
    let who = (&call.principal, call.door, &call.context);
    event(redact, who, (ids.0, redacted_id(redact, ids.1)), what, ruling)
}

/// What was to be called, redacted.
struct What {
    server: Option<Arc<str>>,
    tool: Arc<str>,
    /// Digest and size.
    arguments: Option<(Digest, usize)>,
    call_digest: Option<Digest>,
}

fn event(
    redact: &dyn Redact,
    (principal, door, context): (&Principal, Door, &CallContext),
    (trace_id, call_id): (TraceId, Option<CallId>),
    what: What,
    ruling: Ruling<'_>,
) -> AuditEvent {
    let body = DecisionBody {
        server: what.server,
        tool: what.tool,
        arguments_digest: what.arguments.map(|(digest, _)| digest),
        arguments_bytes: what.arguments.map_or(0, |(_, bytes)| bytes as u64),
        call_digest: what.call_digest,
        verdict: if ruling.reason.is_some() { Verdict::Deny } else { Verdict::Allow },
        reason_code: ruling.reason.map(DenialReason::code),
        reason: ruling.reason.map(|reason| text(redact, &reason.to_string()).into_owned()),
        reason_data: ruling.reason.map(DenialReason::data),
        evaluation: ruling.evaluation,
        duration: ruling.duration,
        permit: ruling.permit.map(|(permit, _)| permit),
        expires_at: ruling.permit.map(|(_, expires_at)| expires_at),
        features: None,
    };
    AuditEvent {
        id: ruling.id,
        occurred_at: ruling.occurred_at,
        trace_id,
        subject: Some(EventSubject::from(principal)),
        context: circumstances(redact, ruling.policy, (door, context), call_id),
        body: AuditBody::Decision(Box::new(body)),
    }
}

pub(crate) fn circumstances(
    redact: &dyn Redact,
    policy: &Policy,
    (door, context): (Door, &CallContext),
    call_id: Option<CallId>,
) -> EventContext {
    let agent = context.agent.as_ref();
    EventContext {
        call_id,
        session: context.session.as_ref().and_then(|id| redacted_id(redact, id)),
        context: context.context.as_ref().and_then(|id| redacted_id(redact, id)),
        task: context.task.as_ref().and_then(|id| redacted_id(redact, id)),
        agent: match agent.filter(|agent| policy.knows_agent(agent)) {
            Some(known) => Some(known.clone()),
            None => agent.and_then(|id| redacted_id(redact, id)),
        },
        plugin: context.plugin.as_ref().and_then(|id| redacted_id(redact, id)),
        door: Some(door),
        user_agent: context.user_agent.as_ref().map(|agent| match text(redact, agent) {
            Cow::Borrowed(_) => agent.clone(),
            Cow::Owned(redacted) => redacted.into(),
        }),
        client_addr: context.client_addr,
    }
}

/// `id` itself if it holds no secret, else what is left of it; `None` if that is no id.
pub(crate) fn redacted_id<T>(redact: &dyn Redact, id: &T) -> Option<T>
where
    T: AsRef<str> + Clone + FromStr,
{
    match text(redact, id.as_ref()) {
        Cow::Borrowed(_) => Some(id.clone()),
        Cow::Owned(redacted) => redacted.parse().or_else(|_| REDACTED.parse()).ok(),
    }
}

/// The text of `id`, shared if it holds no secret.
fn shared<T>(redact: &dyn Redact, id: &T) -> Arc<str>
where
    T: AsRef<str> + Clone + Into<Arc<str>>,
{
    match text(redact, id.as_ref()) {
        Cow::Borrowed(_) => id.clone().into(),
        Cow::Owned(redacted) => redacted.into(),
    }
}

/// `text` without secrets. A scanner that panics leaves nothing of it.
pub(crate) fn text<'t>(redact: &dyn Redact, text: &'t str) -> Cow<'t, str> {
    if is_uuid(text) {
        return Cow::Borrowed(text);
    }
    catch_unwind(AssertUnwindSafe(|| redact.redact(text)))
        .unwrap_or_else(|_| Cow::Owned(REDACTED.to_owned()))
}

/// `text` with its control characters escaped.
pub(crate) fn one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.chars().flat_map(escaped).collect())
    } else {
        text
    }
}

/// A control character as its escape, anything else as it is.
fn escaped(character: char) -> impl Iterator<Item = char> {
    let escape = character.is_control().then(|| character.escape_default());
    let plain = (!character.is_control()).then_some(character);
    escape.into_iter().flatten().chain(plain)
}

/// Most session and call ids are UUIDs, which on their own are no format of a secret.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The longest beginning of `text` that is at most [`MAX_TOOL_BYTES`] long and ends between characters.
fn cut(text: &str) -> &str {
    let end = (0..=MAX_TOOL_BYTES.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or("")
}
