use axum::extract::{Request, State};
use axum::response::Response;
use systemprompt_core::llm::Dialect;

use super::{ModelDoors, admit, reply};
use crate::gateway::ask::Asking;
use crate::gateway::refusal::unrecorded_id;

/// `POST /v1/messages`.
pub(super) async fn messages(State(doors): State<ModelDoors>, request: Request) -> Response {
    answer(&doors, Dialect::Anthropic, request).await
}

/// `POST /v1/chat/completions`.
pub(super) async fn chat(State(doors): State<ModelDoors>, request: Request) -> Response {
    answer(&doors, Dialect::Chat, request).await
}

/// `POST /v1/responses`.
pub(super) async fn responses(State(doors): State<ModelDoors>, request: Request) -> Response {
    answer(&doors, Dialect::Responses, request).await
}

async fn answer(doors: &ModelDoors, dialect: Dialect, request: Request) -> Response {
    let (caller, parts, body) = match admit::admit(doors, request).await {
        Ok(admitted) => admitted,
        Err(error) => return reply::error(dialect, &error, &unrecorded_id()),
    };
    let query = parts.uri.query().map(str::to_owned);
    let asking = Asking { caller, dialect, body, headers: parts.headers, query };
    match doors.gateway.answer(asking).await {
        Ok(answered) => reply::answered(dialect, answered),
        Err(failure) => reply::failed(dialect, failure, &unrecorded_id()),
    }
}
