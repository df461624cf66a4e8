use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::App;

/// The process is there.
pub(super) async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// A file that was removed still answers whoever has it open.
fn file_is_gone(app: &App) -> bool {
    app.context().config().profile().database.url.path().is_some_and(|path| !path.exists())
}

/// The process can decide: 200, or 503 with what is wrong.
///
/// A policy that could not be reloaded is shown and does not count: the last good one is in force, and
/// taking every replica out of service for a typing error would be worse.
pub(super) async fn ready(State(app): State<App>) -> Response {
    let audit = match app.audit().healthy() {
        true => "ok",
        false => "the audit log cannot be written",
    };
    let database = match () {
        () if file_is_gone(&app) => "the database file is gone",
        () if !app.database_answers().await => "the database does not answer",
        () => "ok",
    };
    let policy = match app.reload_stats().stale {
        true => "the last reload was refused; the policy before it is in force",
        false => "ok",
    };
    let ready = audit == "ok" && database == "ok";
    let (code, status) = match ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    let body = json!({
        "status": status,
        "checks": { "audit": audit, "database": database, "policy": policy },
    });
    (code, Json(body)).into_response()
}
