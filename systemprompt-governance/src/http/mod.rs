//! The HTTP doors: Claude Code hooks and the decision API, as axum routers.
//!
//! ```text
//! hook_router   POST /api/public/hooks/govern   a client's hook asks
//!               POST /api/public/hooks/track    a client's hook reports
//! api_router    POST /api/v1/govern             a program asks for one call
//!               POST /api/v1/govern/batch       ... or for up to 100
//!               POST /api/v1/inspect            ... about a text on its way to a model
//!               POST /api/v1/permits/{id}/outcome   ... and reports how it went
//!               GET  /api/v1/openapi.json       the document of the whole API
//! ```
//!
//! [`router`] is both. The doors know the rest of the family only through the contracts in
//! [`Doors`], so a host mounts them on whatever it has. They read the connection's address from the
//! request's [`ConnectInfo`](axum::extract::ConnectInfo) extension, keep a
//! [`TraceId`](systemprompt_core::id::TraceId) extension that an outer layer has set, and answer every
//! request with `x-trace-id`. Time limits, `Host` checks and header limits are the server's; one that
//! cuts a body off may say why with an [`io::Error`](std::io::Error) of the kind `TimedOut` or
//! `FileTooLarge`.

mod answer;
mod api;
mod body;
mod doors;
mod fields;
mod hook;
mod incoming;
mod openapi;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use systemprompt_core::api::Problem;

pub use doors::{Doors, MAX_BATCH};
pub use openapi::DOCUMENT as OPENAPI;

use incoming::Incoming;

/// The routes of [`router`], as `(method, path)`.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", GOVERN_HOOK),
    ("POST", TRACK_HOOK),
    ("POST", GOVERN),
    ("POST", GOVERN_BATCH),
    ("POST", INSPECT),
    ("POST", OUTCOME),
    ("GET", OPENAPI_JSON),
];

const GOVERN_HOOK: &str = "/api/public/hooks/govern";
const TRACK_HOOK: &str = "/api/public/hooks/track";
const GOVERN: &str = "/api/v1/govern";
const GOVERN_BATCH: &str = "/api/v1/govern/batch";
const INSPECT: &str = "/api/v1/inspect";
const OUTCOME: &str = "/api/v1/permits/{id}/outcome";
const OPENAPI_JSON: &str = "/api/v1/openapi.json";

/// All doors.
pub fn router(doors: Doors) -> Router {
    hook_router(doors.clone()).merge(api_router(doors))
}

/// The doors of client-side hooks.
pub fn hook_router(doors: Doors) -> Router {
    Router::new()
        .route(GOVERN_HOOK, post(hook::govern))
        .route(TRACK_HOOK, post(hook::track))
        .method_not_allowed_fallback(wrong_method)
        .with_state(hook::HookDoor::new(doors))
}

/// The doors of programs, and the document that describes all routes of the family.
pub fn api_router(doors: Doors) -> Router {
    Router::new()
        .route(GOVERN, post(api::govern))
        .route(GOVERN_BATCH, post(api::govern_batch))
        .route(INSPECT, post(api::inspect))
        .route(OUTCOME, post(api::report_outcome))
        .route(OPENAPI_JSON, get(openapi::serve))
        .method_not_allowed_fallback(wrong_method)
        .with_state(doors)
}

async fn wrong_method(request: Request) -> Response {
    let (incoming, _) = Incoming::of(request);
    incoming.refuse(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not take this method",
        incoming.trace_id(),
    ))
}
