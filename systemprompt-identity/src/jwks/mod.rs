//! The public keys of issuers: reading a JWKS (RFC 7517), fetching it and keeping it current.

mod fetch;
mod issuer_keys;
mod jwk;
mod key_set;
mod public_key;
mod self_check;

pub(crate) use fetch::client;
pub(crate) use issuer_keys::{IssuerKeys, keep_current};
pub(crate) use public_key::PublicKey;
pub(crate) use self_check::self_check;
