use axum::Json;
use serde_json::{Value, json};

/// What this server offers, for clients that find their way by themselves.
pub(super) async fn show() -> Json<Value> {
    Json(json!({
        "name": "systemprompt",
        "version": env!("CARGO_PKG_VERSION"),
        "authentication": ["bearer", "x-api-key"],
        "links": {
            "govern": "/api/v1/govern",
            "govern_batch": "/api/v1/govern/batch",
            "permit_outcome": "/api/v1/permits/{id}/outcome",
            "audit_trace": "/api/v1/audit/traces/{trace_id}",
            "audit_decisions": "/api/v1/audit/decisions",
            "audit_events": "/api/v1/audit/events",
            "audit_stream": "/api/v1/stream/audit",
            "analytics": "/api/v1/analytics/{subject}",
            "hook_govern": "/api/public/hooks/govern",
            "hook_track": "/api/public/hooks/track",
            "openapi": "/api/v1/openapi.json",
            "health": "/health",
            "ready": "/health/ready",
            "metrics": "/metrics",
        },
    }))
}
