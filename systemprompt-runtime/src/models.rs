//! The model gateway, as the section `models` of the profile says.

#[cfg(feature = "genai-prices")]
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use systemprompt_audit::AuditLog;
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::{
    BudgetKey, ConfigError, Diagnostic, LoadedProfile, ModelBudget, ProviderKey, ProviderKind,
    RecordBodies, SecretRef,
};
use systemprompt_core::contract::{BudgetStore, Job, JobError, LlmProvider, Schedule};
use systemprompt_core::database::{Backend, DbPool};
use systemprompt_core::extension::{ExtensionContext, TypedExtensionRegistry};
use systemprompt_core::secret::Secret;
use systemprompt_custody::Custody;
use systemprompt_governance::Governor;
use systemprompt_providers::budget::{BudgetDimension, BudgetRule, BudgetRules};
use systemprompt_providers::gateway::{
    BodyRules, ConnectFault, GatewayParts, ModelGateway, ProviderSecrets,
};
#[cfg(feature = "genai-prices")]
use systemprompt_providers::preset::Provider;
use systemprompt_providers::price::PriceTable;
use systemprompt_providers::route::RouteTable;

use crate::{AppContext, StartError};

/// How often reservations that nobody settled are given back.
const EXPIRE: std::time::Duration = std::time::Duration::from_secs(60);

/// The gateway of an application. One without providers refuses every model.
pub(crate) fn gateway(
    context: &AppContext,
    governor: &Governor,
    audit: &AuditLog,
    custody: &Custody,
    extensions: Vec<Arc<dyn LlmProvider>>,
) -> Result<(ModelGateway, Arc<dyn BudgetStore>), StartError> {
    let (config, clock) = (context.config(), context.clock().clone());
    let budget_store = budget_store(context.database(), &clock)?;
    let parts = GatewayParts {
        routes: routes(config.loaded())?,
        secrets: secrets(config)?,
        extensions,
        decide: Arc::new(governor.clone()),
        inspect: Arc::new(governor.clone()),
        ledger: governor.ledger(),
        audit: Arc::new(audit.clone()),
        custody: Arc::new(custody.clone()),
        redact: governor.redactor(),
        budgets: budgets(config.loaded())?,
        budget_store: budget_store.clone(),
        cache: config.profile().models.cache.clone(),
        bodies: bodies(config.loaded(), audit)?,
        clock,
    };
    let gateway = ModelGateway::new(parts).map_err(|error| {
        let path = format!("models.providers.{}", error.provider);
        StartError::Config(config.loaded().diagnostic(path, &error.source.to_string()).into())
    })?;
    Ok((gateway, budget_store))
}

/// Which bodies are recorded, for which the log must have a key to encrypt them with.
fn bodies(loaded: &LoadedProfile, audit: &AuditLog) -> Result<BodyRules, StartError> {
    let models = &loaded.profile.models;
    if models.record_bodies != RecordBodies::None && audit.keys().is_none() {
        let problem = "needs `audit.encryption`: bodies are never stored in clear";
        return Err(ConfigError::from(
            loaded.diagnostic("models.record_bodies".to_owned(), problem),
        )
        .into());
    }
    Ok(BodyRules { which: models.record_bodies, most_bytes: models.record_body_bytes })
}

/// Everything that is wrong with the section.
pub(crate) fn faults(loaded: &LoadedProfile) -> Vec<Diagnostic> {
    let errors = [routes(loaded).err(), budgets(loaded).err()];
    errors.iter().flatten().flat_map(|error| error.diagnostics().to_vec()).collect()
}

/// The providers of kind `extension` that no extension brings. Where one cannot make its providers without a
/// database, the profile is taken at its word.
pub(crate) fn missing_extensions(
    loaded: &LoadedProfile,
    registry: &TypedExtensionRegistry,
    context: &ExtensionContext,
) -> Vec<Diagnostic> {
    let Ok(brought) = registry.providers(context) else { return Vec::new() };
    let names: Vec<&str> = brought.iter().map(|provider| provider.name()).collect();
    let meant = loaded.profile.models.providers.iter();
    let meant = meant.filter(|(_, provider)| provider.kind == ProviderKind::ByExtension);
    let missing = meant.filter(|(name, _)| !names.contains(&name.as_str()));
    missing
        .map(|(name, _)| {
            let fault = ConnectFault::no_extension(name, names.iter().copied());
            loaded.diagnostic(format!("models.providers.{name}"), &fault.to_string())
        })
        .collect()
}

/// The routes of a profile, with its prices.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with them, by file, line and column.
pub fn routes(loaded: &LoadedProfile) -> Result<RouteTable, ConfigError> {
    let models = &loaded.profile.models;
    let prices = prices(loaded)?;
    RouteTable::compile(models, Arc::new(prices)).map_err(|error| {
        let faults = error.faults().iter();
        let placed = faults.map(|fault| loaded.diagnostic(fault.path.clone(), &fault.problem));
        ConfigError::of(placed.collect()).err().unwrap_or_else(|| {
            loaded.diagnostic("models.routes".to_owned(), &error.to_string()).into()
        })
    })
}

fn prices(loaded: &LoadedProfile) -> Result<PriceTable, ConfigError> {
    let built_in = built_in(loaded)?;
    let Some(path) = &loaded.profile.models.prices else { return Ok(built_in) };
    let fault = |problem: String| -> ConfigError {
        loaded.diagnostic("models.prices".to_owned(), &problem).into()
    };
    let text = fs::read_to_string(path)
        .map_err(|error| fault(format!("`{}` cannot be read: {error}", path.display())))?;
    built_in.with_overrides(&text).map_err(|error| fault(format!("`{}`: {error}", path.display())))
}

/// The prices that come with the binary.
#[cfg(feature = "genai-prices")]
fn built_in(loaded: &LoadedProfile) -> Result<PriceTable, ConfigError> {
    let (models, prices) = (&loaded.profile.models, PriceTable::embedded());
    if !models.genai_prices {
        return Ok(prices);
    }
    let providers = models.providers.iter().map(|(name, config)| Provider::new(name, config));
    let providers: Vec<_> = providers.collect();
    let vendors: BTreeSet<&str> = providers.iter().flat_map(Provider::sellers).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Ok(prices.with_genai_prices(vendors, now.unwrap_or_default().as_secs()))
}

/// The prices that come with the binary.
#[cfg(not(feature = "genai-prices"))]
fn built_in(loaded: &LoadedProfile) -> Result<PriceTable, ConfigError> {
    if loaded.profile.models.genai_prices {
        let problem = "this binary was built without the feature `genai-prices`";
        return Err(loaded.diagnostic("models.genai_prices".to_owned(), problem).into());
    }
    Ok(PriceTable::embedded())
}

fn budgets(loaded: &LoadedProfile) -> Result<BudgetRules, ConfigError> {
    let rules: Vec<BudgetRule> =
        loaded.profile.models.budgets.iter().enumerate().map(budget_rule).collect();
    BudgetRules::compile(&rules).map_err(|error| {
        let path = format!("models.budgets[{}]", error.position);
        loaded.diagnostic(path, &error.problem.to_string()).into()
    })
}

fn budget_rule((position, budget): (usize, &ModelBudget)) -> BudgetRule {
    let dimension = |key: &BudgetKey| match key {
        BudgetKey::Tenant => BudgetDimension::Tenant,
        BudgetKey::User => BudgetDimension::User,
        BudgetKey::Key => BudgetDimension::Key,
        BudgetKey::Model => BudgetDimension::Model,
    };
    let names: Vec<&str> = budget.key.iter().map(|key| key.as_str()).collect();
    let per = if names.is_empty() { "all".to_owned() } else { names.join("+") };
    BudgetRule {
        name: format!("{position}-{per}-{}s", budget.window_s),
        key: budget.key.iter().map(dimension).collect(),
        limit_microdollars: budget.limit_microdollars,
        limit_tokens: budget.limit_tokens,
        window_s: budget.window_s,
    }
}

fn budget_store(
    database: &DbPool,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn BudgetStore>, StartError> {
    Ok(match database.backend() {
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => Arc::new(systemprompt_providers::budget::SqliteBudgetStore::new(
            database.clone(),
            clock.clone(),
        )?),
        #[cfg(feature = "postgres")]
        Backend::Postgres => Arc::new(systemprompt_providers::budget::PostgresBudgetStore::new(
            database.clone(),
            clock.clone(),
        )?),
        #[allow(unreachable_patterns, reason = "with every backend there is no other")]
        _ => Arc::new(systemprompt_providers::budget::MemoryBudgetStore::new(clock.clone())),
    })
}

/// What the providers of a configuration refer to in variables and files.
///
/// # Errors
/// [`StartError::Config`] that names the setting whose variable or file cannot be read.
pub fn secrets(config: &Config) -> Result<ProviderSecrets, StartError> {
    let mut secrets = ProviderSecrets::default();
    for (name, provider) in &config.profile().models.providers {
        let place = |key: &str| format!("models.providers.{name}.{key}");
        if let Some(ProviderKey::Ref(reference)) = &provider.key {
            let key = resolve(config, reference, &place("key"))?;
            secrets.keys.insert(name.clone(), Arc::new(key));
        }
        if let Some(proxy) = &provider.secret_proxy {
            let proxy = resolve(config, proxy, &place("secret_proxy"))?;
            secrets.proxies.insert(name.clone(), Arc::new(proxy));
        }
        let read = |path: &std::path::Path, key: &str| {
            fs::read_to_string(path).map_err(|error| {
                let problem = format!("`{}` cannot be read: {error}", path.display());
                StartError::Config(config.loaded().diagnostic(place(key), &problem).into())
            })
        };
        if let Some(path) = &provider.tls.ca_file {
            secrets.roots.insert(name.clone(), read(path, "tls.ca_file")?);
        }
        if let (Some(certificate), Some(key)) =
            (&provider.tls.client_cert, &provider.tls.client_key)
        {
            let certificate = read(certificate, "tls.client_cert")?;
            let key = resolve(config, key, &place("tls.client_key"))?;
            let both = Secret::new(format!("{certificate}\n{}", key.expose()));
            secrets.identities.insert(name.clone(), Arc::new(both));
        }
    }
    Ok(secrets)
}

fn resolve(
    config: &Config,
    reference: &SecretRef,
    path: &str,
) -> Result<Secret<String>, StartError> {
    let resolved = reference.resolve(config.environment()).map_err(|error| {
        StartError::Config(config.loaded().diagnostic(path.to_owned(), &error.to_string()).into())
    })?;
    Ok(resolved.value)
}

/// How often it is looked at which providers are to be probed.
const PROBE: std::time::Duration = std::time::Duration::from_secs(1);

/// Asks providers how they are, so that no caller's request has to find out.
pub(crate) struct ProbeProviders(pub(crate) ModelGateway);

#[async_trait]
impl Job for ProbeProviders {
    fn name(&self) -> &str {
        "probe_model_providers"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Every(PROBE)
    }

    async fn run(&self) -> Result<(), JobError> {
        self.0.probe_providers().await;
        Ok(())
    }
}

/// Gives back what was reserved and never settled.
pub(crate) struct ExpireBudgets {
    pub(crate) store: Arc<dyn BudgetStore>,
    pub(crate) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Job for ExpireBudgets {
    fn name(&self) -> &str {
        "expire_budget_reservations"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Every(EXPIRE)
    }

    async fn run(&self) -> Result<(), JobError> {
        let expired = self.store.expire(self.clock.now()).await;
        let expired = expired.map_err(|error| JobError(error.to_string()))?;
        if !expired.is_empty() {
            tracing::info!(reservations = expired.len(), "reservations of budgets were given back");
        }
        Ok(())
    }
}
