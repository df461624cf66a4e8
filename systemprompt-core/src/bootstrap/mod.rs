//! From a file to a configuration that everything else reads, in steps that cannot be skipped.
//!
//! Each stage is a plain value and takes the one before:
//! [`ProfileBootstrap`] (the profile is read and valid), [`SecretsBootstrap`] (its references are
//! resolved), [`CredentialsBootstrap`] (what the servers need exists), [`Config`]. The runtime makes
//! its `AppContext` of the last.
//!
//! ```
//! use systemprompt_core::bootstrap::{
//!     Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
//! };
//! use systemprompt_core::config::{Environment, STARTER_PROFILE};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("profile.yaml");
//! std::fs::write(&path, STARTER_PROFILE)?;
//!
//! let profile = ProfileBootstrap::load(&path, Environment::from_process())?;
//! let secrets = SecretsBootstrap::resolve(profile)?;
//! let credentials = CredentialsBootstrap::prepare(secrets)?;
//! let config = Config::validate(credentials)?;
//! assert_eq!(config.profile().governance.rules.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! A stage that was not reached cannot be passed on:
//!
//! ```compile_fail,E0308
//! # use systemprompt_core::bootstrap::{CredentialsBootstrap, ProfileBootstrap};
//! # use systemprompt_core::config::Environment;
//! let profile = ProfileBootstrap::load("profile.yaml", Environment::empty()).unwrap();
//! let credentials = CredentialsBootstrap::prepare(profile); // the secrets were never resolved
//! ```

mod config;
mod credentials;
mod error;
mod key_file;
mod more_models;
mod profile;
mod secret;
mod secrets;

pub use config::Config;
pub use credentials::CredentialsBootstrap;
pub use error::BootstrapError;
pub use profile::ProfileBootstrap;
pub use secret::{ResolvedSecret, SecretRefError};
pub use secrets::SecretsBootstrap;

#[cfg(test)]
#[cfg(unix)]
mod tests;
