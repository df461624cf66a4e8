use serde::{Deserialize, Serialize};

use super::RouteMatch;

/// Which models go where: to a `provider`, or to several by the weights of a `split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRoute {
    /// Which requests it fits: a name of a model, a pattern (`*` any run of characters, `?` any one), or a
    /// mapping of a pattern and when it counts.
    #[serde(rename = "match")]
    pub matching: RouteMatch,
    /// The provider that is asked, by its name.
    #[serde(default)]
    pub provider: Option<String>,
    /// The model as the provider names it; the one that was asked for when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// The providers that share the requests, instead of one `provider`.
    #[serde(default)]
    pub split: Vec<SplitTarget>,
    /// Who is asked next, in this order, when a provider fails before it answers anything.
    #[serde(default)]
    pub fallback: Vec<ModelTarget>,
    /// What becomes of models without a price.
    #[serde(default)]
    pub unpriced: UnpricedModels,
}

/// A provider, and the model it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelTarget {
    /// The provider, by its name.
    pub provider: String,
    /// The model as the provider names it; the one that was asked for when absent.
    #[serde(default)]
    pub model: Option<String>,
}

/// One of the providers that share the requests of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitTarget {
    /// The provider, by its name.
    pub provider: String,
    /// The model as the provider names it; the one that was asked for when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// Its share: so many requests of as many as all weights together (0 to 1,000,000).
    #[serde(default = "weight")]
    pub weight: u32,
}

fn weight() -> u32 {
    1
}

/// What becomes of requests for models without a price, whose cost no budget could count.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedModels {
    /// They are refused; a route that names such a model stops the start.
    #[default]
    Refuse,
    /// They are allowed, and recorded without a cost.
    Allow,
}

impl ModelRoute {
    /// The targets of which one is asked first, with their weights, and where each is written below the
    /// route.
    pub fn targets(&self) -> impl Iterator<Item = (String, ModelTarget, u32)> {
        let single = self.provider.iter().map(|provider| {
            let target = ModelTarget { provider: provider.clone(), model: self.model.clone() };
            (String::new(), target, 1)
        });
        let split = self.split.iter().enumerate().map(|(index, entry)| {
            let SplitTarget { provider, model, weight } = entry.clone();
            (format!(".split[{index}]"), ModelTarget { provider, model }, weight)
        });
        single.chain(split)
    }
}
