//! The gateway between callers of three dialects and a provider that does what it is told.
//!
//! A test asserts three things: what the caller got, what the provider saw, and what was recorded.

mod bodies;
mod budgets;
mod doors;
mod faults;
mod governor;
mod house;
mod kept;
mod lanes;
mod pairs;
mod requests;
mod scanner;
mod streams;
mod wire;
