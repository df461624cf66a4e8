use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use http::StatusCode;
use http::request::Parts;
use systemprompt_core::api::{Problem, RequestHead, trace_of};
use systemprompt_core::contract::TokenError;
use systemprompt_core::id::TraceId;
use systemprompt_core::principal::Principal;

use super::Door;
use crate::{QueryError, ReadScope};

/// The scope that reading the log takes.
const SCOPE: &str = "audit:read";

/// When a caller whose turn did not come may ask again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The trace of a request.
pub(super) fn trace(parts: &Parts) -> TraceId {
    parts.extensions.get().copied().unwrap_or_else(|| trace_of(&parts.headers))
}

/// Lets a caller in who may read the log of its tenant.
pub(super) async fn enter(door: &Door, parts: &Parts) -> Result<ReadScope, Problem> {
    principal(door, parts).await.map(|principal| ReadScope::from(&principal))
}

/// Finds out who the caller is, who must be one that may read the log of its tenant.
pub(super) async fn principal(door: &Door, parts: &Parts) -> Result<Principal, Problem> {
    let trace_id = trace(parts);
    let head = RequestHead {
        uri: &parts.uri,
        headers: &parts.headers,
        peer: parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|ConnectInfo(address)| address.ip()),
        trace_id,
    };
    let Some(audience) = &door.audience else {
        return Err(TokenError::Audience)
            .map_err(|error| systemprompt_core::api::AuthRefusal::from(error).problem(trace_id));
    };
    let principal = door
        .authenticate
        .authenticate(head, audience)
        .await
        .map_err(|refusal| refusal.problem(trace_id))?;
    if principal.has_scope(SCOPE) {
        return Ok(principal);
    }
    let detail = format!("reading the audit log needs the scope `{SCOPE}`");
    Err(Problem::new(StatusCode::FORBIDDEN, "insufficient_scope", detail, trace_id)
        .with("required", vec![SCOPE]))
}

/// The problem of a log that cannot be read. Why is for the operator, unless the caller can help it.
pub(super) fn unreadable(error: &QueryError, trace_id: TraceId) -> Problem {
    let unavailable =
        |code, detail| Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail, trace_id);
    match error {
        QueryError::Busy => {
            return unavailable(
                "busy",
                "too many audit queries are being answered; try again later",
            )
            .retry_after(RETRY_AFTER);
        }
        QueryError::TooSlow => {
            return unavailable(
                "busy",
                "the query took too long; ask for a shorter time or for less",
            );
        }
        _ => {}
    }
    tracing::error!(%trace_id, %error, "the audit log cannot be read");
    unavailable("audit_unavailable", "the audit log cannot be read; try again later")
}
