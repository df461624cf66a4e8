//! The provider: an answer of 1 KiB, a stream, or a slow stream, by the name of the model.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;

use crate::wire::{self, Stream};

/// The text between the name of a model and how many deltas its streams have.
pub(crate) const DELTAS: &str = "-deltas-";

/// What the name of a model ends with whose streams bring a delta a second.
pub(crate) const SLOW: &str = "-slow";

/// What one dialect is answered with.
struct Script {
    whole: Bytes,
    head: Bytes,
    delta: Bytes,
    tail: Bytes,
}

impl Script {
    fn new(whole: String, stream: Stream) -> Arc<Self> {
        Arc::new(Self {
            whole: whole.into(),
            head: stream.head.into(),
            delta: stream.delta.into(),
            tail: stream.tail.into(),
        })
    }
}

pub(crate) async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let messages = Script::new(wire::messages_answer(), wire::messages());
    let chat = Script::new(wire::chat_answer(), wire::chat());
    let router = Router::new()
        .route("/v1/messages", post(answer).with_state(messages))
        .route("/v1/chat/completions", post(answer).with_state(chat))
        .layer(axum::extract::DefaultBodyLimit::disable());
    Ok(axum::serve(listener, router).await?)
}

async fn answer(State(script): State<Arc<Script>>, body: Bytes) -> Response {
    let model = model(&body).unwrap_or_default();
    if let Some((_, deltas)) = model.split_once(DELTAS) {
        let deltas = deltas.parse().unwrap_or(0);
        let pieces = std::iter::once(script.head.clone())
            .chain(std::iter::repeat_n(script.delta.clone(), deltas))
            .chain([script.tail.clone()]);
        return events(Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>))));
    }
    if model.ends_with(SLOW) {
        let delta = script.delta.clone();
        let later = stream::unfold(delta, |delta| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((delta.clone(), delta))
        });
        let first = [script.head.clone(), script.delta.clone()];
        let pieces = stream::iter(first).chain(later).map(Ok::<_, Infallible>);
        return events(Body::from_stream(pieces));
    }
    ([(CONTENT_TYPE, "application/json")], script.whole.clone()).into_response()
}

fn events(body: Body) -> Response {
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// The model that is asked for, where it is named first.
fn model(body: &[u8]) -> Option<&str> {
    const NAME: &[u8] = b"\"model\":\"";
    let start = memchr::memmem::find(body, NAME)? + NAME.len();
    let rest = body.get(start..)?;
    let end = memchr::memchr(b'"', rest)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}
