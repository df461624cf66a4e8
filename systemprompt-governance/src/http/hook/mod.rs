//! The doors of client-side hooks.
//!
//! A client takes an HTTP error for "the hook is down, go on", so every `POST` that comes this far is
//! answered with 200, and what cannot be decided with a deny. The envelopes are those of Claude Code
//! (<https://code.claude.com/docs/en/hooks>); members that are not known are left alone.

mod envelope;
mod event;
mod granted;
mod hook_answer;
mod report;
mod settle;
mod track;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use systemprompt_core::call::{CallContext, Door, MalformedCall};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Decision, DenialReason};
use systemprompt_core::id::Audience;
use systemprompt_core::principal::Principal;

use super::{Doors, Incoming, answer, body};
use envelope::{Envelope, EventName};
use event::Event;
use granted::Granted;
use hook_answer::HookAnswer;

/// The doors, and the permits whose outcome a hook may still report.
#[derive(Clone)]
pub(super) struct HookDoor {
    doors: Doors,
    granted: Arc<Granted>,
}

impl HookDoor {
    pub(super) fn new(doors: Doors) -> Self {
        Self { doors, granted: Arc::new(Granted::new()) }
    }
}

/// `POST /api/public/hooks/govern`.
pub(super) async fn govern(State(door): State<HookDoor>, request: Request) -> Response {
    let (incoming, body) = Incoming::of(request);
    let answered = match admit(&door.doors, &incoming, body).await {
        Ok((principal, body)) => govern_event(&door, &incoming, principal, &body).await,
        Err(refused) => refused,
    };
    answer::json(&answered.wire(), answered.trace_id(incoming.trace_id()))
}

/// `POST /api/public/hooks/track`.
pub(super) async fn track(State(door): State<HookDoor>, request: Request) -> Response {
    let (incoming, body) = Incoming::of(request);
    let answered = match admit(&door.doors, &incoming, body).await {
        Ok((principal, body)) => track_event(&door, &incoming, principal, &body).await,
        Err(refused) => refused,
    };
    answer::json(&answered.wire(), answered.trace_id(incoming.trace_id()))
}

async fn govern_event(
    door: &HookDoor,
    incoming: &Incoming,
    principal: Principal,
    body: &Bytes,
) -> HookAnswer {
    let envelope = match Envelope::read(body) {
        Ok(envelope) => envelope,
        Err(fault) => {
            let detail = fault.describe(&door.doors);
            return unusable(&door.doors, incoming, principal, detail).await;
        }
    };
    let event = Event { door, incoming, principal, body, envelope };
    match event.envelope.event() {
        EventName::PreToolUse => event.decide_tool().await,
        EventName::UserPromptSubmit => event.decide_prompt().await,
        EventName::PostToolUse | EventName::PostToolUseFailure => event.report().await,
        EventName::Other => event.track(None).await,
    }
}

async fn track_event(
    door: &HookDoor,
    incoming: &Incoming,
    principal: Principal,
    body: &Bytes,
) -> HookAnswer {
    let envelope = match Envelope::read(body) {
        Ok(envelope) => envelope,
        Err(fault) => {
            let detail = fault.describe(&door.doors);
            return unusable(&door.doors, incoming, principal, detail).await;
        }
    };
    let event = Event { door, incoming, principal, body, envelope };
    match event.envelope.event() {
        EventName::PostToolUse | EventName::PostToolUseFailure => event.report().await,
        _ => event.track(None).await,
    }
}

/// The caller, and the body in full; or the refusal.
async fn admit(
    doors: &Doors,
    incoming: &Incoming,
    mut body: Body,
) -> Result<(Principal, Bytes), HookAnswer> {
    let principal = match incoming.authenticate(doors, &Audience::hook()).await {
        Ok(principal) => principal,
        Err(refusal) => {
            body::drain(body).await;
            let code = refusal.code();
            return Err(HookAnswer::unreadable(&refusal, code, incoming.trace_id()));
        }
    };
    let read = match body::check_encoding(incoming.headers()) {
        Ok(()) => body::read(&mut body, doors.body_limit).await,
        Err(refusal) => Err(refusal),
    };
    match read {
        Ok(bytes) => Ok((principal, bytes)),
        Err(refusal) => {
            body::drain(body).await;
            Err(unusable(doors, incoming, principal, refusal.to_string()).await)
        }
    }
}

/// Records that a known caller sent something that is no event, and denies.
async fn unusable(
    doors: &Doors,
    incoming: &Incoming,
    principal: Principal,
    detail: String,
) -> HookAnswer {
    let context =
        CallContext { plugin: event::plugin(incoming).ok().flatten(), ..incoming.context(doors) };
    let rejected = RejectedCall {
        principal,
        door: Door::Hook,
        context,
        tool: None,
        reason: DenialReason::MalformedCall(MalformedCall::Envelope { detail: detail.clone() }),
    };
    let decision = doors.decide.reject(rejected).await;
    let reason = match &decision {
        Decision::Deny(denial) => denial.reason.clone(),
        Decision::Allow(_) | Decision::Pending(_) => {
            DenialReason::MalformedCall(MalformedCall::Envelope { detail })
        }
    };
    HookAnswer::unreadable(&reason, reason.code(), incoming.trace_id())
}
