//! A model of your own behind the gateway, in your own process: an extension that is asked in one form, whatever
//! dialect its callers speak. Here it thinks itself; yours would speak to a model over a wire that nobody else
//! has. Who asks is authenticated, decided, counted and recorded as for any provider.
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

use futures_util::stream;
use systemprompt::ai::echo::estimate_tokens;
use systemprompt::config::{
    ModelRoute, ModelsSection, ProviderConfig, ProviderKind, RouteCondition, RouteMatch,
    UnpricedModels,
};
use systemprompt::extension::prelude::*;
use systemprompt::llm::{
    BlockKind, BlockStart, Delta, ErrorKind, ModelError, ModelRequest, Role, StopReason,
    StreamEvent, Usage,
};
use systemprompt::models::SystemClock;
use systemprompt::runtime::{
    App, Config, CredentialsBootstrap, Environment, ProfileBootstrap, SecretsBootstrap,
    first_start, starter_profile,
};
use tokio::net::TcpListener;

/// Says what was said last, louder.
struct Shout;

#[async_trait::async_trait]
impl LlmProvider for Shout {
    fn name(&self) -> &str {
        "house"
    }

    async fn answer(&self, request: LlmRequest) -> Result<LlmAnswer, ModelError> {
        // What fails before the first event can be answered by the next provider of the route.
        let said = last_text(&request.request).ok_or_else(|| {
            ModelError::new(ErrorKind::InvalidRequest, "there is no text to be shouted")
        })?;
        let words: Vec<_> = said.split_inclusive(' ').map(str::to_uppercase).collect();
        let usage = Usage {
            input: estimate_tokens(&request.request),
            output: u64::try_from(words.len()).unwrap_or(u64::MAX),
            ..Usage::default()
        };
        // A model that thinks while it speaks would hand out each word when it has it.
        let word = |word| StreamEvent::Delta { index: 0, delta: Delta::Text(word) };
        let id = request.id.to_string();
        let events = [
            StreamEvent::Start { id, model: request.model },
            StreamEvent::BlockStart { index: 0, block: BlockStart::Text },
        ];
        let end = [
            StreamEvent::BlockStop { index: 0 },
            StreamEvent::Usage(usage.into()),
            StreamEvent::Stop { reason: StopReason::EndTurn, stop_sequence: None },
        ];
        let events = events.into_iter().chain(words.into_iter().map(word)).chain(end);
        Ok(LlmAnswer::stream(stream::iter(events)))
    }
}

fn last_text(request: &ModelRequest) -> Option<&str> {
    let of_users = request.messages.iter().rev().filter(|message| message.role == Role::User);
    of_users.flat_map(|message| message.content.iter().rev()).find_map(|block| match &block.kind {
        BlockKind::Text { text } => Some(text.as_str()),
        _ => None,
    })
}

/// The extension that brings it.
struct House;

impl Extension for House {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("house", env!("CARGO_PKG_VERSION"))
    }
}

impl ProviderExtensionTyped for House {
    fn providers(
        &self,
        _: &ExtensionContext,
    ) -> Result<Vec<Arc<dyn LlmProvider>>, ExtensionFailure> {
        Ok(vec![Arc::new(Shout)])
    }
}

register_extension!(House);

/// What would stand in a profile:
///
/// ```yaml
/// models:
///   providers:
///     house: {kind: extension}
///   routes:
///     - {match: shout, provider: house, unpriced: allow}
/// ```
fn models() -> Result<ModelsSection, Box<dyn Error>> {
    let mut models = ModelsSection::default();
    models.providers.insert("house".to_owned(), ProviderConfig::new(ProviderKind::ByExtension));
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let addr: SocketAddr = words.next().as_deref().unwrap_or("127.0.0.1:8091").parse()?;
    let data = PathBuf::from(words.next().unwrap_or_else(|| "./systemprompt-data".to_owned()));

    let profile = ProfileBootstrap::load(starter_profile(&data)?, Environment::from_process())?
        .with_data_folder(&data)
        .with_models(models()?)?;
    let secrets = SecretsBootstrap::resolve(profile)?;
    let config = Config::validate(CredentialsBootstrap::prepare(secrets)?)?;
    first_start(&config, &TypedExtensionRegistry::discover()?, SystemClock::shared()).await?;
    let app = App::builder().config(config).require(["house"]).start().await?;
    let listener = TcpListener::bind(addr).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    app.serve(listener).await?;
    Ok(())
}
