//! The gateway between callers of three dialects and a provider that does what it is told.
//!
//! A test asserts three things: what the caller got, what the provider saw, and what was recorded.

mod bodies;
mod budgets;
mod built_in;
mod counts;
mod cuts;
mod doors;
mod extension;
mod faults;
mod floods;
mod governor;
mod health;
mod house;
mod kept;
mod lanes;
mod pairs;
mod reports;
mod requests;
mod scanner;
mod splits;
mod storms;
mod strangers;
mod streams;
mod wire;
