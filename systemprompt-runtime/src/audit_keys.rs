//! The keys that the audit log encrypts persons with, as the profile says.

use systemprompt_audit::retention::Retention;
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_core::bootstrap::Config;

use crate::StartError;
use crate::key_encryption::key_encryption;

/// The keys that the audit log encrypts persons with; `None` when it does not.
///
/// # Errors
/// [`StartError`] when the key that the profile refers to cannot be used.
pub fn subject_keys(config: &Config) -> Result<Option<SubjectKeys>, StartError> {
    let Some(encryption) = &config.profile().audit.encryption else { return Ok(None) };
    let key = key_encryption(config, &encryption.key, "audit.encryption.key")?;
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
