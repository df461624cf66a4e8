use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use systemprompt_core::config::{ModelPattern, RouteCondition, UnpricedModels, nearest};

use super::query::is_caller;
use super::{Chosen, ChosenTarget, NoRoute, NoRouteReason, RouteQuery};
use crate::preset::Provider;
use crate::price::PriceTable;

/// The routes of a configuration. It does not change; a new configuration makes a new one.
#[derive(Debug, Clone)]
pub struct RouteTable {
    pub(super) providers: BTreeMap<Arc<str>, Arc<Provider>>,
    /// Every alias, and the model it stands for in the end.
    pub(super) aliases: BTreeMap<String, String>,
    pub(super) routes: Vec<Route>,
    /// The routes without a wildcard, by their model.
    pub(super) literals: HashMap<String, Vec<usize>>,
    /// The routes with one.
    pub(super) patterns: Vec<usize>,
    pub(super) prices: Arc<PriceTable>,
}

#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) pattern: ModelPattern,
    pub(super) when: RouteCondition,
    /// Who is asked first, by weight.
    pub(super) split: Vec<(Target, u64)>,
    pub(super) fallback: Vec<Target>,
    pub(super) unpriced: UnpricedModels,
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) provider: Arc<Provider>,
    /// The model that is asked for; the caller's own when absent.
    pub(super) model: Option<String>,
}

impl RouteTable {
    /// Where a request goes: by the first route that fits, aliases resolved.
    ///
    /// # Errors
    /// [`NoRoute`] when none fits, or the one that does leads to a model without a price.
    pub fn choose(&self, query: &RouteQuery<'_>) -> Result<Chosen, NoRoute> {
        let model = self.resolve(query.model);
        let mut fits_the_model = false;
        for index in self.candidates(model) {
            let Some(route) = self.routes.get(index) else { continue };
            // A model of others is one that there is not.
            fits_the_model |= is_caller(&route.when, query.tenant, query.roles);
            if query.meets(&route.when) {
                return self.take(index, route, model, query);
            }
        }
        let reason =
            if fits_the_model { NoRouteReason::Conditions } else { NoRouteReason::Unknown };
        Err(self.no_route(query, reason))
    }

    fn take(
        &self,
        index: usize,
        route: &Route,
        model: &str,
        query: &RouteQuery<'_>,
    ) -> Result<Chosen, NoRoute> {
        let Some(first) = route.drawn(query.draw) else {
            return Err(self.no_route(query, NoRouteReason::Conditions));
        };
        let target = first.chosen(model, &self.prices);
        let allowed = |target: &ChosenTarget| {
            target.price.is_some() || route.unpriced == UnpricedModels::Allow
        };
        if !allowed(&target) {
            let (provider, model) = (target.provider.name().to_string(), target.model);
            let reason = NoRouteReason::Unpriced { route: index, provider, model };
            return Err(self.no_route(query, reason));
        }
        let fallbacks = route.fallback.iter().map(|next| next.chosen(model, &self.prices));
        let is_first = |next: &ChosenTarget| {
            next.provider.name() == target.provider.name() && next.model == target.model
        };
        let fallbacks = fallbacks.filter(|next| allowed(next) && !is_first(next)).collect();
        Ok(Chosen { route: index, model: model.to_owned(), target, fallbacks })
    }

    fn no_route(&self, query: &RouteQuery<'_>, reason: NoRouteReason) -> NoRoute {
        let nearest = match reason {
            NoRouteReason::Unknown => {
                let models = self.models(query.tenant, query.roles);
                let names = models.iter().map(|model| model.id.as_str());
                nearest(query.model, names).map(str::to_owned)
            }
            _ => None,
        };
        NoRoute { requested: query.model.to_owned(), nearest, reason }
    }

    /// The model that a name stands for; itself when it is no alias.
    #[must_use]
    pub fn resolve<'n>(&'n self, name: &'n str) -> &'n str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// The routes whose pattern fits, in order. Those of just this model are looked up, only patterns are
    /// tried.
    pub(super) fn candidates(&self, model: &str) -> impl Iterator<Item = usize> {
        let mut literals = self.literals.get(model).into_iter().flatten().copied().peekable();
        let fits = |index: &usize| {
            self.routes.get(*index).is_some_and(|route| route.pattern.matches(model))
        };
        let mut patterns = self.patterns.iter().copied().filter(fits).peekable();
        std::iter::from_fn(move || match (literals.peek(), patterns.peek()) {
            (Some(literal), Some(pattern)) if literal < pattern => literals.next(),
            (_, Some(_)) => patterns.next(),
            _ => literals.next(),
        })
    }

    /// A provider by its name in the configuration.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.get(name)
    }

    /// All providers of the configuration, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }

    /// The prices that the routes were compiled with.
    #[must_use]
    pub fn prices(&self) -> &Arc<PriceTable> {
        &self.prices
    }
}

impl Route {
    /// The entry of the split that a number falls to: of as many numbers in a row as all weights together,
    /// each entry gets as many as its weight.
    fn drawn(&self, draw: u64) -> Option<&Target> {
        let total: u64 = self.split.iter().map(|(_, weight)| weight).sum();
        let mut point = draw.checked_rem(total)?;
        for (target, weight) in &self.split {
            match point.checked_sub(*weight) {
                None => return Some(target),
                Some(rest) => point = rest,
            }
        }
        None
    }
}

impl Target {
    /// The target of a request for `model`.
    pub(super) fn chosen(&self, model: &str, prices: &PriceTable) -> ChosenTarget {
        let model = self.model.as_deref().unwrap_or(model);
        ChosenTarget {
            provider: self.provider.clone(),
            model: model.to_owned(),
            price: self.provider.price(model, prices),
        }
    }
}
