use std::fmt;
use std::sync::Arc;

use systemprompt_core::llm::{ErrorKind, ModelError};

use crate::preset::Provider;
use crate::price::PriceRow;

/// Where a request goes.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The route, by its place in the configuration, from 0.
    pub route: usize,
    /// The model that was meant: what was asked for, its aliases resolved.
    pub model: String,
    /// Who is asked first.
    pub target: ChosenTarget,
    /// Who is asked next, in this order, when one before fails. Those that are refused because they have
    /// no price are left out.
    pub fallbacks: Vec<ChosenTarget>,
}

/// A provider, and the model it is asked for.
#[derive(Debug, Clone)]
pub struct ChosenTarget {
    /// The provider.
    pub provider: Arc<Provider>,
    /// The model as the provider names it.
    pub model: String,
    /// What it costs; `None` when that is not known and the route allows it.
    pub price: Option<Arc<PriceRow>>,
}

/// No route takes a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct NoRoute {
    /// The model that was asked for.
    pub requested: String,
    /// What was most likely meant, of the models that the caller may ask for.
    pub nearest: Option<String>,
    /// Why none does.
    pub reason: NoRouteReason,
}

/// Why no route takes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRouteReason {
    /// No route fits the model, or none that is for this caller.
    Unknown,
    /// Routes fit the model and the caller, but not this request.
    Conditions,
    /// A route fits, but what it leads to has no price, and it does not allow that.
    Unpriced {
        /// The route, by its place in the configuration, from 0.
        route: usize,
        /// The provider.
        provider: String,
        /// The model as the provider names it.
        model: String,
    },
}

/// Longest name that a message repeats, in characters.
const SHOWN: usize = 128;

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let requested: String = self.requested.chars().take(SHOWN).collect();
        match &self.reason {
            NoRouteReason::Unknown => write!(f, "there is no model `{requested}`")?,
            NoRouteReason::Conditions => {
                write!(f, "no route takes this request for the model `{requested}`")?;
            }
            NoRouteReason::Unpriced { route, provider, model } => {
                let model: String = model.chars().take(SHOWN).collect();
                write!(
                    f,
                    "the model `{requested}` cannot be used: `{model}` of the provider `{provider}` has no \
                     price, and route {route} does not allow that"
                )?;
            }
        }
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}

impl From<NoRoute> for ModelError {
    fn from(no_route: NoRoute) -> Self {
        let (kind, code) = match no_route.reason {
            NoRouteReason::Unknown | NoRouteReason::Conditions => {
                (ErrorKind::NotFound, "model_not_found")
            }
            NoRouteReason::Unpriced { .. } => (ErrorKind::Permission, "model_unpriced"),
        };
        let mut error = Self::new(kind, no_route.to_string()).with_code(code);
        error.field = Some("model".to_owned());
        error
    }
}
