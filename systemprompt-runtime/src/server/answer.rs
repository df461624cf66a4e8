use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::response::{IntoResponse as _, Response};
use axum::routing::future::RouteFuture;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use systemprompt_core::api::Problem;
use systemprompt_core::id::TraceId;

use super::leftover::Leftover;
use super::lifeline::{BodyFault, Lifeline, Phase};
use super::traffic::{RouteLabel, Traffic};

static X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");

pin_project! {
    /// The answer to one request: the router's, or a refusal that never reached it. It is given when
    /// the request's body has been read, by whoever was to read it or here.
    pub(crate) struct Answer {
        #[pin]
        routed: Option<RouteFuture<Infallible>>,
        refused: Option<Problem>,
        waiting: Option<(Response, Option<Leftover>)>,
        trace: TraceId,
        route: RouteLabel,
        closing: bool,
        line: Arc<Lifeline>,
        traffic: Arc<Traffic>,
    }
}

impl Answer {
    /// The router's answer, when it comes.
    pub(crate) fn routed(
        future: RouteFuture<Infallible>,
        trace: TraceId,
        route: RouteLabel,
        line: Arc<Lifeline>,
        traffic: Arc<Traffic>,
    ) -> Self {
        let waiting = None;
        let (routed, refused, closing) = (Some(future), None, false);
        Self { routed, refused, waiting, trace, route, closing, line, traffic }
    }

    /// An answer given without asking the router.
    pub(crate) fn refused(
        problem: Problem,
        trace: TraceId,
        line: Arc<Lifeline>,
        traffic: Arc<Traffic>,
    ) -> Self {
        let route = RouteLabel::OTHER;
        let (routed, refused, closing) = (None, Some(problem), false);
        Self { routed, refused, waiting: None, trace, route, closing, line, traffic }
    }

    /// The same answer, after which the connection is closed.
    pub(crate) fn closing(self) -> Self {
        Self { closing: true, ..self }
    }
}

impl Future for Answer {
    type Output = Result<Response<Tracked>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.waiting.is_none() {
            let response = match this.routed.as_mut().as_pin_mut() {
                // A handler that panics costs its own request, not the connection.
                Some(future) => match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
                    Ok(polled) => ready!(polled).unwrap_or_else(|never| match never {}),
                    Err(_) => panicked(*this.trace),
                },
                None => this.refused.take().map(Problem::into_response).unwrap_or_default(),
            };
            // A future that has answered may still hold the body.
            this.routed.set(None);
            *this.waiting = Some((response, this.line.take_leftover()));
        }
        let mut response = match this.waiting.take() {
            None => Response::default(),
            Some((response, None)) => response,
            Some((response, Some(mut leftover))) => {
                let Poll::Ready(read) = leftover.poll_drain(cx) else {
                    *this.waiting = Some((response, Some(leftover)));
                    return Poll::Pending;
                };
                if !read {
                    *this.closing = true;
                    this.line.leave_unread();
                }
                response
            }
        };
        if let Some(fault) = this.line.take_fault() {
            response = undelivered(response, fault, *this.trace);
            *this.closing = true;
            this.line.leave_unread();
        }
        if *this.closing {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if !response.headers().contains_key(&X_TRACE_ID)
            && let Ok(value) = HeaderValue::try_from(this.trace.to_string())
        {
            response.headers_mut().insert(X_TRACE_ID.clone(), value);
        }
        this.traffic.answered(*this.route, response.status());
        let line = this.line.clone();
        Poll::Ready(Ok(response.map(|body| Tracked { body, line })))
    }
}

fn panicked(trace: TraceId) -> Response {
    tracing::error!(trace_id = %trace, "a handler panicked");
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    Problem::new(status, "internal_error", "the request could not be handled", trace)
        .into_response()
}

/// Says why the body did not arrive, unless the door has an answer of its own that is no error.
fn undelivered(response: Response, fault: BodyFault, trace: TraceId) -> Response {
    if response.status().is_client_error() || response.status().is_server_error() {
        let (status, code) = match fault {
            BodyFault::Late => (StatusCode::REQUEST_TIMEOUT, "body_timeout"),
            BodyFault::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"),
        };
        return Problem::new(status, code, fault.to_string(), trace).into_response();
    }
    response
}

/// A response body that tells the connection when it has been handed over in full.
pub(crate) struct Tracked {
    body: axum::body::Body,
    line: Arc<Lifeline>,
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.line.enter(Phase::Idle);
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
