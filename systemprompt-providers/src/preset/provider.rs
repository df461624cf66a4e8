use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use systemprompt_core::config::{ProviderConfig, ProviderKind, ProviderUsage};
use systemprompt_core::llm::Dialect;

use super::models::KnownModels;
use super::{KeyHeader, kind};
use crate::dialect::{Capabilities, ProviderFlags, Source, UsageMode};
use crate::price::{PriceRow, PriceTable};

/// A provider of the configuration, with what is known of its kind filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    name: Arc<str>,
    config: Arc<ProviderConfig>,
    vendor: Option<Arc<str>>,
    endpoints: Vec<Endpoint>,
    models: KnownModels,
}

/// Where a provider is spoken to in a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The dialect.
    pub dialect: Dialect,
    /// What the paths of requests, such as `/v1/messages`, are appended to; without a slash at its end.
    pub base_url: String,
}

impl Provider {
    /// The provider of this name.
    #[must_use]
    pub fn new(name: &str, config: &ProviderConfig) -> Self {
        let known = kind::known(config.kind);
        let base_url = config.base_url.as_ref().map(AsRef::as_ref).or(known.base_url);
        let wire = config.wire;
        let endpoints = match (base_url, wire) {
            (None, _) => Vec::new(),
            (Some(base), Some(wire)) if config.kind == ProviderKind::Custom => {
                vec![endpoint(base, wire, "")]
            }
            (Some(base), wire) => known
                .wires
                .iter()
                .filter(|(dialect, _)| wire.is_none_or(|wire| wire == *dialect))
                .map(|(dialect, path)| endpoint(base, *dialect, path))
                .collect(),
        };
        let vendor = config.priced_as.as_deref().or(known.vendor);
        Self {
            name: name.into(),
            config: Arc::new(config.clone()),
            vendor: vendor.map(Arc::from),
            endpoints,
            models: KnownModels::of(vendor.unwrap_or(name)),
        }
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What the configuration says of it.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// Whether it answers without being connected to.
    #[must_use]
    pub fn is_echo(&self) -> bool {
        self.config.kind == ProviderKind::Echo
    }

    /// Where it is spoken to in each of its dialects, the best first; nowhere for an echo.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// Where a request goes that came in a dialect: the same dialect where the provider speaks it, so that
    /// bytes can be passed on as they are, else its best one. `None` for an echo.
    #[must_use]
    pub fn endpoint_for(&self, front: Dialect) -> Option<&Endpoint> {
        let same = self.endpoints.iter().find(|endpoint| endpoint.dialect == front);
        same.or_else(|| self.endpoints.first())
    }

    /// How its key is sent.
    #[must_use]
    pub fn key_header(&self, dialect: Dialect) -> KeyHeader {
        let own = kind::key_header(self.config.kind, dialect);
        self.config.key_header.as_deref().or(own).map_or(KeyHeader::Bearer, KeyHeader::named)
    }

    /// Adds the further headers that the configuration has for every request.
    pub fn put_headers(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.config.headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
    }

    /// How it differs from a dialect.
    #[must_use]
    pub fn flags(&self, dialect: Dialect) -> ProviderFlags {
        let own = kind::flags(self.config.kind, dialect);
        let said = &*self.config;
        ProviderFlags {
            cache_ttl: said.cache_ttl.unwrap_or(own.cache_ttl),
            betas: said.betas.clone().or(own.betas),
            version: said.version.clone().or(own.version),
            stream_usage: said.stream_usage.unwrap_or(own.stream_usage),
            usage_mode: said.usage_mode.map_or(own.usage_mode, usage_mode),
            ..own
        }
    }

    /// The source of its answers, whose tools have the names that the caller gave them.
    pub(crate) fn source(&self, flags: &ProviderFlags) -> Source {
        let usage_mode = flags.usage_mode;
        Source { provider: self.name.clone(), usage_mode, tool_names: Arc::default() }
    }

    /// What one of its models can do. Limits of tokens are those of the price table.
    #[must_use]
    pub fn capabilities(&self, model: &str, prices: &PriceTable) -> Capabilities {
        let row = self.price(model, prices);
        Capabilities {
            max_output: row.as_ref().and_then(|row| row.max_output),
            context: row.as_ref().and_then(|row| row.context),
            ..self.models.capabilities(model)
        }
    }

    /// What one of its models costs: by a row of the provider's own name, else by one of the vendor. An
    /// echo costs nothing. `None` when it is not known, which is not the same.
    #[must_use]
    pub fn price(&self, model: &str, prices: &PriceTable) -> Option<Arc<PriceRow>> {
        if self.is_echo() {
            return Some(Arc::new(PriceRow::free(&self.name, model)));
        }
        self.sellers().find_map(|seller| prices.row(seller, model)).cloned()
    }

    /// The models of which a price is known, as their vendor names them.
    pub fn priced_models<'p>(
        &'p self,
        prices: &'p PriceTable,
    ) -> impl Iterator<Item = &'p PriceRow> {
        self.sellers().flat_map(|seller| prices.rows_of(seller)).map(|row| &**row)
    }

    /// Whose prices its models have: its own, then those of its vendor.
    pub fn sellers(&self) -> impl Iterator<Item = &str> {
        let vendor = self.vendor.as_deref().filter(|vendor| **vendor != *self.name);
        std::iter::once(&*self.name).chain(vendor)
    }
}

fn endpoint(base: &str, dialect: Dialect, path: &str) -> Endpoint {
    Endpoint { dialect, base_url: format!("{}{path}", base.trim_end_matches('/')) }
}

const fn usage_mode(mode: ProviderUsage) -> UsageMode {
    match mode {
        ProviderUsage::Native => UsageMode::Native,
        ProviderUsage::Exclusive => UsageMode::Exclusive,
        ProviderUsage::Inclusive => UsageMode::Inclusive,
        ProviderUsage::LastEvent => UsageMode::LastEvent,
    }
}
