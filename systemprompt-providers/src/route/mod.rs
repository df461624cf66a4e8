//! Which provider and model a request goes to.
//!
//! A [`RouteTable`] is compiled from the `models` section of a profile. [`choose`](RouteTable::choose)
//! resolves aliases and takes the first route that fits, [`explain`](RouteTable::explain) says of every
//! route why it does or does not fit, [`models_for`](RouteTable::models_for) lists what a caller may ask
//! for.

mod cheapest;
mod choice;
mod compile;
mod explain;
mod listing;
mod query;
mod table;

#[cfg(test)]
mod tests;

pub use choice::{Chosen, ChosenTarget, NoRoute, NoRouteReason};
pub use compile::RouteError;
pub use explain::{Explanation, RouteExplanation, RouteOutcome};
pub use listing::ListedModel;
pub use query::RouteQuery;
pub use table::RouteTable;
