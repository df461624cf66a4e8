//! The model gateway, as the section `models` of the profile says.

use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use systemprompt_audit::AuditLog;
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::{
    BudgetKey, ConfigError, Diagnostic, LoadedProfile, ModelBudget, ProviderKey, RecordBodies,
    SecretRef,
};
use systemprompt_core::contract::{BudgetStore, Job, JobError, Schedule};
use systemprompt_core::database::{Backend, DbPool};
use systemprompt_core::secret::Secret;
use systemprompt_custody::Custody;
use systemprompt_governance::Governor;
use systemprompt_providers::budget::{BudgetDimension, BudgetRule, BudgetRules};
use systemprompt_providers::gateway::{BodyRules, GatewayParts, ModelGateway, ProviderSecrets};
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
) -> Result<(ModelGateway, Arc<dyn BudgetStore>), StartError> {
    let (config, clock) = (context.config(), context.clock().clone());
    let budget_store = budget_store(context.database(), &clock)?;
    let parts = GatewayParts {
        routes: routes(config.loaded())?,
        secrets: secrets(config)?,
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
    let embedded = PriceTable::embedded();
    let Some(path) = &loaded.profile.models.prices else { return Ok(embedded) };
    let fault = |problem: String| -> ConfigError {
        loaded.diagnostic("models.prices".to_owned(), &problem).into()
    };
    let text = fs::read_to_string(path)
        .map_err(|error| fault(format!("`{}` cannot be read: {error}", path.display())))?;
    embedded.with_overrides(&text).map_err(|error| fault(format!("`{}`: {error}", path.display())))
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
