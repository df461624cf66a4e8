//! The doors over doubles of the contracts: what goes in, what comes out, what is recorded.

mod attacks;
mod batch;
mod govern;
mod governed;
mod hooks;
mod openapi;
mod outcome;
mod recorder;
mod schema;
mod secrets;
mod wire;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use systemprompt_governance::http::Doors;
use tower::ServiceExt as _;

use recorder::Recorder;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const GOVERN: &str = "/api/v1/govern";
const BATCH: &str = "/api/v1/govern/batch";
const INSPECT: &str = "/api/v1/inspect";
const HOOK: &str = "/api/public/hooks/govern";
const TRACK: &str = "/api/public/hooks/track";

/// The doors over one recorder.
struct World {
    recorder: Arc<Recorder>,
    doors: Doors,
    router: axum::Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl World {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Doors)) -> Self {
        let recorder = Arc::new(Recorder::default());
        let mut doors = Doors::new(
            (recorder.clone(), recorder.clone()),
            recorder.clone(),
            recorder.clone(),
            recorder.clone(),
            recorder.clone(),
        );
        change(&mut doors);
        let router = systemprompt_governance::http::router(doors.clone());
        Self { recorder, doors, router }
    }

    /// Doors of another process over the same log.
    fn restarted(&self) -> Self {
        let router = systemprompt_governance::http::router(self.doors.clone());
        Self { recorder: self.recorder.clone(), doors: self.doors.clone(), router }
    }

    async fn post(&self, path: &str, body: impl ToString) -> Answer {
        self.send(post(path).body(body.to_string().into()).unwrap()).await
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A request of the caller `ada`, in the trace [`TRACE`].
fn post(path: &str) -> axum::http::request::Builder {
    Request::post(path)
        .header("authorization", "Bearer ada")
        .header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .header("content-type", "application/json")
}
