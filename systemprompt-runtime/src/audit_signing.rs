//! How the audit log of an installation is signed, and where that goes.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::AuditLog;
use systemprompt_audit::checkpoint::{
    CheckpointOptions, CheckpointPlace, FilePlace, HttpPlace, SigningKey, SigningKeys, StdoutPlace,
    TlogWitness, Witness,
};
use systemprompt_audit::note::KeyError;
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::config::{CheckpointTarget, WitnessTarget};
use systemprompt_core::secret::Secret;

use crate::StartError;

/// The keys and places that the profile names, or those of the data folder.
pub(crate) fn checkpoint_options(config: &Config) -> Result<CheckpointOptions, StartError> {
    let section = &config.profile().audit;
    Ok(CheckpointOptions {
        keys: SigningKeys {
            current: SigningKey::parse(config.audit_key()).map_err(signing)?,
            previous: previous(&previous_key(config.data_folder()))?,
        },
        every_events: section.checkpoint_events,
        interval: Duration::from_secs(section.checkpoint_interval_s),
        places: match &section.checkpoints {
            None => vec![Arc::new(FilePlace::new(config.data_folder().join("checkpoints.log")))],
            Some(targets) => {
                targets.iter().filter_map(|it| place(it).transpose()).collect::<Result<_, _>>()?
            }
        },
        witnesses: witnesses(config)?,
    })
}

fn place(target: &CheckpointTarget) -> Result<Option<Arc<dyn CheckpointPlace>>, StartError> {
    Ok(Some(match target {
        CheckpointTarget::File(path) => Arc::new(FilePlace::new(path)),
        CheckpointTarget::Stdout(_) => Arc::new(StdoutPlace),
        CheckpointTarget::Http(url) => {
            let url = url.as_str().parse().map_err(signing)?;
            Arc::new(HttpPlace::new(url).map_err(signing)?)
        }
        CheckpointTarget::Witness(_) => return Ok(None),
    }))
}

fn witnesses(config: &Config) -> Result<Vec<Arc<dyn Witness>>, StartError> {
    let mut witnesses: Vec<Arc<dyn Witness>> = Vec::new();
    let targets = config.profile().audit.checkpoints.iter().flatten();
    for (index, target) in targets.enumerate() {
        let CheckpointTarget::Witness(WitnessTarget { url, key }) = target else { continue };
        let prefix = url.as_str().parse().map_err(signing)?;
        let key = key.parse().map_err(|error: KeyError| {
            let path = format!("audit.checkpoints[{index}].witness.key");
            StartError::Config(config.loaded().diagnostic(path, &error.to_string()).into())
        })?;
        witnesses.push(Arc::new(TlogWitness::new(&prefix, key).map_err(signing)?));
    }
    Ok(witnesses)
}

/// Writes the public key that goes with what is signed into the data folder, as `audit.pub`. Another one
/// that is there is kept beside it, for what it has signed.
pub(crate) fn publish(config: &Config, audit: &AuditLog) -> Result<(), StartError> {
    let Some(key) = audit.verifier_key() else { return Ok(()) };
    let path = config.data_folder().join("audit.pub");
    let text = format!("{key}\n");
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let doing = "it cannot be written";
    if path.exists() {
        let kept = kept_public_key(&path);
        let moved = fs::rename(&path, &kept);
        moved.map_err(|source| StartError::File { path: kept.clone(), doing, source })?;
        let kept = kept.display();
        tracing::warn!(
            "the audit log is signed with another key than before; the public key of the one before is kept \
             as `{kept}`"
        );
    }
    fs::write(&path, text).map_err(|source| StartError::File { path, doing, source })
}

/// The first free name for a public key that another one follows.
fn kept_public_key(path: &Path) -> PathBuf {
    let name = |number: u64| path.with_added_extension(format!("old-{number}"));
    let mut number = 1;
    while name(number).exists() {
        number += 1;
    }
    name(number)
}

/// Where the key before the current one lies while both sign: its 64 hex digits, and in the next line
/// until when.
#[must_use]
pub fn previous_key(data_folder: &Path) -> PathBuf {
    data_folder.join("audit.key.previous")
}

fn previous(path: &Path) -> Result<Option<(SigningKey, Timestamp)>, StartError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            let doing = "it cannot be read";
            return Err(StartError::File { path: path.to_owned(), doing, source });
        }
        Ok(text) => text,
    };
    let malformed = || {
        let path = path.display();
        StartError::Signing(format!("`{path}` does not hold a key and until when it signs"))
    };
    let (key, until) = text.trim_end().split_once('\n').ok_or_else(malformed)?;
    let key = SigningKey::parse(&Secret::new(key.to_owned())).map_err(|_| malformed())?;
    Ok(Some((key, until.parse().map_err(|_| malformed())?)))
}

fn signing(error: impl std::fmt::Display) -> StartError {
    StartError::Signing(error.to_string())
}
