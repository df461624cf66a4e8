use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::secrets::{Check, check_encryption_key, check_key, check_signing_key};
use super::{BootstrapError, ProfileBootstrap, SecretsBootstrap, key_file};
use crate::config::{Profile, SecretRef};
use crate::secret::Secret;

/// Third stage: the data folder is there, and what the servers need is in hand.
pub struct CredentialsBootstrap {
    pub(super) profile: ProfileBootstrap,
    pub(super) data_folder: PathBuf,
    pub(super) fingerprint_key: Secret<String>,
    pub(super) audit_key: Secret<String>,
    pub(super) custody_key: Option<Secret<String>>,
    pub(super) database_password: Option<Arc<Secret<String>>>,
    pub(super) warnings: Vec<String>,
}

impl CredentialsBootstrap {
    /// Makes the data folder, if it was named as such (the folder of a database is there already, or
    /// the profile is wrong), and, unless the profile refers to them, the fingerprint key, the key that
    /// signs the audit log and the one that encrypts secrets in it, which later starts find again.
    ///
    /// # Errors
    /// [`BootstrapError`] when the folder or the key cannot be made or used, or when the key that has
    /// signed the audit log is gone.
    pub fn prepare(secrets: SecretsBootstrap) -> Result<Self, BootstrapError> {
        let SecretsBootstrap {
            profile,
            fingerprint_key,
            audit_key,
            database_password,
            mut warnings,
        } = secrets;
        let data_folder = match &profile.data_folder {
            Some(folder) => {
                make_folder(folder)?;
                folder.clone()
            }
            // A server keeps nothing here: then it is the folder of the profile.
            None => beside(profile.profile().database.url.path().unwrap_or(&profile.loaded.file)),
        };
        if !data_folder.is_dir() {
            return Err(BootstrapError::NoFolder { folder: data_folder });
        }
        let fingerprint_key = match fingerprint_key {
            Some(key) => key,
            None => {
                let path = data_folder.join("fingerprint.key");
                kept_key(&path, check_key, &profile, &mut warnings)?
            }
        };
        let audit_key = match audit_key {
            Some(key) => key,
            None => {
                let path = data_folder.join("audit.key");
                not_lost(&path, &data_folder, profile.profile())?;
                kept_key(&path, check_signing_key, &profile, &mut warnings)?
            }
        };
        let custody_key = match profile.profile().custody.key {
            Some(_) => None,
            None => {
                let path = data_folder.join("custody.key");
                Some(kept_key(&path, check_encryption_key, &profile, &mut warnings)?)
            }
        };
        Ok(Self {
            profile,
            data_folder,
            fingerprint_key,
            audit_key,
            custody_key,
            database_password,
            warnings,
        })
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        self.profile.profile()
    }
}

fn beside(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn make_folder(folder: &Path) -> Result<(), BootstrapError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|source| BootstrapError::DataFolder { folder: folder.to_owned(), source })
}

/// Never makes another key in the place of one that has signed the log: whoever verifies it trusts the
/// first one only.
fn not_lost(path: &Path, data_folder: &Path, profile: &Profile) -> Result<(), BootstrapError> {
    let public = data_folder.join("audit.pub");
    let database = &profile.database.url;
    // A server outlives the folder; only a file can be seen to be gone.
    let gone = database.path().is_some_and(|database| !database.exists());
    if path.exists() || !public.exists() || gone {
        return Ok(());
    }
    let database = match database.path() {
        Some(database) => database.display().to_string(),
        None => database.to_string(),
    };
    Err(BootstrapError::LostKey { path: path.to_owned(), public, database })
}

fn kept_key(
    path: &Path,
    check: Check,
    profile: &ProfileBootstrap,
    warnings: &mut Vec<String>,
) -> Result<Secret<String>, BootstrapError> {
    key_file::create_if_missing(path)
        .map_err(|source| BootstrapError::KeyFile { path: path.to_owned(), source })?;
    let unusable = |problem| BootstrapError::UnusableKey { path: path.to_owned(), problem };
    let found = SecretRef::File(path.to_owned())
        .resolve(&profile.environment)
        .map_err(|error| unusable(error.to_string()))?;
    check(&found.value).map_err(unusable)?;
    warnings.extend(found.warning);
    Ok(found.value)
}
