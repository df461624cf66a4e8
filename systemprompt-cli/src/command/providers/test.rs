use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use systemprompt_core::bootstrap::Config;
use systemprompt_core::config::{ProviderKey, nearest};
use systemprompt_core::contract::SecretStore;
use systemprompt_core::encryption::KeyEncryption;
use systemprompt_core::extension::TypedExtensionRegistry;
use systemprompt_core::id::TenantId;
use systemprompt_core::secret::Redact;
use systemprompt_custody::Custody;
use systemprompt_providers::preset::Provider;
use systemprompt_providers::probe::{Probe, ProbeQuestion, ProbeReport};
use systemprompt_providers::route::RouteTable;

use crate::args::ProviderTestArgs;
use crate::command::{secrets, users::cell};
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session::{self, Session};

pub(super) async fn run(
    args: &ProviderTestArgs,
    profile: &Path,
    linked: TypedExtensionRegistry,
    encryption: Option<Arc<dyn KeyEncryption>>,
    output: Output,
) -> Result<(), Failure> {
    let routes = super::routes(profile)?;
    let tested = tested(args.name.as_deref(), &routes)?;
    let config = session::config(profile)?;
    let registry = session::enabled(&config, linked)?;
    let key = config.fingerprint_key();
    let scanner = systemprompt_runtime::scanner(&registry, key.expose().as_bytes());
    let scanner = scanner.map_err(Failure::config)?;
    let tenant =
        TenantId::parse(&args.tenant).map_err(|error| Failure::usage(error.to_string()))?;
    let custody = custody(&tested, profile, registry, encryption).await?;
    let secrets = provider_secrets(&config)?;
    let probe = Probe {
        secrets: &secrets,
        custody: custody.as_ref().map(|store| (store as &dyn SecretStore, &tenant)),
        prices: routes.prices(),
    };
    let mut items = Vec::new();
    for provider in tested {
        let question = question(args, provider, &routes);
        let report = probe.ask(provider, &question).await;
        items.push(item(provider, &question, &report, &scanner));
    }
    show(&items, output)
}

fn provider_secrets(
    config: &Config,
) -> Result<systemprompt_providers::gateway::ProviderSecrets, Failure> {
    systemprompt_runtime::provider_secrets(config).map_err(Failure::start)
}

fn tested<'r>(name: Option<&str>, routes: &'r RouteTable) -> Result<Vec<&'r Provider>, Failure> {
    let Some(name) = name else { return Ok(routes.providers().map(|each| &**each).collect()) };
    if let Some(provider) = routes.provider(name) {
        return Ok(vec![provider]);
    }
    let meant = nearest(name, routes.providers().map(|each| &**each.name()));
    let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
    Err(Failure::not_found(format!("there is no provider `{name}`{meant}")))
}

/// The custody of the installation, when a key is in there.
async fn custody(
    tested: &[&Provider],
    profile: &Path,
    registry: TypedExtensionRegistry,
    encryption: Option<Arc<dyn KeyEncryption>>,
) -> Result<Option<Custody>, Failure> {
    let needed =
        |provider: &&Provider| matches!(provider.config().key, Some(ProviderKey::Custody(_)));
    if !tested.iter().any(needed) {
        return Ok(None);
    }
    let session = Session::open(profile, registry).await?;
    secrets::custody(&session, encryption).map(Some)
}

/// The list of models where no model is known.
fn question(args: &ProviderTestArgs, provider: &Provider, routes: &RouteTable) -> ProbeQuestion {
    let known = || args.model.clone().or_else(|| routes.cheapest_model(provider.name()));
    match args.list_models {
        true => ProbeQuestion::Models,
        false => known().map_or(ProbeQuestion::Models, ProbeQuestion::Answer),
    }
}

fn item(
    provider: &Provider,
    question: &ProbeQuestion,
    report: &ProbeReport,
    scanner: &dyn Redact,
) -> Value {
    let endpoint = provider.endpoints().first();
    let asked = match question {
        _ if endpoint.is_none() => "nothing, it is in the process of the gateway".to_owned(),
        ProbeQuestion::Models => "its models".to_owned(),
        ProbeQuestion::Answer(model) => model.clone(),
    };
    let problem =
        report.problem.as_ref().map(|problem| scanner.redact(&problem.message).into_owned());
    json!({
        "name": &**provider.name(),
        "wire": endpoint.map(|endpoint| endpoint.dialect.as_str()),
        "asked": asked,
        "ok": report.problem.is_none(),
        "status": report.status,
        "took_ms": endpoint.map(|_| u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX)),
        "code": report.problem.as_ref().and_then(|problem| problem.code.clone()),
        "problem": problem,
    })
}

fn show(items: &[Value], output: Output) -> Result<(), Failure> {
    let is_ok = |item: &Value| item.get("ok").and_then(Value::as_bool) == Some(true);
    output.rows(&["name", "wire", "asked", "status", "ms", "result"], items, |item| {
        let of = |name: &str| cell(item.get(name));
        let result = if is_ok(item) { "ok".to_owned() } else { of("problem") };
        vec![of("name"), of("wire"), of("asked"), of("status"), of("took_ms"), result]
    })?;
    match items.iter().filter(|item| !is_ok(item)).count() {
        0 => Ok(()),
        failed => {
            let message = format!("{failed} of {} providers did not answer well", items.len());
            Err(Failure::new(FailureKind::Other, message))
        }
    }
}
