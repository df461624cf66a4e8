//! What requests cost, in integer microdollars.
//!
//! A [`PriceTable`] holds a dated table that is built in, and what a host puts over it. [`cost`] prices a
//! whole request at once: the tier is that of its whole prompt, the sum is rounded once, and a model
//! without a row has no cost, which is something else than zero. [`worst_case`] is what may be reserved
//! before a request.
//!
//! With the feature `genai-prices` rows of the crate of that name can be put over it, found by asking it for the
//! price of a token of each kind. A model with a fee per request, with a rate of its own for reasoning, or with
//! other rates at other hours has none there.

mod cost;
mod dated;
mod error;
#[cfg(feature = "genai-prices")]
mod genai;
mod read;
mod row;
mod table;

#[cfg(test)]
mod tests;

pub use cost::{cost, cost_at, numerator, worst_case};
pub use dated::undated;
pub use error::{PriceFault, PriceFileError};
pub use row::{Peak, PriceRow, PriceTier, Rates};
pub use table::PriceTable;
