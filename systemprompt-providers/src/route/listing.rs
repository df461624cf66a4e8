use std::collections::{BTreeMap, BTreeSet};

use systemprompt_core::config::UnpricedModels;
use systemprompt_core::id::{RoleId, TenantId};
use systemprompt_core::principal::Principal;

use super::RouteTable;
use super::query::is_caller;
use super::table::Route;

/// A model that a caller may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedModel {
    /// The name to ask for.
    pub id: String,
    /// The model it stands for, when it is an alias.
    pub alias_of: Option<String>,
    /// The provider that is asked first, by its name; of several, the first that is written.
    pub provider: String,
    /// Most tokens of prompt and answer, where it is known.
    pub context: Option<u64>,
    /// Most tokens of an answer, where it is known.
    pub max_output: Option<u64>,
}

impl RouteTable {
    /// The models that a caller may ask for, by name: those that routes name, those of which prices are
    /// known that fit a pattern, and aliases. Of the conditions of routes only those of the caller count.
    #[must_use]
    pub fn models_for(&self, principal: &Principal) -> Vec<ListedModel> {
        let claims = principal.claims();
        self.models(Some(&claims.tenant), &claims.roles)
    }

    pub(super) fn models(
        &self,
        tenant: Option<&TenantId>,
        roles: &BTreeSet<RoleId>,
    ) -> Vec<ListedModel> {
        let is_open = |route: &&Route| is_caller(&route.when, tenant, roles);
        let named = self.routes.iter().filter(is_open).flat_map(|route| self.names(route));
        // An alias takes every request for a model of the same name.
        let named: BTreeSet<_> =
            named.filter(|name| !self.aliases.contains_key(name.as_str())).collect();
        let models = named.iter().map(|name| (name, None));
        let aliases = self.aliases.iter().map(|(alias, model)| (alias, Some(model)));
        let listed = models.chain(aliases).filter_map(|(id, alias_of)| {
            let model = alias_of.unwrap_or(id);
            let mut routes = self.candidates(model).filter_map(|index| self.routes.get(index));
            let listed = self.listed(routes.find(is_open)?, id, model)?;
            Some((id.clone(), ListedModel { alias_of: alias_of.cloned(), ..listed }))
        });
        listed.collect::<BTreeMap<_, _>>().into_values().collect()
    }

    /// A model that a route takes, unless the route refuses it because it has no price.
    fn listed(&self, route: &Route, id: &str, model: &str) -> Option<ListedModel> {
        let (target, _) = route.split.first()?;
        let target = target.chosen(model, &self.prices);
        if target.price.is_none() && route.unpriced == UnpricedModels::Refuse {
            return None;
        }
        Some(ListedModel {
            id: id.to_owned(),
            alias_of: None,
            provider: target.provider.name().to_string(),
            context: target.price.as_ref().and_then(|row| row.context),
            max_output: target.price.as_ref().and_then(|row| row.max_output),
        })
    }

    /// The models that a route is known to take.
    fn names(&self, route: &Route) -> Vec<String> {
        if let Some(model) = route.pattern.literal() {
            return vec![model.to_owned()];
        }
        let open = route.split.iter().filter(|(target, _)| target.model.is_none());
        open.flat_map(|(target, _)| target.provider.priced_models(&self.prices))
            .filter(|row| route.pattern.matches(&row.model))
            .map(|row| row.model.to_string())
            .collect()
    }
}
