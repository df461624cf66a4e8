use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::secrets::check_key;
use super::{BootstrapError, ProfileBootstrap, SecretsBootstrap, key_file};
use crate::config::{Profile, SecretRef};
use crate::secret::Secret;

/// Third stage: the data folder is there, and what the servers need is in hand.
pub struct CredentialsBootstrap {
    pub(super) profile: ProfileBootstrap,
    pub(super) data_folder: PathBuf,
    pub(super) fingerprint_key: Secret<String>,
    pub(super) database_password: Option<Arc<Secret<String>>>,
    pub(super) warnings: Vec<String>,
}

impl CredentialsBootstrap {
    /// Makes the data folder, if it was named as such (the folder of a database is there already, or
    /// the profile is wrong), and, unless the profile refers to one, the fingerprint key in it, which
    /// later starts find again.
    ///
    /// # Errors
    /// [`BootstrapError`] when the folder or the key cannot be made or used.
    pub fn prepare(secrets: SecretsBootstrap) -> Result<Self, BootstrapError> {
        let SecretsBootstrap { profile, fingerprint_key, database_password, mut warnings } =
            secrets;
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
            None => kept_key(&data_folder.join("fingerprint.key"), &profile, &mut warnings)?,
        };
        Ok(Self { profile, data_folder, fingerprint_key, database_password, warnings })
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

fn kept_key(
    path: &Path,
    profile: &ProfileBootstrap,
    warnings: &mut Vec<String>,
) -> Result<Secret<String>, BootstrapError> {
    key_file::create_if_missing(path)
        .map_err(|source| BootstrapError::KeyFile { path: path.to_owned(), source })?;
    let unusable = |problem| BootstrapError::UnusableKey { path: path.to_owned(), problem };
    let found = SecretRef::File(path.to_owned())
        .resolve(&profile.environment)
        .map_err(|error| unusable(error.to_string()))?;
    check_key(&found.value).map_err(unusable)?;
    warnings.extend(found.warning);
    Ok(found.value)
}
