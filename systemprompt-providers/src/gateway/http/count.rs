use ::http::{HeaderValue, StatusCode};
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use serde_json::json;
use systemprompt_core::llm::{Dialect, ModelError};

use super::{ModelDoors, admit, reply};
use crate::dialect;
use crate::echo;

/// `POST /v1/messages/count_tokens`: `{"input_tokens": n}`, an estimate, and it says so.
pub(super) async fn count_tokens(State(doors): State<ModelDoors>, request: Request) -> Response {
    count(&doors, Dialect::Anthropic, request).await
}

/// `POST /v1/responses/input_tokens`: `{"object": "response.input_tokens", "input_tokens": n}`.
pub(super) async fn input_tokens(State(doors): State<ModelDoors>, request: Request) -> Response {
    count(&doors, Dialect::Responses, request).await
}

async fn count(doors: &ModelDoors, dialect: Dialect, request: Request) -> Response {
    let counted = match admit::admit(doors, request).await {
        Ok((_, _, body)) => estimate(dialect, &body),
        Err(error) => Err(error),
    };
    match counted {
        Ok(tokens) => {
            let answer = match dialect {
                Dialect::Responses => {
                    json!({ "object": "response.input_tokens", "input_tokens": tokens })
                }
                _ => json!({ "input_tokens": tokens }),
            };
            let mut response = reply::json(StatusCode::OK, answer.to_string());
            let estimated = HeaderValue::from_static("estimated");
            response.headers_mut().insert("x-systemprompt-usage", estimated);
            response
        }
        Err(error) => reply::error(dialect, &error, ""),
    }
}

/// The tokens of a request, which may leave out what only an answer needs.
fn estimate(dialect: Dialect, body: &Bytes) -> Result<u64, ModelError> {
    let Some(front) = dialect::front(dialect) else { return Ok(0) };
    let mut value: serde_json::Value = serde_json::from_slice(body).map_err(|error| {
        ModelError::invalid("body", format!("the body is no JSON that can be read: {error}"))
    })?;
    if let Some(object) = value.as_object_mut()
        && dialect == Dialect::Anthropic
    {
        object.entry("max_tokens").or_insert_with(|| 1.into());
    }
    let request = front.decode_request(value.to_string().as_bytes())?;
    Ok(echo::estimate_tokens(&request))
}
