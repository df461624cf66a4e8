//! The keys that the audit log encrypts persons with, as the profile says.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::retention::Retention;
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_core::bootstrap::Config;
use systemprompt_core::config::{KeyEncryptionRef, SecretRef, VaultKey};
use systemprompt_core::encryption::{
    KeyEncryption, LocalKey, Transit, TransitOptions, TransitToken,
};

use crate::StartError;

/// The keys that the audit log encrypts persons with; `None` when it does not.
///
/// # Errors
/// [`StartError`] when the key that the profile refers to cannot be used.
pub fn subject_keys(config: &Config) -> Result<Option<SubjectKeys>, StartError> {
    let Some(encryption) = &config.profile().audit.encryption else { return Ok(None) };
    let (path, reference) = encryption.key.secret();
    let fault = |error: &dyn std::fmt::Display| {
        StartError::Config(config.loaded().diagnostic(path, &error.to_string()).into())
    };
    let secret = reference.resolve(config.environment()).map_err(|error| fault(&error))?.value;
    let key: Arc<dyn KeyEncryption> = match &encryption.key {
        KeyEncryptionRef::Env(_) | KeyEncryptionRef::File(_) => {
            Arc::new(LocalKey::parse(&secret).map_err(|error| fault(&error))?)
        }
        KeyEncryptionRef::Age(age) => {
            let named = "audit.encryption.key.age.file";
            let unusable = |error: &dyn std::fmt::Display| {
                StartError::Config(config.loaded().diagnostic(named, &error.to_string()).into())
            };
            let file = std::fs::read(&age.file).map_err(|error| unusable(&error))?;
            Arc::new(LocalKey::decrypt_age(&file, &secret).map_err(|error| unusable(&error))?)
        }
        KeyEncryptionRef::Vault(vault) => {
            let VaultKey { url, mount, name, token, timeout_ms } = vault;
            let token = match token {
                SecretRef::Env(_) => TransitToken::Value(secret),
                SecretRef::File(path) => TransitToken::File(path.clone()),
            };
            let options = TransitOptions {
                url: url.as_str().parse().map_err(|error| fault(&error))?,
                mount: mount.clone(),
                name: name.clone(),
                token,
                timeout: Duration::from_millis(*timeout_ms),
            };
            Arc::new(Transit::new(options).map_err(|error| fault(&error))?)
        }
    };
    Ok(Some(SubjectKeys::new(key)))
}

/// How long the profile lets events be kept; `None` when for ever. What a sink of the profile has not got
/// yet is kept all the same.
#[must_use]
pub fn retention(config: &Config) -> Option<Retention> {
    let section = &config.profile().audit.retention;
    let (age, size) = (section.age.map(|age| age.get()), section.size.map(|size| size.get()));
    let sinks = config.profile().export.sinks.iter().map(|sink| sink.id.clone()).collect();
    (age.is_some() || size.is_some()).then_some(Retention { age, size, sinks })
}
