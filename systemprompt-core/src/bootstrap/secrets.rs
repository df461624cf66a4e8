use crate::config::{ConfigError, Profile, SecretRef};
use crate::secret::Secret;

use super::ProfileBootstrap;

/// Fewest bytes of a key.
const MIN_KEY_BYTES: usize = 16;

/// Second stage: every secret the profile refers to was found.
pub struct SecretsBootstrap {
    pub(super) profile: ProfileBootstrap,
    pub(super) fingerprint_key: Option<Secret<String>>,
    pub(super) audit_key: Option<Secret<String>>,
    pub(super) warnings: Vec<String>,
}

impl SecretsBootstrap {
    /// Fetches the secrets the profile refers to.
    ///
    /// # Errors
    /// [`ConfigError`] naming the reference, by file, line and column, whose secret is not there.
    pub fn resolve(profile: ProfileBootstrap) -> Result<Self, ConfigError> {
        let mut warnings = Vec::new();
        let mut found = |reference: &Option<SecretRef>, path, check: Check| match reference {
            Some(reference) => {
                let fault = |problem: &str| profile.loaded.diagnostic(path, problem);
                let found = reference
                    .resolve(&profile.environment)
                    .map_err(|error| fault(&error.to_string()))?;
                check(&found.value).map_err(|problem| fault(&problem))?;
                warnings.extend(found.warning);
                Ok(Some(found.value))
            }
            None => Ok::<_, ConfigError>(None),
        };
        let settings = profile.profile();
        let fingerprint = &settings.secrets.fingerprint_key;
        let fingerprint_key = found(fingerprint, "secrets.fingerprint_key", check_key)?;
        let audit_key = found(&settings.audit.signing_key, "audit.signing_key", check_signing_key)?;
        for (path, reference) in settings.export.secrets() {
            let found = reference
                .resolve(&profile.environment)
                .map_err(|error| profile.loaded.diagnostic(path, &error.to_string()))?;
            warnings.extend(found.warning);
        }
        Ok(Self { profile, fingerprint_key, audit_key, warnings })
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

/// Whether the text is long enough to be a key.
pub(super) fn check_key(key: &Secret<String>) -> Result<(), String> {
    if key.expose().len() < MIN_KEY_BYTES {
        return Err(format!("the key is shorter than {MIN_KEY_BYTES} bytes"));
    }
    Ok(())
}
