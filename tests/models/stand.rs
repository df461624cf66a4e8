//! An application of one's own with its providers: everything an SDK calls, on this machine.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Row as _};
use systemprompt::ai::scripted::{Script, ScriptedUpstream, SeenRequest};
use systemprompt::extension::ExtensionBuilder;
use systemprompt::models::SystemClock;
use systemprompt::runtime::{
    App, Config, CredentialsBootstrap, Environment, ProfileBootstrap, SecretsBootstrap,
    first_start, starter_profile,
};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::sdk::{Call, Lang, Said};

/// What the providers are to see of our keys. Put together so that no file holds what looks like one.
pub(crate) fn provider_key() -> String {
    ["provider", "side", "credential"].join("-")
}

/// Paths of the providers on the scripted upstream.
pub(crate) const ANTHROPIC: &str = "/anthropic/v1/messages";
pub(crate) const CHAT: &str = "/chat/v1/chat/completions";
pub(crate) const RESPONSES: &str = "/openai/v1/responses";
pub(crate) const OPENAI_CHAT: &str = "/openai/v1/chat/completions";
pub(crate) const GEMINI: &str = "/gemini/v1beta/models/";
pub(crate) const KIMI: &str = "/kimi/anthropic/v1/messages";
pub(crate) const MINIMAX: &str = "/minimax/anthropic/v1/messages";

/// A running application, its providers, and a caller.
pub(crate) struct Stand {
    base: String,
    data: PathBuf,
    pub(crate) upstream: ScriptedUpstream,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Stand {
    /// Starts one, with every provider at one scripted upstream.
    pub(crate) async fn start() -> Self {
        let upstream = ScriptedUpstream::start().await.unwrap();
        let models = models(&upstream.url());
        Self::with(upstream, &models).await
    }

    /// Starts one with this section `models`.
    pub(crate) async fn with(upstream: ScriptedUpstream, models: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let profile = starter_profile(&data).unwrap();
        let starter = fs::read_to_string(&profile).unwrap();
        let (before, _) =
            starter.split_once("\nmodels:\n").expect("the starter profile has models");
        fs::write(&profile, format!("{before}\n{models}")).unwrap();
        fs::write(data.join("provider.key"), provider_key()).unwrap();

        let environment = Environment::empty().with("PROVIDER_KEY", provider_key());
        let loaded = ProfileBootstrap::load(profile, environment).unwrap().with_data_folder(&data);
        let secrets = SecretsBootstrap::resolve(loaded).unwrap();
        let config = Config::validate(CredentialsBootstrap::prepare(secrets).unwrap()).unwrap();
        let extensions = ExtensionBuilder::new().build().unwrap();
        first_start(&config, &extensions, SystemClock::shared()).await.unwrap();
        let app = App::builder().extensions(extensions).config(config).start().await.unwrap();

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move { app.serve_until(listener, async { drop(stopped.await) }).await });
        Self { base, data, upstream, _stop: stop, _folder: folder }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The key of `admin` or `user`.
    pub(crate) fn key(&self, name: &str) -> String {
        fs::read_to_string(self.data.join(format!("{name}.key"))).unwrap().trim().to_owned()
    }

    /// Makes a call as the plain user.
    pub(crate) async fn make(&self, call: Call) -> Said {
        call.make(&self.base, &self.key("user")).await
    }

    /// Calls Anthropic's SDK.
    pub(crate) async fn anthropic(&self, lang: Lang, op: &str, params: Value) -> Said {
        self.make(Call::new(lang, "anthropic", op, params)).await
    }

    /// Calls OpenAI's SDK.
    pub(crate) async fn openai(&self, lang: Lang, op: &str, params: Value) -> Said {
        self.make(Call::new(lang, "openai", op, params)).await
    }

    /// Answers the next request to `path`.
    pub(crate) fn script(&self, path: &str, script: Script) {
        self.upstream.on("POST", path, script);
    }

    /// The last request that a provider saw.
    #[track_caller]
    pub(crate) fn seen(&self) -> SeenRequest {
        self.upstream.journal().pop().expect("a request went upstream")
    }

    /// Its body.
    #[track_caller]
    pub(crate) fn sent(&self) -> Value {
        serde_json::from_slice(&self.seen().body).expect("JSON went upstream")
    }

    /// The records of requests to models, the oldest first.
    pub(crate) async fn records(&self) -> Vec<Value> {
        let mut database = self.database().await;
        let texts: Vec<String> = sqlx::query_scalar(
            "SELECT detail FROM audit_events WHERE kind = 'ai_request' ORDER BY seq",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    /// The last record, when there are `number` of them; waits for it.
    pub(crate) async fn record(&self, number: usize) -> Value {
        let start = Instant::now();
        loop {
            let mut records = self.records().await;
            if records.len() >= number {
                assert_eq!(records.len(), number, "one record for each request: {records:#?}");
                return records.pop().unwrap();
            }
            assert!(start.elapsed() < Duration::from_secs(20), "only {} records", records.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The models whose use was decided, the oldest first.
    pub(crate) async fn decided_models(&self) -> Vec<String> {
        let mut database = self.database().await;
        sqlx::query_scalar(
            "SELECT tool FROM audit_events WHERE kind = 'decision' AND tool LIKE 'model:%' AND decision = 'allow' \
             ORDER BY seq",
        )
        .fetch_all(&mut database)
        .await
        .unwrap()
    }

    /// The newest row of the view `ai_requests`: provider, model, status, and the four counts of tokens.
    pub(crate) async fn row(&self) -> Value {
        let mut database = self.database().await;
        let row = sqlx::query(
            "SELECT provider, model, status, input_tokens, cached_input_tokens, cache_write_tokens, \
             output_tokens FROM ai_requests ORDER BY seq DESC LIMIT 1",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
        let text = |at: usize| row.get::<String, _>(at);
        let number = |at: usize| row.get::<i64, _>(at);
        json!([text(0), text(1), text(2), number(3), number(4), number(5), number(6)])
    }

    async fn database(&self) -> SqliteConnection {
        let files = fs::read_dir(&self.data).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
        let file =
            files.into_iter().find(|path| path.extension().is_some_and(|e| e == "db")).unwrap();
        SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .busy_timeout(Duration::from_secs(5))
            .connect()
            .await
            .unwrap()
    }
}

/// The section `models`: all kinds of providers, at paths of their own.
pub(crate) fn models(url: &str) -> String {
    models_at(&|name| format!("{url}/{name}"))
}

/// The same, with each provider where `place` says.
pub(crate) fn models_at(place: &dyn Fn(&str) -> String) -> String {
    let provider = |name: &str, more: &str| {
        format!(
            "    {name}:\n      base_url: {}\n      private_addresses: true\n      \
             retries: {{attempts: 1}}\n{more}",
            place(name)
        )
    };
    let providers = [
        provider("anthropic", "      kind: anthropic\n      key: {env: PROVIDER_KEY}\n"),
        provider("openai", "      kind: openai\n      key: {file: provider.key}\n"),
        provider(
            "chat",
            "      kind: openai_chat\n      priced_as: deepseek\n      key: {env: PROVIDER_KEY}\n",
        ),
        provider("gemini", "      kind: gemini\n      key: {env: PROVIDER_KEY}\n"),
        provider("kimi", "      kind: moonshot\n      key: {env: PROVIDER_KEY}\n"),
        provider("minimax", "      kind: minimax\n      key: {env: PROVIDER_KEY}\n"),
    ]
    .concat();
    format!(
        "models:
  providers:
    echo:
      kind: echo
{providers}  aliases:
    house: claude-sonnet-4-6
  routes:
    - match: echo
      provider: echo
    - match: claude-haiku-4-5
      provider: anthropic
      fallback:
        - provider: chat
          model: deepseek-v4-pro
    - match: \"claude-*\"
      provider: anthropic
    - match: \"gpt-*\"
      provider: openai
    - match: \"deepseek-*\"
      provider: chat
    - match: \"vision-*\"
      provider: chat
      unpriced: allow
    - match: \"gemini-*\"
      provider: gemini
    - match: \"kimi-*\"
      provider: kimi
    - match: \"MiniMax-*\"
      provider: minimax
    - match:
        pattern: secret-model
        when: {{role: admin}}
      provider: echo
"
    )
}
