use std::fmt;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use systemprompt_core::api::{Problem, trace_of};
use systemprompt_core::call::{MAX_ARGUMENT_BYTES, ToolCall};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Approval, Denial, DenialReason, OutcomeStatus};
use systemprompt_core::id::TraceId;

use super::gate::{Gate, NotACall, Refused};
use super::slot::PermitSlot;

/// A [`Gate`] for HTTP, made of a function that reads a call from a request's head and body.
///
/// The body is read whole, up to 1 MiB, and handed on unchanged. The service finds the [`PermitSlot`]
/// among the extensions of the request. Refusals are problem documents (RFC 9457) with the reason's code,
/// `data` and `call_id`; a repeat of a call that is running is answered with 409. An answer below 400 counts as success, 408 and 504 as timeout, any other as
/// failure.
#[derive(Clone)]
pub struct HttpGate<F>(F);

/// Why a request is no call.
#[derive(Debug)]
pub enum Unreadable {
    /// No valid credential; answered with 401.
    Unauthenticated,
    /// From an authenticated caller; refused and recorded by the governor.
    Rejected(Box<RejectedCall>),
}

impl<F> HttpGate<F>
where
    F: Fn(&Parts, Bytes) -> Result<ToolCall, Unreadable> + Send + Sync + 'static,
{
    /// A gate that reads calls with `read`. The principal must come from the credential of the request
    /// alone, for example from an extension that an authenticating layer has set.
    #[must_use]
    pub fn new(read: F) -> Self {
        Self(read)
    }
}

impl<F> Gate<Request> for HttpGate<F>
where
    F: Fn(&Parts, Bytes) -> Result<ToolCall, Unreadable> + Send + Sync + 'static,
{
    type Response = Response;

    async fn read(&self, request: Request) -> Result<(ToolCall, Request), NotACall<Response>> {
        let (parts, body) = request.into_parts();
        let trace = parts.extensions.get::<TraceId>().copied();
        let trace = trace.unwrap_or_else(|| trace_of(&parts.headers));
        let Ok(body) = to_bytes(body, MAX_ARGUMENT_BYTES).await else {
            let problem = Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_unreadable",
                format!("the body is longer than {MAX_ARGUMENT_BYTES} bytes or did not arrive"),
                trace,
            );
            return Err(NotACall::Answered(problem.into_response()));
        };
        match (self.0)(&parts, body.clone()) {
            Ok(call) => Ok((call, Request::from_parts(parts, Body::from(body)))),
            Err(Unreadable::Rejected(rejected)) => Err(NotACall::Rejected(rejected)),
            Err(Unreadable::Unauthenticated) => {
                let reason = DenialReason::Unauthenticated;
                let answer = problem(&reason, trace).into_response();
                Err(NotACall::Answered(answer))
            }
        }
    }

    fn admit(&self, mut request: Request, permit: PermitSlot) -> Request {
        request.extensions_mut().insert(permit);
        request
    }

    fn refuse(&self, refused: Refused) -> Response {
        match refused {
            Refused::Denied(Denial { reason, call_id, trace_id, .. }) => {
                problem(&reason, trace_id).with("call_id", call_id.as_str()).into_response()
            }
            Refused::Pending(Approval { id, call_id, trace_id, .. }) => {
                problem(&DenialReason::ApprovalRequired, trace_id)
                    .with("call_id", call_id.as_str())
                    .with("approval_id", id.to_string())
                    .into_response()
            }
            Refused::Spent(permit) => Problem::new(
                StatusCode::CONFLICT,
                "permit_spent",
                "the same call is running or has run".to_owned(),
                permit.call().trace_id(),
            )
            .into_response(),
        }
    }

    fn outcome(&self, response: &Response) -> OutcomeStatus {
        match response.status() {
            StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT => OutcomeStatus::Timeout,
            status if status.is_client_error() || status.is_server_error() => OutcomeStatus::Failed,
            _ => OutcomeStatus::Success,
        }
    }
}

fn problem(reason: &DenialReason, trace: TraceId) -> Problem {
    let problem = Problem::new(status(reason), reason.code(), reason.to_string(), trace)
        .with("data", reason.data());
    match reason {
        DenialReason::RateLimited { retry_after, .. } => problem.retry_after(*retry_after),
        _ => problem,
    }
}

fn status(reason: &DenialReason) -> StatusCode {
    match reason {
        DenialReason::Unauthenticated | DenialReason::AudienceMismatch => StatusCode::UNAUTHORIZED,
        DenialReason::MalformedCall(_) => StatusCode::BAD_REQUEST,
        DenialReason::RateLimited { .. } | DenialReason::BudgetExceeded { .. } => {
            StatusCode::TOO_MANY_REQUESTS
        }
        DenialReason::CheckFailed { .. }
        | DenialReason::AuditUnavailable
        | DenialReason::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        DenialReason::UnknownTool { .. }
        | DenialReason::UnknownAgent
        | DenialReason::ScopeViolation { .. }
        | DenialReason::SecretDetected { .. }
        | DenialReason::Blocked { .. }
        | DenialReason::FlowViolation { .. }
        | DenialReason::ScanBudgetExceeded { .. }
        | DenialReason::ApprovalRequired
        | DenialReason::ApprovalRejected
        | DenialReason::ApprovalExpired
        | DenialReason::Policy { .. } => StatusCode::FORBIDDEN,
    }
}

impl<F> fmt::Debug for HttpGate<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpGate")
    }
}
