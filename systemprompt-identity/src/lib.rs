//! Identity: tenants, users, roles, departments, API keys, and the verification of credentials.
//!
//! - [`IdentityStore`] keeps identities in the host's database; every change runs in the caller's
//!   transaction, next to the audit event that reports it.
//! - [`CredentialVerifier`] turns an API key, or a token of a configured issuer, into a
//!   [`systemprompt_core::principal::Principal`]. A revocation takes effect within half a second in
//!   other processes.
//! - [`Gate`] authenticates HTTP requests: it finds the credential, slows down addresses that fail too
//!   often and has refusals written to the audit log.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused, reason = "without a backend there is no store to use it")
)]

mod directory;
mod error;
mod gate;
mod jwks;
mod jwt;
mod key;
mod schema;
mod store;
mod verify;

#[doc(inline)]
pub use error::IdentityError;
#[doc(inline)]
pub use gate::{Gate, GateSettings, GateStats, TrustedProxies};
#[doc(inline)]
pub use jwt::{
    ClaimNames, IssuerSettings, KeySource, SigningAlgorithm, TokenTypes, UnknownAlgorithm,
};
#[doc(inline)]
pub use key::KEY_PREFIX;
#[doc(inline)]
pub use schema::schema;
#[doc(inline)]
pub use store::{
    IdentityStore, IssuedKey, KeyInfo, NewKey, NewUser, SeedUser, Seeded, TenantInfo,
    TokenRevocation, UserInfo,
};
#[doc(inline)]
pub use verify::{CredentialVerifier, IdentityStats, IssuerStats, VerifierSettings};
