//! Your own axum `Router`, with the governor as a layer in front of a route: the handler runs only
//! with a permit, and its answer is recorded as the outcome.
//!
//! ```console
//! $ cargo run --example embed_in_axum -- 127.0.0.1:8090 ./systemprompt-data
//! $ curl -s http://127.0.0.1:8090/notes -H "Authorization: Bearer $(cat systemprompt-data/user.key)" \
//!     -H 'Content-Type: application/json' -d '{"text": "buy milk"}'
//! ```

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use systemprompt::api::{Authenticate as _, RequestHead, trace_of};
use systemprompt::governance::layer::{GovernLayer, HttpGate, Unreadable};
use systemprompt::identifiers::Audience;
use systemprompt::models::{
    Arguments, CallContext, DenialReason, Door, Principal, ToolCall, ToolRef,
};
use systemprompt::oauth::Gate;
use systemprompt::runtime::App;
use systemprompt::traits::RejectedCall;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let addr: SocketAddr = words.next().as_deref().unwrap_or("127.0.0.1:8090").parse()?;
    let data = words.next().unwrap_or_else(|| "./systemprompt-data".to_owned());
    let app = App::builder().installation(&data).await?.start().await?;

    let govern = GovernLayer::new(app.governor().clone(), HttpGate::new(note_call));
    let router = Router::new()
        .route("/notes", post(add_note))
        // Layers run from the last to the first: who is it, then may it.
        .layer(govern)
        .layer(from_fn_with_state(app.gate().clone(), authenticate))
        .merge(app.router());

    let listener = TcpListener::bind(addr).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) })
        .await?;
    app.shutdown().await;
    Ok(())
}

/// The tool.
async fn add_note(Json(note): Json<Value>) -> Json<Value> {
    Json(json!({ "added": note.get("text").cloned().unwrap_or_default() }))
}

/// Which call a request to `/notes` stands for.
fn note_call(parts: &axum::http::request::Parts, body: Bytes) -> Result<ToolCall, Unreadable> {
    let principal = parts.extensions.get::<Principal>().ok_or(Unreadable::Unauthenticated)?;
    let context = CallContext { trace_id: Some(trace_of(&parts.headers)), ..Default::default() };
    let read =
        ToolRef::parse(None, "add_note").and_then(|tool| Ok((tool, Arguments::parse(body)?)));
    match read {
        Ok((tool, arguments)) => {
            Ok(ToolCall::new(principal.clone(), Door::Embedded, tool, arguments, context))
        }
        Err(fault) => Err(Unreadable::Rejected(Box::new(RejectedCall {
            principal: principal.clone(),
            door: Door::Embedded,
            context,
            tool: Some("add_note".to_owned()),
            reason: DenialReason::MalformedCall(fault),
        }))),
    }
}

/// Sets the caller as an extension of the request, from its credential alone.
async fn authenticate(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let trace_id = trace_of(request.headers());
    let head = RequestHead { uri: request.uri(), headers: request.headers(), peer, trace_id };
    match gate.authenticate(head, &Audience::api()).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            next.run(request).await
        }
        Err(refusal) => refusal.problem(trace_id).into_response(),
    }
}
