//! A model of your own behind the gateway: a service in your process that speaks one of the dialects, and
//! that the gateway asks as it asks any provider. Who asks is authenticated, decided and recorded; in which
//! dialect they ask is up to them.
//!
//! ```console
//! $ cargo run --example custom_provider -- 127.0.0.1:8091 ./systemprompt-data
//! $ curl -s http://127.0.0.1:8091/v1/messages -H "x-api-key: $(cat systemprompt-data/user.key)" \
//!     -H 'anthropic-version: 2023-06-01' -H 'Content-Type: application/json' \
//!     -d '{"model": "shout", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}'
//! ```

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use systemprompt::ai::dialect::{ChatFront, Front as _, Reply};
use systemprompt::ai::echo::estimate_tokens;
use systemprompt::config::{
    ModelRoute, ModelsSection, ProviderConfig, ProviderKind, RouteCondition, RouteMatch,
    UnpricedModels,
};
use systemprompt::extension::TypedExtensionRegistry;
use systemprompt::identifiers::AiRequestId;
use systemprompt::llm::{
    Answer, Block, BlockKind, Dialect, LossReport, ModelRequest, StopReason, Usage,
};
use systemprompt::models::SystemClock;
use systemprompt::runtime::{
    App, Config, CredentialsBootstrap, Environment, ProfileBootstrap, SecretsBootstrap,
    first_start, starter_profile,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let addr: SocketAddr = words.next().as_deref().unwrap_or("127.0.0.1:8091").parse()?;
    let data = PathBuf::from(words.next().unwrap_or_else(|| "./systemprompt-data".to_owned()));

    // The model. Nobody but this machine reaches it, and nobody but the gateway is told where it is.
    let model = TcpListener::bind("127.0.0.1:0").await?;
    let provider = provider(model.local_addr()?)?;
    let service = Router::new().route("/v1/chat/completions", post(complete));
    tokio::spawn(async { axum::serve(model, service).await });

    let profile = ProfileBootstrap::load(starter_profile(&data)?, Environment::from_process())?
        .with_data_folder(&data)
        .with_models(provider)?;
    let secrets = SecretsBootstrap::resolve(profile)?;
    let config = Config::validate(CredentialsBootstrap::prepare(secrets)?)?;
    first_start(&config, &TypedExtensionRegistry::discover()?, SystemClock::shared()).await?;
    let app = App::builder().config(config).start().await?;
    let listener = TcpListener::bind(addr).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    app.serve(listener).await?;
    Ok(())
}

/// What would stand in a profile: the provider `house`, and the route of its model `shout`.
fn provider(addr: SocketAddr) -> Result<ModelsSection, Box<dyn Error>> {
    let mut house = ProviderConfig::new(ProviderKind::Custom);
    house.base_url = Some(format!("http://{addr}").parse()?);
    house.wire = Some(Dialect::Chat);
    house.private_addresses = true;
    let mut models = ModelsSection::default();
    models.providers.insert("house".to_owned(), house);
    models.routes.push(ModelRoute {
        matching: RouteMatch { pattern: "shout".parse()?, when: RouteCondition::default() },
        provider: Some("house".to_owned()),
        model: None,
        split: Vec::new(),
        fallback: Vec::new(),
        unpriced: UnpricedModels::Allow,
    });
    Ok(models)
}

/// `POST /v1/chat/completions` of the model.
async fn complete(body: Bytes) -> Response {
    let request = match ChatFront.decode_request(&body) {
        Ok(request) => Arc::new(request),
        Err(error) => {
            let (status, body) = ChatFront.encode_error(&error, "");
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            return (status, json(), body).into_response();
        }
    };
    let answer = shout(&request);
    let reply = Reply {
        id: answer.id.clone(),
        model: request.model.clone(),
        created: 0,
        stream_usage: request.stream_usage,
        request: request.clone(),
    };
    if !request.stream {
        let body = ChatFront.encode_answer(&answer, &reply, &mut LossReport::default());
        return (json(), body).into_response();
    }
    // A model that thinks while it speaks would write each piece when it has it.
    let (mut encoder, mut stream) = (ChatFront.stream_encoder(&reply), Vec::new());
    for event in answer.into_events() {
        encoder.push(&event, &mut stream);
    }
    encoder.finish(&mut stream);
    ([(header::CONTENT_TYPE, "text/event-stream")], stream).into_response()
}

fn json() -> [(header::HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "application/json")]
}

/// What was said last, louder.
fn shout(request: &ModelRequest) -> Answer {
    let last = request.messages.iter().flat_map(|message| &message.content).rev();
    let texts = last.filter_map(|block| match &block.kind {
        BlockKind::Text { text } => Some(text.to_uppercase()),
        _ => None,
    });
    let text = texts.take(1).collect::<String>();
    let output = u64::try_from(text.len().div_ceil(4)).unwrap_or(u64::MAX);
    Answer {
        id: AiRequestId::generate().to_string(),
        model: request.model.clone(),
        content: vec![Block::text(text)],
        stop_reason: StopReason::EndTurn,
        stop_sequence: None,
        usage: Usage { input: estimate_tokens(request), output, ..Usage::default() },
    }
}
