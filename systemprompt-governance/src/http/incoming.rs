use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Response;
use systemprompt_core::api::{AuthRefusal, Problem, RequestHead, trace_of};
use systemprompt_core::call::CallContext;
use systemprompt_core::id::{Audience, TraceId};
use systemprompt_core::principal::Principal;

use super::{Doors, answer};

/// A request without its body, and the trace it belongs to.
pub(super) struct Incoming {
    parts: Parts,
    trace_id: TraceId,
}

impl Incoming {
    pub(super) fn of(request: Request) -> (Self, Body) {
        let (parts, body) = request.into_parts();
        let known = parts.extensions.get::<TraceId>().copied();
        let trace_id = known.unwrap_or_else(|| trace_of(&parts.headers));
        (Self { parts, trace_id }, body)
    }

    pub(super) fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.parts.uri
    }

    pub(super) async fn authenticate(
        &self,
        doors: &Doors,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        doors.authenticate.authenticate(self.head(), audience).await
    }

    /// What the request says about the circumstances of the calls in it, apart from its body.
    pub(super) fn context(&self, doors: &Doors) -> CallContext {
        CallContext {
            trace_id: Some(self.trace_id),
            user_agent: self.user_agent(doors),
            client_addr: self.client_addr(doors),
            ..CallContext::default()
        }
    }

    pub(super) fn client_addr(&self, doors: &Doors) -> Option<IpAddr> {
        doors.authenticate.client_addr(self.head())
    }

    pub(super) fn refuse(&self, problem: Problem) -> Response {
        answer::problem(problem, self.trace_id)
    }

    fn head(&self) -> RequestHead<'_> {
        let peer = self.parts.extensions.get::<ConnectInfo<SocketAddr>>();
        RequestHead {
            uri: &self.parts.uri,
            headers: &self.parts.headers,
            peer: peer.map(|ConnectInfo(address)| address.ip()),
            trace_id: self.trace_id,
        }
    }

    /// Redacted whole and cut afterwards, so that no part of a secret is left at the end.
    fn user_agent(&self, doors: &Doors) -> Option<Arc<str>> {
        let value = self.parts.headers.get(header::USER_AGENT)?.to_str().ok()?;
        Some(doors.safe_text(value).into())
    }
}
