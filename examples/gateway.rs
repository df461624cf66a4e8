//! The product on one machine: every tool call of every agent, and every request to a model, is decided and
//! recorded here.
//!
//! ```console
//! $ cargo run --release --example gateway -- [--addr 127.0.0.1:8080] [--data ./systemprompt-data] [--config profile.yaml]
//! $ curl -s http://127.0.0.1:8080/api/v1/govern -H "Authorization: Bearer $(cat systemprompt-data/user.key)" \
//!     -H 'Content-Type: application/json' -d '{"tool": "Read", "arguments": {"path": "README.md"}}'
//! $ curl -s http://127.0.0.1:8080/v1/messages -H "x-api-key: $(cat systemprompt-data/user.key)" \
//!     -H 'anthropic-version: 2023-06-01' -H 'Content-Type: application/json' \
//!     -d '{"model": "echo", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}'
//! ```
//!
//! The first start makes the data folder, the database, an administrator and a plain user with a key
//! each, and a starter profile that is meant to be edited: changes to the policy take effect at once.
//!
//! The model `echo` needs no key. Anthropic, OpenAI, Gemini, Moonshot, Qwen and MiniMax are added when
//! `ANTHROPIC_API_KEY`, `OPENAI_API_KEY`, `GEMINI_API_KEY`, `MOONSHOT_API_KEY`, `DASHSCOPE_API_KEY` or
//! `MINIMAX_API_KEY` is set at the start, unless the profile has something to say of them itself.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use systemprompt::config::{
    ModelRoute, ModelsSection, PatternFault, ProviderConfig, ProviderKey, ProviderKind,
    RouteCondition, RouteMatch, SecretRef, UnpricedModels,
};
use systemprompt::extension::TypedExtensionRegistry;
use systemprompt::logging;
use systemprompt::models::SystemClock;
use systemprompt::runtime::{
    App, Config, CredentialsBootstrap, Environment, FirstStart, ProfileBootstrap, SecretsBootstrap,
    first_start, starter_profile,
};
use tokio::net::TcpListener;

/// Threads hand memory to each other at every decision, which this allocator is good at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: gateway [--addr IP:PORT] [--data FOLDER] [--config FILE]";

/// The providers that are added when their key is there: its variable, their kind, their models.
const PROVIDERS: [(&str, ProviderKind, &[&str]); 6] = [
    ("ANTHROPIC_API_KEY", ProviderKind::Anthropic, &["claude-*"]),
    ("OPENAI_API_KEY", ProviderKind::Openai, &["gpt-*", "o3*", "o4*"]),
    ("GEMINI_API_KEY", ProviderKind::Gemini, &["gemini-*"]),
    ("MOONSHOT_API_KEY", ProviderKind::Moonshot, &["kimi-*"]),
    ("DASHSCOPE_API_KEY", ProviderKind::Qwen, &["qwen*"]),
    ("MINIMAX_API_KEY", ProviderKind::Minimax, &["MiniMax-*"]),
];

struct Arguments {
    addr: Option<SocketAddr>,
    data: PathBuf,
    config: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::read() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            say(std::io::stdout(), USAGE);
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            say(std::io::stderr(), &format!("{problem}\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(std::io::stderr(), &with_causes(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = configure(arguments)?;
    logging::start(&config.profile().logging);
    for warning in config.warnings() {
        say(std::io::stderr(), &format!("warning: {warning}"));
    }
    let addr = arguments.addr.unwrap_or(config.profile().server.addr);
    let listener = TcpListener::bind(addr).await.map_err(|error| format!("{addr}: {error}"))?;
    let extensions = TypedExtensionRegistry::discover()?;
    let made = first_start(&config, &extensions, SystemClock::shared()).await?;
    let app = App::builder().extensions(extensions).config(config).start().await?;

    let text = greeting(listener.local_addr()?, app.context().config(), made);
    say(std::io::stdout(), &text);
    app.serve(listener).await?;
    Ok(())
}

/// Reads the profile, through every stage of bootstrap.
fn configure(arguments: &Arguments) -> Result<Config, Box<dyn Error>> {
    let file = match &arguments.config {
        Some(file) => file.clone(),
        None => starter_profile(&arguments.data)?,
    };
    let environment = Environment::from_process();
    let providers = providers(&environment)?;
    let profile = ProfileBootstrap::load(file, environment)?
        .with_data_folder(&arguments.data)
        .with_models(providers)?;
    let secrets = SecretsBootstrap::resolve(profile)?;
    Ok(Config::validate(CredentialsBootstrap::prepare(secrets)?)?)
}

/// The providers whose keys are in the environment, and the routes to them.
fn providers(environment: &Environment) -> Result<ModelsSection, PatternFault> {
    let mut models = ModelsSection::default();
    let is_set = |variable| environment.var(variable).is_some_and(|key| !key.trim().is_empty());
    for (variable, kind, patterns) in PROVIDERS.into_iter().filter(|(name, ..)| is_set(*name)) {
        let name = kind.as_str().to_owned();
        let mut provider = ProviderConfig::new(kind);
        provider.key = Some(ProviderKey::Ref(SecretRef::Env(variable.to_owned())));
        models.providers.insert(name.clone(), provider);
        for pattern in patterns {
            models.routes.push(ModelRoute {
                matching: RouteMatch { pattern: pattern.parse()?, when: RouteCondition::default() },
                provider: Some(name.clone()),
                model: None,
                split: Vec::new(),
                fallback: Vec::new(),
                unpriced: UnpricedModels::Refuse,
            });
        }
    }
    Ok(models)
}

impl Arguments {
    /// The command line; `None` when it asks for help.
    fn read() -> Result<Option<Self>, String> {
        let mut read = Self { addr: None, data: "./systemprompt-data".into(), config: None };
        let mut words = std::env::args_os().skip(1);
        while let Some(word) = words.next() {
            let name = word.to_string_lossy().into_owned();
            if matches!(&*name, "-h" | "--help") {
                return Ok(None);
            }
            let mut value = || words.next().ok_or_else(|| format!("`{name}` needs a value"));
            match &*name {
                "--addr" => {
                    let text = value()?.to_string_lossy().into_owned();
                    let problem = |_| format!("`{text}` is not an address such as 127.0.0.1:8080");
                    read.addr = Some(text.parse().map_err(problem)?);
                }
                "--data" => read.data = value()?.into(),
                "--config" => read.config = Some(value()?.into()),
                _ => return Err(format!("`{name}` is not known")),
            }
        }
        Ok(Some(read))
    }
}

/// What is printed once: where the server is, and four calls that work as pasted.
fn greeting(addr: SocketAddr, config: &Config, made: Option<FirstStart>) -> String {
    let data = config.data_folder().display();
    let keys = match made {
        Some(made) => format!(
            "A new installation was made in {data}:\n  the administrator's key is in {}\n  \
             a plain user's key is in {}\n  the policy is in {}; edit it while this runs",
            made.admin_key.display(),
            made.user_key.display(),
            config.file().unwrap_or(config.data_folder()).display(),
        ),
        None => format!("The installation in {data} goes on."),
    };
    let key = config.data_folder().join("user.key");
    let quoted = key.display().to_string().replace('\'', r"'\''");
    // Put together here so that the source itself holds nothing that looks like a secret.
    let secret = ["AKIA", "Z7Q4M2X9", "W5T8R3KD"].concat();
    let call = |note: &str, body: String| {
        format!(
            "# {note}\ncurl -s http://{addr}/api/v1/govern -H \"Authorization: Bearer $(cat '{quoted}')\" \
             -H 'Content-Type: application/json' -d '{body}'"
        )
    };
    let allowed = r#"{"tool": "Read", "arguments": {"path": "README.md"}}"#.to_owned();
    let blocked = r#"{"tool": "delete_records", "arguments": {"table": "customers"}}"#.to_owned();
    let leaking = format!(
        r#"{{"tool": "Bash", "arguments": {{"command": "aws configure set aws_access_key_id {secret}"}}}}"#
    );
    let message = format!(
        "# a model: `echo` says what it is told\ncurl -s http://{addr}/v1/messages -H \"x-api-key: $(cat '{quoted}')\" \
         -H 'anthropic-version: 2023-06-01' -H 'Content-Type: application/json' -d \
         '{{\"model\": \"echo\", \"max_tokens\": 100, \"messages\": [{{\"role\": \"user\", \"content\": \"hello\"}}]}}'"
    );
    let models = &config.profile().models;
    let providers: Vec<_> = models.providers.keys().map(String::as_str).collect();
    [
        format!("systemprompt is listening on http://{addr}"),
        keys,
        format!("The providers of models: {}", providers.join(", ")),
        call("allowed", allowed),
        call("denied: the policy blocks the word `delete`", blocked),
        call("denied: the call carries a secret", leaking),
        message,
    ]
    .join("\n\n")
}

fn say(mut to: impl std::io::Write, text: &str) {
    // A reader that has gone away is no reason to stop serving.
    let _ = writeln!(to, "{text}").and_then(|()| to.flush());
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
