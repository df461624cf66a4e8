use axum::extract::{Request, State};
use axum::response::Response;
use systemprompt_core::llm::Dialect;

use super::{ModelDoors, admit, reply};
use crate::gateway::answer::Answered;
use crate::gateway::ask::Asking;
use crate::gateway::refusal::unrecorded_id;

/// `POST /v1/messages/count_tokens`: `{"input_tokens": n}`.
pub(super) async fn count_tokens(State(doors): State<ModelDoors>, request: Request) -> Response {
    count(&doors, Dialect::Anthropic, request).await
}

/// `POST /v1/responses/input_tokens`: `{"object": "response.input_tokens", "input_tokens": n}`.
pub(super) async fn input_tokens(State(doors): State<ModelDoors>, request: Request) -> Response {
    count(&doors, Dialect::Responses, request).await
}

async fn count(doors: &ModelDoors, dialect: Dialect, request: Request) -> Response {
    let (caller, parts, body) = match admit::admit(doors, request).await {
        Ok(admitted) => admitted,
        Err(error) => return reply::error(dialect, &error, &unrecorded_id()),
    };
    let query = parts.uri.query().map(str::to_owned);
    let asking = Asking { caller, dialect, body, headers: parts.headers, query };
    match doors.gateway.count(asking).await {
        Ok(counted) => reply::answered(dialect, Answered::Whole(counted)),
        Err(failure) => reply::failed(dialect, failure, &unrecorded_id()),
    }
}
