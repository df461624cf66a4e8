//! The governor as its embedders see it.

mod audit;
mod checks;
mod house;
mod pipeline;
mod rates;
mod repeats;
