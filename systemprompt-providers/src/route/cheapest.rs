use super::RouteTable;
use super::table::{Route, Target};
use crate::price::PriceRow;

impl RouteTable {
    /// The cheapest model that a provider is routed to, as the provider names it; one without a price only
    /// where no other is known. `None` when no route leads there, or only such that leave the model open.
    #[must_use]
    pub fn cheapest_model(&self, provider: &str) -> Option<String> {
        let models = self.routes.iter().flat_map(|route| {
            let targets = route.split.iter().map(|(target, _)| target).chain(&route.fallback);
            let own = targets.filter(|target| **target.provider.name() == *provider);
            own.flat_map(|target| self.models_of(route, target))
        });
        let priced = models.map(|(model, target)| {
            let row = target.provider.price(&model, &self.prices);
            (row.map(|row| weight(&row)), model)
        });
        let dearness =
            |(weight, model): &(Option<u64>, String)| (weight.unwrap_or(u64::MAX), model.clone());
        priced.min_by_key(dearness).map(|(_, model)| model)
    }

    fn models_of<'t>(&self, route: &Route, target: &'t Target) -> Vec<(String, &'t Target)> {
        let named = target.model.as_deref().or(route.pattern.literal());
        match named {
            Some(model) => vec![(model.to_owned(), target)],
            None => target
                .provider
                .priced_models(&self.prices)
                .filter(|row| route.pattern.matches(&row.model))
                .map(|row| (row.model.to_string(), target))
                .collect(),
        }
    }
}

/// What a short question costs.
fn weight(row: &PriceRow) -> u64 {
    row.rates.input.saturating_mul(8).saturating_add(row.rates.output)
}
