use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use hyper::body::Incoming;
use hyper::service::Service;
use systemprompt_core::api::{Problem, trace_of};
use systemprompt_core::id::TraceId;
use tower::Service as _;

use super::answer::{Answer, Tracked};
use super::lifeline::{Lifeline, Phase};
use super::names::Ends;
use super::request_body::RequestBody;
use super::server::Shared;

/// What stands between a connection and the router: one service, so that a request passes no stack of
/// boxed layers on its way in.
pub(crate) struct Entry {
    router: Router,
    shared: Arc<Shared>,
    line: Arc<Lifeline>,
    peer: SocketAddr,
    ends: Ends,
}

impl Entry {
    /// The entry of one connection.
    pub(crate) fn new(
        shared: Arc<Shared>,
        line: Arc<Lifeline>,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> Self {
        let ends = Ends { peer: peer.ip().to_canonical(), local: local.ip().to_canonical() };
        Self { router: shared.router.clone(), shared, line, peer, ends }
    }

    fn refusal(&self, uri: &Uri, headers: &HeaderMap, trace: TraceId) -> Option<Problem> {
        if head_bytes(uri, headers) > self.shared.header_limit {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Some(Problem::new(
                status,
                "headers_too_large",
                format!("the request head is longer than {} bytes", self.shared.header_limit),
                trace,
            ));
        }
        let fault = self.shared.names.check(uri, headers, self.ends).err()?;
        let (status, code) = fault.status();
        Some(Problem::new(status, code, fault.to_string(), trace))
    }
}

impl Service<Request<Incoming>> for Entry {
    type Response = Response<Tracked>;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, request: Request<Incoming>) -> Answer {
        self.line.enter(Phase::Busy);
        drop(self.line.take_leftover());
        let trace = trace_of(request.headers());
        let (line, traffic) = (self.line.clone(), self.shared.traffic.clone());
        let held_back = request.headers().contains_key(header::EXPECT);
        let limit = self.shared.body_limit_of(request.uri().path());
        let mut request = request.map(|body| {
            let within = self.shared.body_timeout;
            RequestBody::new(body, line.clone(), limit, within, held_back)
        });
        if let Some(problem) = self.refusal(request.uri(), request.headers(), trace) {
            return Answer::refused(problem, trace, line, traffic);
        }
        let route = traffic.label(request.uri().path());
        let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let extensions = request.extensions_mut();
        extensions.insert(trace);
        extensions.insert(ConnectInfo(self.peer));
        let answer = Answer::routed(self.router.clone().call(request), trace, route, line, traffic);
        // The parser drops a `Content-Length` that came beside it, so whether both did cannot be told;
        // closing afterwards leaves nothing to smuggle (RFC 9112, section 6.1).
        if chunked { answer.closing() } else { answer }
    }
}

/// The length of the head as it came over the wire, without the method and version.
fn head_bytes(uri: &Uri, headers: &HeaderMap) -> usize {
    const SEPARATORS: usize = 4;
    let target = uri.path_and_query().map_or(1, |target| target.as_str().len());
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS)
        .fold(target, usize::saturating_add)
}
