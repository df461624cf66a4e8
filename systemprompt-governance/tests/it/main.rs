//! The governor as its embedders see it, and its doors as clients see them.

mod audit;
mod checks;
mod house;
#[cfg(test)]
#[cfg(feature = "http")]
mod http;
mod layer;
mod pipeline;
mod profiles;
mod rates;
mod repeats;
