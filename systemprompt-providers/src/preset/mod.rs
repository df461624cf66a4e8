//! What is known of providers and models beforehand: where they are, what they speak, how they differ from
//! the dialects they speak, and what their models can do.
//!
//! A [`Provider`] is one of the configuration with what is known of its kind filled in. Two tables hold
//! what is known: `kind` of the providers and `models` of the models; where a configuration says
//! otherwise, it is right.

mod key_header;
mod kind;
mod models;
mod provider;

#[cfg(test)]
mod tests;

pub use key_header::KeyHeader;
pub use provider::{Endpoint, Provider};
