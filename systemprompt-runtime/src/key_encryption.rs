//! Key encryption keys, as the profile names them.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::config::{KeyEncryptionRef, SecretRef, VaultKey};
use systemprompt_core::encryption::{
    KeyEncryption, LocalKey, Transit, TransitOptions, TransitToken,
};

use crate::StartError;

/// The key that the profile refers to at `path`.
pub(crate) fn key_encryption(
    config: &Config,
    key: &KeyEncryptionRef,
    path: &str,
) -> Result<Arc<dyn KeyEncryption>, StartError> {
    let (at, reference) = key.secret(path);
    let fault = |error: &dyn std::fmt::Display| {
        StartError::Config(config.loaded().diagnostic(&at, &error.to_string()).into())
    };
    let secret = reference.resolve(config.environment()).map_err(|error| fault(&error))?.value;
    Ok(match key {
        KeyEncryptionRef::Env(_) | KeyEncryptionRef::File(_) => {
            Arc::new(LocalKey::parse(&secret).map_err(|error| fault(&error))?)
        }
        KeyEncryptionRef::Age(age) => {
            let named = format!("{path}.age.file");
            let unusable = |error: &dyn std::fmt::Display| {
                StartError::Config(config.loaded().diagnostic(&named, &error.to_string()).into())
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
    })
}
