use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use systemprompt_core::config::{
    ModelRoute, ModelTarget, ModelsFault, ModelsSection, UnpricedModels, nearest,
};

use super::RouteTable;
use super::table::{Route, Target};
use crate::preset::Provider;
use crate::price::PriceTable;

/// Routes cannot be compiled. Holds everything that was found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteError {
    faults: Vec<ModelsFault>,
}

impl RouteError {
    /// What is wrong, each with its path in the profile; at least one.
    #[must_use]
    pub fn faults(&self) -> &[ModelsFault] {
        &self.faults
    }
}

impl fmt::Display for RouteError {
    /// One fault per line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RouteError {}

type Providers = BTreeMap<Arc<str>, Arc<Provider>>;

impl RouteTable {
    /// Compiles the routes of a configuration.
    ///
    /// # Errors
    /// [`RouteError`] with all that is wrong with the section, and the models that routes name without a
    /// price being known and without allowing that.
    pub fn compile(models: &ModelsSection, prices: Arc<PriceTable>) -> Result<Self, RouteError> {
        let mut faults = models.faults();
        let providers: Providers = models
            .providers
            .iter()
            .map(|(name, config)| (Arc::from(name.as_str()), Arc::new(Provider::new(name, config))))
            .collect();
        unknown_vendors(models, &prices, &mut faults);
        let mut table = Self {
            providers,
            aliases: BTreeMap::new(),
            routes: Vec::new(),
            literals: HashMap::new(),
            patterns: Vec::new(),
            prices,
        };
        for name in models.aliases.keys() {
            if let Some(model) = models.resolve_alias(name).last() {
                table.aliases.insert(name.clone(), (*model).to_owned());
            }
        }
        for (index, route) in models.routes.iter().enumerate() {
            table.unpriced(index, route, &mut faults);
            match route.matching.pattern.literal() {
                Some(model) => table.literals.entry(model.to_owned()).or_default().push(index),
                None => table.patterns.push(index),
            }
            let compiled = table.compiled(route);
            table.routes.push(compiled);
        }
        if faults.is_empty() { Ok(table) } else { Err(RouteError { faults }) }
    }

    /// Targets whose provider is not known, which is a fault of its own, are left out.
    fn compiled(&self, route: &ModelRoute) -> Route {
        let split = route.targets().filter_map(|(_, target, weight)| {
            Some((self.compiled_target(&target)?, u64::from(weight)))
        });
        Route {
            pattern: route.matching.pattern.clone(),
            when: route.matching.when.clone(),
            split: split.collect(),
            fallback: route.fallback.iter().filter_map(|each| self.compiled_target(each)).collect(),
            unpriced: route.unpriced,
        }
    }

    fn compiled_target(&self, target: &ModelTarget) -> Option<Target> {
        let provider = self.provider(&target.provider)?.clone();
        Some(Target { provider, model: target.model.clone() })
    }

    /// Whether a route names models without a price. What its pattern leaves open is found when it is
    /// asked for.
    fn unpriced(&self, index: usize, route: &ModelRoute, faults: &mut Vec<ModelsFault>) {
        if route.unpriced == UnpricedModels::Allow {
            return;
        }
        let path = format!("models.routes[{index}]");
        let fallback = route.fallback.iter().enumerate();
        let fallback = fallback.map(|(at, target)| (format!(".fallback[{at}]"), target.clone()));
        for (at, target) in route.targets().map(|(at, target, _)| (at, target)).chain(fallback) {
            let Some(provider) = self.provider(&target.provider) else { continue };
            let literal = route.matching.pattern.literal();
            let Some(model) = target.model.as_deref().or(literal) else { continue };
            if provider.price(model, &self.prices).is_some() {
                continue;
            }
            let problem = format!(
                "no price is known for `{model}` of the provider `{}`; state one in `models.prices`, or \
                 allow it with `unpriced: allow`",
                target.provider
            );
            let key = if target.model.is_some() { "model" } else { "provider" };
            faults.push(ModelsFault { path: format!("{path}{at}.{key}"), problem });
        }
    }
}

fn unknown_vendors(models: &ModelsSection, prices: &PriceTable, faults: &mut Vec<ModelsFault>) {
    for (name, provider) in &models.providers {
        let Some(vendor) = provider.priced_as.as_deref() else { continue };
        if prices.rows_of(vendor).next().is_none() {
            let meant = nearest(vendor, prices.providers());
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?"));
            let problem = format!("there are no prices of `{vendor}`{}", meant.unwrap_or_default());
            faults
                .push(ModelsFault { path: format!("models.providers.{name}.priced_as"), problem });
        }
    }
}
