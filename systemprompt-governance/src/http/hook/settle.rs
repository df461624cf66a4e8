use std::borrow::Cow;
use std::time::Duration;

use systemprompt_core::call::{Digest, ToolRef};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{GrantedCall, SettleError};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::{CallId, PermitId, SessionId, TraceId};

use super::HookAnswer;
use super::envelope::EventName;
use super::event::Event;
use crate::http::api::duration_of_ms;
use crate::record;

impl Event<'_> {
    /// Records how a call went under the permit it was given; as a tracked event when there is none.
    pub(super) async fn settle(&self) -> HookAnswer {
        match self.try_settle().await {
            Ok(trace_id) => HookAnswer::Settled(trace_id),
            Err(obstacle) => self.track(Some(obstacle)).await,
        }
    }

    /// Settles the permit and says in which trace it was granted.
    ///
    /// # Errors
    /// What stood in the way, as a stable code.
    async fn try_settle(&self) -> Result<TraceId, &'static str> {
        let (permit, trace_id) = self.permit().await?;
        let outcome = self.outcome(permit);
        let ledger = &self.door.doors.ledger;
        match ledger.settle(permit, &self.principal, outcome).await {
            Ok(()) => Ok(trace_id),
            Err(SettleError::Unknown) => Err("unknown_permit"),
            Err(SettleError::Expired) => Err("permit_expired"),
            Err(SettleError::AlreadySettled) => Err("permit_settled"),
            Err(_) => Err("audit_unavailable"),
        }
    }

    /// The permit that was granted for this call, to this tool, and its trace. The arguments are not
    /// compared: a client may report them in another form than it asked with.
    async fn permit(&self) -> Result<(PermitId, TraceId), &'static str> {
        let session = self.envelope.session_id().map_err(|_| "unreadable_session")?;
        let session = session.as_deref().map(SessionId::parse).transpose();
        let session = session.map_err(|_| "unreadable_session")?;
        let call_id = self.envelope.tool_use_id().ok().flatten().ok_or("no_call_id")?;
        let call_id = CallId::parse(&call_id).map_err(|_| "no_call_id")?;
        let tool = self.envelope.tool_name().map_err(|_| "other_tool")?;
        let tool = ToolRef::parse(None, &tool).map_err(|_| "other_tool")?;
        match self.door.granted.find(&self.principal, session.as_ref(), &call_id) {
            Some(grant) if grant.tool == tool => Ok((grant.permit, grant.trace_id)),
            Some(_) => Err("other_tool"),
            None => self.logged_permit(session.as_ref(), &call_id, &tool).await,
        }
    }

    /// Looks the permit up in the log, where ids and names are redacted.
    async fn logged_permit(
        &self,
        session: Option<&SessionId>,
        call_id: &CallId,
        tool: &ToolRef,
    ) -> Result<(PermitId, TraceId), &'static str> {
        let session = session.map(|id| self.as_recorded(id, id.as_str(), SessionId::parse));
        let call_id = self.as_recorded(call_id, call_id.as_str(), CallId::parse);
        let call = GrantedCall {
            principal: &self.principal,
            session: session.as_ref(),
            call_id: &call_id,
        };
        let found = self.door.doors.ledger.find(call).await.map_err(|_| "audit_unavailable")?;
        let found = found.ok_or("unknown_permit")?;
        let recorded = |name: &str| record::text(&*self.door.doors.redact, name).into_owned();
        let server = tool.server().map(|server| recorded(server.as_str()));
        if found.server.as_deref() == server.as_deref()
            && *found.tool == *recorded(tool.name().as_str())
        {
            Ok((found.id, found.trace_id))
        } else {
            Err("other_tool")
        }
    }

    fn as_recorded<T: Clone, E>(&self, id: &T, text: &str, parse: fn(&str) -> Result<T, E>) -> T {
        match self.door.doors.redact.redact(text) {
            Cow::Borrowed(_) => id.clone(),
            Cow::Owned(redacted) => parse(&redacted).unwrap_or_else(|_| id.clone()),
        }
    }

    fn outcome(&self, permit: PermitId) -> Outcome {
        let envelope = &self.envelope;
        let status = match envelope.event() {
            EventName::PostToolUseFailure => OutcomeStatus::Failed,
            _ => OutcomeStatus::Success,
        };
        let result = envelope.tool_response().map(str::as_bytes);
        Outcome {
            status,
            duration: envelope
                .duration_ms()
                .and_then(duration_of_ms)
                .unwrap_or_else(|| since_granted(permit, self.door.doors.clock.now())),
            result_bytes: result.map(|result| result.len() as u64),
            result_digest: result.map(Digest::of),
            error: envelope.error().map(|text| self.door.doors.safe_message(&text)),
        }
    }
}

/// Time since the permit was granted, from the milliseconds in its id (UUIDv7, RFC 9562 section 5.7):
/// the closest thing to a run time when the client does not tell.
fn since_granted(permit: PermitId, now: Timestamp) -> Duration {
    let [a, b, c, d, e, f, version, ..] = *permit.as_bytes();
    if version >> 4 != 7 {
        return Duration::ZERO;
    }
    let granted_ms = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    let now_ms = u64::try_from(now.as_micros() / 1000).unwrap_or(0);
    Duration::from_millis(now_ms.saturating_sub(granted_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_grant_is_read_from_its_permit() {
        let mut bytes = [0_u8; 16];
        bytes[..6].copy_from_slice(&1_000_u64.to_be_bytes()[2..]);
        bytes[6] = 0x70;
        let permit = PermitId::from_bytes(bytes);
        let at = |ms: i64| Timestamp::from_micros(ms * 1000);
        assert_eq!(since_granted(permit, at(1_250)), Duration::from_millis(250));
        assert_eq!(since_granted(permit, at(500)), Duration::ZERO);
        bytes[6] = 0x40;
        assert_eq!(since_granted(PermitId::from_bytes(bytes), at(1_250)), Duration::ZERO);
    }
}
