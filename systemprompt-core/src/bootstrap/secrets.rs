use crate::config::{ConfigError, Profile};
use crate::secret::Secret;

use super::ProfileBootstrap;

/// Fewest bytes of a key.
const MIN_KEY_BYTES: usize = 16;

/// Second stage: every secret the profile refers to was found.
pub struct SecretsBootstrap {
    pub(super) profile: ProfileBootstrap,
    pub(super) fingerprint_key: Option<Secret<String>>,
    pub(super) warnings: Vec<String>,
}

impl SecretsBootstrap {
    /// Fetches the secrets the profile refers to.
    ///
    /// # Errors
    /// [`ConfigError`] naming the reference, by file, line and column, whose secret is not there.
    pub fn resolve(profile: ProfileBootstrap) -> Result<Self, ConfigError> {
        const PATH: &str = "secrets.fingerprint_key";
        let mut warnings = Vec::new();
        let mut fingerprint_key = None;
        if let Some(reference) = &profile.profile().secrets.fingerprint_key {
            let fault = |problem: &str| profile.loaded.diagnostic(PATH, problem);
            let found = reference
                .resolve(&profile.environment)
                .map_err(|error| fault(&error.to_string()))?;
            check_key(&found.value).map_err(|problem| fault(&problem))?;
            warnings.extend(found.warning);
            fingerprint_key = Some(found.value);
        }
        for (path, reference) in profile.profile().export.secrets() {
            let found = reference
                .resolve(&profile.environment)
                .map_err(|error| profile.loaded.diagnostic(path, &error.to_string()))?;
            warnings.extend(found.warning);
        }
        Ok(Self { profile, fingerprint_key, warnings })
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

/// Whether the text is long enough to be a key.
pub(super) fn check_key(key: &Secret<String>) -> Result<(), String> {
    if key.expose().len() < MIN_KEY_BYTES {
        return Err(format!("the key is shorter than {MIN_KEY_BYTES} bytes"));
    }
    Ok(())
}
