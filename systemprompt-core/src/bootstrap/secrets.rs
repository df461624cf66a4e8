use std::sync::Arc;

use crate::config::{ConfigError, KeyEncryptionRef, Profile, SecretRef};
use crate::secret::Secret;

use super::ProfileBootstrap;

/// Fewest bytes of a key.
const MIN_KEY_BYTES: usize = 16;

/// Second stage: every secret the profile refers to was found.
pub struct SecretsBootstrap {
    pub(super) profile: ProfileBootstrap,
    pub(super) fingerprint_key: Option<Secret<String>>,
    pub(super) audit_key: Option<Secret<String>>,
    pub(super) database_password: Option<Arc<Secret<String>>>,
    pub(super) warnings: Vec<String>,
}

impl SecretsBootstrap {
    /// Fetches the secrets the profile refers to.
    ///
    /// # Errors
    /// [`ConfigError`] naming the reference, by file, line and column, whose secret is not there.
    pub fn resolve(profile: ProfileBootstrap) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let mut faults = Vec::new();
        let mut find = |path: &str, reference: Option<&SecretRef>, check: Check| {
            let found = reference?.resolve(&profile.environment);
            let found = found.map_err(|error| error.to_string()).and_then(|found| {
                check(&found.value)?;
                Ok(found)
            });
            match found {
                Ok(found) => {
                    warnings.extend(found.warning);
                    Some(found.value)
                }
                Err(problem) => {
                    faults.push(profile.loaded.diagnostic(path, &problem));
                    None
                }
            }
        };
        let settings = profile.profile();
        let key = settings.secrets.fingerprint_key.as_ref();
        let fingerprint_key = find("secrets.fingerprint_key", key, check_key);
        let key = settings.audit.signing_key.as_ref();
        let audit_key = find("audit.signing_key", key, check_signing_key);
        let password = find("database.password", settings.database.password.as_ref(), |_| Ok(()));
        for (path, reference) in settings.export.secrets().chain(settings.models.secrets()) {
            find(&path, Some(reference), |_| Ok(()));
        }
        let encryption = settings.audit.encryption.as_ref().map(|encryption| &encryption.key);
        let keys =
            [("audit.encryption.key", encryption), ("custody.key", settings.custody.key.as_ref())];
        for (path, key) in keys {
            let Some(key) = key else { continue };
            let (path, reference) = key.secret(path);
            let check: Check = match key {
                KeyEncryptionRef::Vault(_) | KeyEncryptionRef::Age(_) => |_| Ok(()),
                KeyEncryptionRef::Env(_) | KeyEncryptionRef::File(_) => check_encryption_key,
            };
            find(&path, Some(&reference), check);
        }
        ConfigError::of(faults)?;
        let database_password = password.map(Arc::new);
        Ok(Self { profile, fingerprint_key, audit_key, database_password, warnings })
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.profile.profile()
    }

    /// What the operator should know, such as a secret that others may read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// What a key is held against.
pub(super) type Check = fn(&Secret<String>) -> Result<(), String>;

/// Whether the text is a key that signs: 32 bytes in hex.
pub(super) fn check_signing_key(key: &Secret<String>) -> Result<(), String> {
    let key = key.expose();
    if key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err("a signing key has 64 hex digits".to_owned())
    }
}

/// Whether the text is a key that encrypts keys, with those before it: 32 bytes in hex each.
pub(super) fn check_encryption_key(key: &Secret<String>) -> Result<(), String> {
    let is_key = |line: &str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut lines = key.expose().lines().map(str::trim).filter(|line| !line.is_empty());
    if lines.all(is_key) {
        Ok(())
    } else {
        Err("a key encryption key has 64 hex digits, one key in each line".to_owned())
    }
}

/// Whether the text is long enough to be a key.
pub(super) fn check_key(key: &Secret<String>) -> Result<(), String> {
    if key.expose().len() < MIN_KEY_BYTES {
        return Err(format!("the key is shorter than {MIN_KEY_BYTES} bytes"));
    }
    Ok(())
}
