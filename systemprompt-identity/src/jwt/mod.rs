//! Tokens of configured issuers (RFC 7519, RFC 8725).

mod settings;

pub use settings::{
    ClaimNames, IssuerSettings, KeySource, SigningAlgorithm, TokenTypes, UnknownAlgorithm,
};
