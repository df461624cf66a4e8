use ::http::StatusCode;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde_json::{Value, json};
use systemprompt_core::llm::{Dialect, ErrorKind, ModelError};

use super::{ModelDoors, admit, reply};
use crate::route::ListedModel;

/// `GET /v1/models`: what the caller may ask for, in the shape of its dialect.
pub(super) async fn list(State(doors): State<ModelDoors>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let dialect = dialect(&parts.headers);
    match admit::caller(&doors, &parts).await {
        Err(error) => reply::error(dialect, &error, ""),
        Ok(caller) => {
            let models = doors.gateway.routes().models_for(&caller.principal);
            reply::json(StatusCode::OK, listing(dialect, &models).to_string())
        }
    }
}

/// `GET /v1/models/{id}`.
pub(super) async fn one(
    State(doors): State<ModelDoors>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let dialect = dialect(&parts.headers);
    let caller = match admit::caller(&doors, &parts).await {
        Err(error) => return reply::error(dialect, &error, ""),
        Ok(caller) => caller,
    };
    let models = doors.gateway.routes().models_for(&caller.principal);
    match models.iter().find(|model| model.id == id) {
        Some(model) => reply::json(StatusCode::OK, described(dialect, model).to_string()),
        None => {
            let error = ModelError::new(ErrorKind::NotFound, format!("there is no model `{id}`"));
            reply::error(dialect, &error.with_code("model_not_found"), "")
        }
    }
}

/// `GET /api/v1/providers/health`.
pub(super) async fn health(State(doors): State<ModelDoors>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match admit::caller(&doors, &parts).await {
        Err(error) => reply::error(Dialect::Chat, &error, ""),
        Ok(_) => {
            let providers = json!({ "providers": doors.gateway.health() });
            reply::json(StatusCode::OK, providers.to_string())
        }
    }
}

/// Clients of Anthropic say its version with every request; the others say nothing.
fn dialect(headers: &::http::HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::Chat }
}

fn listing(dialect: Dialect, models: &[ListedModel]) -> Value {
    let data: Vec<Value> = models.iter().map(|model| described(dialect, model)).collect();
    match dialect {
        Dialect::Anthropic => json!({
            "data": data,
            "has_more": false,
            "first_id": models.first().map(|model| &model.id),
            "last_id": models.last().map(|model| &model.id),
        }),
        _ => json!({ "object": "list", "data": data }),
    }
}

fn described(dialect: Dialect, model: &ListedModel) -> Value {
    // When a model was made is not known here; the wires want a time.
    match dialect {
        Dialect::Anthropic => json!({
            "type": "model",
            "id": model.id,
            "display_name": model.id,
            "created_at": "1970-01-01T00:00:00Z",
            "max_input_tokens": model.context,
            "max_tokens": model.max_output,
        }),
        _ => json!({
            "id": model.id,
            "object": "model",
            "created": 0,
            "owned_by": model.provider,
        }),
    }
}
