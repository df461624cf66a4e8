use std::fs::{File, Metadata};
use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::config::{Environment, SecretRef};
use crate::secret::Secret;

/// Longest secret, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// A secret that was found where its reference points.
pub struct ResolvedSecret {
    /// The secret.
    pub value: Secret<String>,
    /// What the operator should know, such as a file that others may read.
    pub warning: Option<String>,
}

/// A secret is not where its reference points. Never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretRefError {
    /// The variable is not set.
    #[error("the environment variable `{name}` is not set")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("the file `{path}` cannot be read: {problem}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        problem: String,
    },
    /// Others could put another secret in its place.
    #[error("the file `{path}` may be changed by others; run `chmod 600` on it")]
    WritableByOthers {
        /// The file.
        path: String,
    },
    /// There is nothing in it.
    #[error("the secret is empty")]
    Empty,
}

impl SecretRef {
    /// Fetches the secret. A file may be readable by others, which gives a warning (mounted secrets
    /// often are), but not writable by them; one line break at its end is not part of the secret.
    ///
    /// # Errors
    /// [`SecretRefError`] when it is not there, empty, or may be changed by others.
    pub fn resolve(&self, environment: &Environment) -> Result<ResolvedSecret, SecretRefError> {
        let (value, warning) = match self {
            Self::Env(name) => {
                let unset = || SecretRefError::Unset { name: name.clone() };
                (Zeroizing::new(environment.var(name).ok_or_else(unset)?.to_owned()), None)
            }
            Self::File(path) => read_file(path)?,
        };
        let trimmed = value.strip_suffix('\n').unwrap_or(&value);
        let trimmed = trimmed.strip_suffix('\r').unwrap_or(trimmed);
        if trimmed.trim().is_empty() {
            return Err(SecretRefError::Empty);
        }
        Ok(ResolvedSecret { value: Secret::new(trimmed.to_owned()), warning })
    }
}

fn read_file(path: &Path) -> Result<(Zeroizing<String>, Option<String>), SecretRefError> {
    let shown = path.display().to_string();
    let unreadable = |problem: String| SecretRefError::Unreadable { path: shown.clone(), problem };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    let metadata = file.metadata().map_err(|error| unreadable(error.to_string()))?;
    let mode = others(&metadata);
    if mode.write {
        return Err(SecretRefError::WritableByOthers { path: shown });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(unreadable(format!("it is longer than {MAX_BYTES} bytes")));
    }
    let warning = mode
        .read
        .then(|| format!("the secret in `{shown}` may be read by others; run `chmod 600` on it"));
    Ok((text, warning))
}

/// What users other than the owner may do.
struct Others {
    read: bool,
    write: bool,
}

#[cfg(unix)]
fn others(metadata: &Metadata) -> Others {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode();
    Others { read: mode & 0o044 != 0, write: metadata.is_file() && mode & 0o022 != 0 }
}

#[cfg(not(unix))]
fn others(_: &Metadata) -> Others {
    Others { read: false, write: false }
}
