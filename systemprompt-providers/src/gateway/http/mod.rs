//! The doors that clients of models call, as an axum router.
//!
//! ```text
//! POST /v1/messages                   Anthropic Messages
//! POST /v1/messages/count_tokens
//! POST /v1/chat/completions           OpenAI Chat Completions
//! POST /v1/responses                  OpenAI Responses
//! POST /v1/responses/input_tokens
//! GET  /v1/models                     in the shape of the caller's dialect
//! GET  /v1/models/{id}
//! GET  /api/v1/providers/health       how the providers are doing
//! ```
//!
//! Official SDKs call them with nothing changed but their base URL and key. Refusals are written in the
//! dialect of the path.

mod admit;
mod count;
mod exchange;
mod models;
mod reply;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use systemprompt_core::api::{Authenticate, with_trace};

use super::ModelGateway;

/// The routes of [`router`], as `(method, path)`.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", MESSAGES),
    ("POST", COUNT_TOKENS),
    ("POST", CHAT),
    ("POST", RESPONSES),
    ("POST", INPUT_TOKENS),
    ("GET", MODELS),
    ("GET", MODEL),
    ("GET", HEALTH),
];

const MESSAGES: &str = "/v1/messages";
const COUNT_TOKENS: &str = "/v1/messages/count_tokens";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const INPUT_TOKENS: &str = "/v1/responses/input_tokens";
const MODELS: &str = "/v1/models";
const MODEL: &str = "/v1/models/{*id}";
const HEALTH: &str = "/api/v1/providers/health";

/// What the doors are connected to. Cloning is cheap.
#[derive(Clone)]
pub struct ModelDoors {
    /// The gateway.
    pub gateway: ModelGateway,
    /// Who finds out who is calling.
    pub authenticate: Arc<dyn Authenticate>,
    /// Longest request body, in bytes.
    pub body_limit: usize,
}

impl fmt::Debug for ModelDoors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelDoors").field("body_limit", &self.body_limit).finish_non_exhaustive()
    }
}

/// All doors.
pub fn router(doors: ModelDoors) -> Router {
    let router = Router::new()
        .route(MESSAGES, post(exchange::messages))
        .route(COUNT_TOKENS, post(count::count_tokens))
        .route(CHAT, post(exchange::chat))
        .route(RESPONSES, post(exchange::responses))
        .route(INPUT_TOKENS, post(count::input_tokens))
        .route(MODELS, get(models::list))
        .route(MODEL, get(models::one))
        .route(HEALTH, get(models::health))
        .layer(DefaultBodyLimit::disable())
        .with_state(doors);
    with_trace(router)
}
