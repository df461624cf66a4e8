//! The `models` section: providers of models, and which requests go to which.

mod budget;
mod cache;
mod connection;
mod key;
mod pattern;
mod provider;
mod record;
mod route;
mod route_match;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretRef;

pub use budget::{BudgetKey, ModelBudget};
pub use cache::{CacheShare, ModelCache};
pub use connection::{
    ProviderBreaker, ProviderHealth, ProviderRetries, ProviderTimeouts, ProviderTls,
};
pub use key::ProviderKey;
pub use pattern::{ModelPattern, PatternFault};
pub use provider::{LossPolicy, ProviderConfig, ProviderKind, ProviderUsage};
pub use record::RecordBodies;
pub use route::{ModelRoute, ModelTarget, SplitTarget, UnpricedModels};
pub use route_match::{RouteCondition, RouteMatch};

/// Providers of models, and which requests go to which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelsSection {
    /// Where models are, by names of one's own: 1 to 64 of `a-z 0-9 - _`. They stand in routes, in records
    /// and in the audit log.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Other names of models: what a caller may ask for, and the model or other name that is meant.
    /// Routes see the model.
    pub aliases: BTreeMap<String, String>,
    /// Which models go where. The first route that fits is taken; a model that none fits is refused.
    pub routes: Vec<ModelRoute>,
    /// Whether the prices of the crate `genai-prices`, of the day on which the process starts, are put over those that
    /// are built in. Needs a binary with the feature `genai-prices`.
    pub genai_prices: bool,
    /// A file of prices that replace or extend those that are built in (JSON).
    pub prices: Option<PathBuf>,
    /// What may be spent. Every budget applies to every request.
    pub budgets: Vec<ModelBudget>,
    /// Whether answers are kept for the same request. They are not when absent.
    pub cache: Option<ModelCache>,
    /// Which bodies are recorded in the audit log, their secrets redacted and all of it encrypted with the
    /// caller's own key. More than `none` needs `audit.encryption`: bodies are never stored in clear.
    pub record_bodies: RecordBodies,
    /// Most of a body that is recorded, in bytes (1,024 to 1,048,576); what is longer is cut there, and
    /// the record says so.
    pub record_body_bytes: usize,
    /// Longest body of a request to a model, in bytes (1,024 to 268,435,456). Conversations and pictures
    /// are longer than calls of tools, for which `server.body_limit_bytes` stays.
    pub body_limit_bytes: usize,
}

impl Default for ModelsSection {
    fn default() -> Self {
        Self {
            providers: BTreeMap::new(),
            aliases: BTreeMap::new(),
            routes: Vec::new(),
            genai_prices: false,
            prices: None,
            budgets: Vec::new(),
            cache: None,
            record_bodies: RecordBodies::default(),
            record_body_bytes: 256 * 1024,
            body_limit_bytes: 32 * 1024 * 1024,
        }
    }
}

/// Something wrong in the section that its types cannot tell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {problem}")]
pub struct ModelsFault {
    /// Where, as a path in the profile, such as `models.routes[3].provider`.
    pub path: String,
    /// What is wrong, with the nearest valid spelling where there is one.
    pub problem: String,
}

impl ModelsSection {
    /// The secrets that providers refer to in variables and files, each with its path in the profile.
    /// Those in custody are opened when they are used.
    pub fn secrets(&self) -> impl Iterator<Item = (String, &SecretRef)> {
        self.providers.iter().flat_map(|(name, provider)| {
            let key = match &provider.key {
                Some(ProviderKey::Ref(reference)) => Some(reference),
                _ => None,
            };
            let secrets = [
                ("key", key),
                ("tls.client_key", provider.tls.client_key.as_ref()),
                ("secret_proxy", provider.secret_proxy.as_ref()),
            ];
            secrets.into_iter().filter_map(move |(key, secret)| {
                Some((format!("models.providers.{name}.{key}"), secret?))
            })
        })
    }

    /// The model that `name` stands for, and the names on the way to it, `name` left out. Aliases in a
    /// circle, which [`faults`](Self::faults) reports, end with the last that is new.
    #[must_use]
    pub fn resolve_alias<'s>(&'s self, name: &'s str) -> Vec<&'s str> {
        let mut way: Vec<&str> = Vec::new();
        let mut last = name;
        while let Some(next) = self.aliases.get(last) {
            if next == name || way.contains(&next.as_str()) {
                break;
            }
            last = next;
            way.push(last);
        }
        way
    }
}
