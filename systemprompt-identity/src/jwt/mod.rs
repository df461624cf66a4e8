//! Tokens of configured issuers (RFC 7519, RFC 8725, RFC 9068).

mod claims;
mod header;
mod issuers;
mod settings;
mod when;

pub(crate) use issuers::Issuers;
pub use settings::{
    ClaimNames, IssuerSettings, KeySource, SigningAlgorithm, TokenTypes, UnknownAlgorithm,
};
