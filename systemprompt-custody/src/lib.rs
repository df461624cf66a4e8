//! Secrets that a tool needs and a model must not see: kept encrypted, granted for declared uses, and put
//! into requests and processes after the decision.
//!
//! - [`Custody`] keeps them in the host's database. Every version of a secret is encrypted with a data key of
//!   its own (AES-256-GCM), which belongs to that version of that secret of that tenant and opens nothing
//!   else, and the data key with the host's key encryption key
//!   ([`KeyEncryption`](systemprompt_core::encryption::KeyEncryption)).
//! - It is the [`SecretStore`](systemprompt_core::contract::SecretStore) of the servers: a value is handed out
//!   for a use that was granted, a [`Place`] of a server, after the audit log has recorded it.
//! - `sops` (feature of the same name) reads files that sops has encrypted.
//! - [`inject`] puts values where they were declared.
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `sqlite` | the SQLite store | yes |
//! | `postgres` | the PostgreSQL store | no |
//! | `sops` | files that sops has encrypted | no |

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(dead_code, unused, reason = "without a backend there is no store to use it")
)]

mod actor;
mod change;
mod custody;
mod error;
pub mod inject;
mod last_use;
mod list;
mod open;
mod place;
mod record;
mod schema;
mod seal;
#[cfg(feature = "sops")]
pub mod sops;
mod store;
mod value;

#[doc(inline)]
pub use actor::Actor;
#[doc(inline)]
pub use change::{Grant, NewSecret, Revoked, Rewrapped};
#[doc(inline)]
pub use custody::{Custody, CustodyParts};
#[doc(inline)]
pub use error::CustodyError;
#[doc(inline)]
pub use list::{GrantInfo, SecretInfo, VersionInfo};
#[doc(inline)]
pub use place::{Place, PlaceError};
#[doc(inline)]
pub use schema::schema;
#[doc(inline)]
pub use value::{MAX_VALUE_BYTES, ValueError, check_value};
