use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::CredentialsBootstrap;
use super::more_models::add_models;
use super::profile::place_database;
use crate::config::{
    self, ConfigError, Diagnostic, Environment, LoadedProfile, ModelsSection, Profile,
};
use crate::secret::Secret;

/// Last stage: the configuration everything else reads. It does not change; a reload gives a new
/// [`LoadedProfile`] of which the host takes what it can change while it runs.
pub struct Config {
    loaded: LoadedProfile,
    environment: Environment,
    data_folder: PathBuf,
    named_data_folder: bool,
    more_models: Option<Arc<ModelsSection>>,
    fingerprint_key: Secret<String>,
    audit_key: Secret<String>,
    custody_key: Option<Secret<String>>,
    database_password: Option<Arc<Secret<String>>>,
    warnings: Vec<String>,
}

impl Config {
    /// Holds the profile, as it is after all stages, against what is valid.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is out of range.
    pub fn validate(credentials: CredentialsBootstrap) -> Result<Self, ConfigError> {
        let CredentialsBootstrap {
            profile,
            data_folder,
            fingerprint_key,
            audit_key,
            custody_key,
            database_password,
            warnings,
        } = credentials;
        profile.loaded.check()?;
        Ok(Self {
            loaded: profile.loaded,
            environment: profile.environment,
            data_folder,
            named_data_folder: profile.data_folder.is_some(),
            more_models: profile.more_models,
            fingerprint_key,
            audit_key,
            custody_key,
            database_password,
            warnings,
        })
    }

    /// The settings.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.loaded.profile
    }

    /// The settings and where they were written; policy faults are reported through it.
    #[must_use]
    pub fn loaded(&self) -> &LoadedProfile {
        &self.loaded
    }

    /// The folder for generated files. It exists.
    #[must_use]
    pub fn data_folder(&self) -> &Path {
        &self.data_folder
    }

    /// The key that fingerprints detected secrets, at least 16 bytes.
    #[must_use]
    pub fn fingerprint_key(&self) -> &Secret<String> {
        &self.fingerprint_key
    }

    /// The key that signs the audit log, 64 hex digits.
    #[must_use]
    pub fn audit_key(&self) -> &Secret<String> {
        &self.audit_key
    }

    /// The key that encrypts the data keys of secrets, 64 hex digits, with those before it in further lines;
    /// `None` when the profile says where it is.
    #[must_use]
    pub fn custody_key(&self) -> Option<&Secret<String>> {
        self.custody_key.as_ref()
    }

    /// The password of the PostgreSQL role, when the profile refers to one.
    #[must_use]
    pub fn database_password(&self) -> Option<&Arc<Secret<String>>> {
        self.database_password.as_ref()
    }

    /// How to open the database that the profile names.
    #[cfg(feature = "database")]
    #[must_use]
    pub fn database_options(&self) -> crate::database::DatabaseOptions {
        let section = &self.profile().database;
        let millis = std::time::Duration::from_millis;
        let mut options = crate::database::DatabaseOptions::new(section.url.expose());
        options.password = self.database_password.clone();
        options.max_connections = section.max_connections;
        options.acquire_timeout = millis(section.acquire_timeout_ms);
        options.busy_timeout = millis(section.busy_timeout_ms);
        options.statement_timeout =
            Some(section.statement_timeout_ms).filter(|ms| *ms > 0).map(millis);
        options
    }

    /// The variables that were filled in, for secrets that extensions refer to.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// What the operator should know, such as a secret that others may read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The profile's file; `None` when the profile was made in code.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.loaded.sources.locate("").map(|_| self.loaded.file.as_path())
    }

    /// Loads the profile's file again, with the variables of the start.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong with it, or when there is no file.
    pub fn reload(&self) -> Result<LoadedProfile, ConfigError> {
        match self.file() {
            Some(path) => {
                let mut loaded = config::load(path, &self.environment)?;
                if self.named_data_folder {
                    place_database(&mut loaded, &self.data_folder);
                }
                if let Some(more) = &self.more_models {
                    add_models(&mut loaded.profile.models, more);
                }
                Ok(loaded)
            }
            None => Err(ConfigError::from(Diagnostic {
                file: self.loaded.file.clone(),
                position: None,
                path: String::new(),
                message: "the profile was made in code; there is no file to reload".to_owned(),
            })),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("profile", &self.loaded.profile.profile)
            .field("file", &self.loaded.file)
            .field("data_folder", &self.data_folder)
            .finish_non_exhaustive()
    }
}
