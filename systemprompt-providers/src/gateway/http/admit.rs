use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::request::Parts;
use ::http::{HeaderMap, header};
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use bytes::Bytes;
use flate2::read::GzDecoder;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use systemprompt_core::api::{AuthRefusal, RequestHead, trace_of};
use systemprompt_core::call::CallContext;
use systemprompt_core::id::{Audience, SessionId, TraceId};
use systemprompt_core::llm::{ErrorKind, ModelError};

use super::ModelDoors;
use crate::gateway::Caller;

/// The caller of a request.
pub(super) async fn caller(doors: &ModelDoors, parts: &Parts) -> Result<Caller, ModelError> {
    let known = parts.extensions.get::<TraceId>().copied();
    let trace_id = known.unwrap_or_else(|| trace_of(&parts.headers));
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let head = RequestHead {
        uri: &parts.uri,
        headers: &parts.headers,
        peer: peer.map(|ConnectInfo(address)| address.ip()),
        trace_id,
    };
    let principal = doors.authenticate.authenticate(head, &Audience::api()).await;
    let principal = principal.map_err(|refusal| unauthenticated(&refusal))?;
    let redact = &doors.gateway.parts().redact;
    let text = |name: header::HeaderName| parts.headers.get(name)?.to_str().ok();
    let user_agent = text(header::USER_AGENT).map(|agent| {
        let agent = redact.redact(agent);
        let end = agent.floor_char_boundary(255);
        Arc::from(agent.get(..end).unwrap_or_default())
    });
    let context = CallContext {
        trace_id: Some(trace_id),
        session: session(&parts.headers),
        user_agent,
        client_addr: doors.authenticate.client_addr(head),
        ..CallContext::default()
    };
    Ok(Caller { principal, context })
}

/// The session that a client names.
fn session(headers: &HeaderMap) -> Option<SessionId> {
    let names = ["x-systemprompt-session-id", "x-claude-code-session-id", "session_id"];
    let value = names.into_iter().find_map(|name| headers.get(name))?;
    SessionId::parse(value.to_str().ok()?).ok()
}

fn unauthenticated(refusal: &AuthRefusal) -> ModelError {
    let kind = match refusal {
        AuthRefusal::TooManyFailures { .. } => ErrorKind::RateLimit,
        refusal if refusal.code() == "authentication_unavailable" => ErrorKind::Overloaded,
        _ => ErrorKind::Authentication,
    };
    let mut error = ModelError::new(kind, refusal.to_string()).with_code(refusal.code());
    if let AuthRefusal::TooManyFailures { retry_after } = refusal {
        error.retry_after = Some(*retry_after);
    }
    error
}

/// Takes a request apart: the caller, its head, and its whole body. The body of a stranger is not read.
pub(super) async fn admit(
    doors: &ModelDoors,
    request: Request,
) -> Result<(Caller, Parts, Bytes), ModelError> {
    let (parts, body) = request.into_parts();
    let caller = caller(doors, &parts).await?;
    let body = read(body, doors.body_limit).await?;
    let body = decoded(&parts.headers, body, doors.body_limit)?;
    Ok((caller, parts, body))
}

async fn read(body: Body, limit: usize) -> Result<Bytes, ModelError> {
    match Limited::new(body, limit).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Err(error) => Err(broken_off(&*error)),
    }
}

fn too_large(limit: usize) -> ModelError {
    let message = format!("the body is longer than {limit} bytes");
    ModelError::new(ErrorKind::TooLarge, message).with_code("body_too_large")
}

/// A body that the server cut off says why.
fn broken_off(error: &(dyn std::error::Error + Send + Sync + 'static)) -> ModelError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::TimedOut => {
                    return ModelError::new(ErrorKind::Timeout, "the body did not arrive in time");
                }
                std::io::ErrorKind::FileTooLarge => {
                    return ModelError::new(ErrorKind::TooLarge, io.to_string())
                        .with_code("body_too_large");
                }
                _ => {}
            }
        }
        cause = error.source();
    }
    ModelError::new(ErrorKind::InvalidRequest, "the body broke off")
}

/// The body without its `content-encoding`.
fn decoded(headers: &HeaderMap, body: Bytes, limit: usize) -> Result<Bytes, ModelError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str());
    match encoding {
        None | Some(Ok("identity")) => Ok(body),
        Some(Ok("gzip")) => {
            let mut text = Vec::new();
            let most = (limit as u64).saturating_add(1);
            let read = GzDecoder::new(&body[..]).take(most).read_to_end(&mut text);
            read.map_err(|_| {
                ModelError::new(ErrorKind::InvalidRequest, "the body is not the gzip it says it is")
            })?;
            if text.len() > limit { Err(too_large(limit)) } else { Ok(text.into()) }
        }
        Some(_) => Err(ModelError::new(
            ErrorKind::InvalidRequest,
            "the body may be plain or gzip; its `content-encoding` is neither",
        )
        .with_code("unsupported_encoding")),
    }
}
