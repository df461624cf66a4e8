use serde_json::json;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::AuditError;
use systemprompt_core::database::{DatabaseError, DbPool};
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError};
use systemprompt_core::event::{AuditEvent, EventKind};

use super::{SubjectKeys, SubjectRow};
use crate::append_in;
use crate::store::over;

/// Subjects that are looked at together.
const AT_ONCE: i64 = 500;

/// Whom to erase.
#[derive(Debug, Clone)]
pub struct Erasure<'e> {
    /// The user.
    pub user: &'e str,
    /// Of this tenant; of every one without.
    pub tenant: Option<&'e str>,
    /// Who wants it, for the record.
    pub by: &'e str,
}

/// What was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The pseudonyms under which the events stand from now on.
    pub pseudonyms: Vec<String>,
    /// Events that were recorded before encryption was turned on and name the user in clear. They stay
    /// until retention removes them.
    pub in_clear: u64,
    /// Whether the deleted keys are gone from the database's own files, too. When not, because somebody was
    /// reading, repeating the erasure does it.
    pub traces_removed: bool,
}

/// Why nobody was erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement failed.
    #[error("the database failed")]
    Query(#[from] sqlx::Error),
    /// The event that says so could not be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Destroys the data keys of a user, and with them what every event says about it. The event
/// `subject_erased` in the log of the command line says so, in the same transaction.
///
/// Servers notice within half a second; what they record of the user afterwards has a new key.
///
/// # Errors
/// [`EraseError`] when nothing was erased.
pub async fn erase_subject(
    pool: &DbPool,
    erasure: &Erasure<'_>,
    now: Timestamp,
) -> Result<Erased, EraseError> {
    let mut connection = pool.connect().await?;
    over!(connection, subjects::overwrite_deleted())?;
    let Erasure { user, tenant, by } = *erasure;
    // Looks at every event where there is no index, so nothing waits for it.
    let in_clear: i64 = over!(connection, subjects::in_clear(user, tenant))?;
    let mut change = connection.begin_write().await?;
    let subjects: Vec<SubjectRow> = over!(change, subjects::of_user(user, tenant))?;
    let at = now.as_micros();
    for subject in &subjects {
        over!(change, subjects::erase(&subject.pseudonym, at))?;
    }
    let pseudonyms: Vec<_> = subjects.into_iter().map(|subject| subject.pseudonym).collect();
    if pseudonyms.is_empty() {
        change.rollback().await?;
    } else {
        // Not the user's own name: what was erased must not be said again.
        let detail = json!({ "by": by, "pseudonyms": pseudonyms });
        let event = AuditEvent::system(now, EventKind::SubjectErased, detail);
        append_in(&mut change, vec![event]).await?;
        change.commit().await?;
    }
    // What is erased is erased, whatever becomes of this.
    let removed: Result<bool, _> = over!(connection, subjects::remove_traces());
    connection.close().await?;
    Ok(Erased {
        pseudonyms,
        in_clear: u64::try_from(in_clear).unwrap_or_default(),
        traces_removed: removed.unwrap_or(false),
    })
}

/// How many data keys were encrypted anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Those that were.
    pub keys: u64,
    /// Those that somebody else has changed or erased meanwhile.
    pub left: u64,
}

/// Why data keys were not encrypted anew. Those that were before it stay so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RewrapError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement failed.
    #[error("the database failed")]
    Query(#[from] sqlx::Error),
    /// A key could not be decrypted or encrypted.
    #[error(transparent)]
    Key(#[from] KeyEncryptionError),
}

/// Encrypts every data key anew, by the current key of `keys`. No event changes.
///
/// # Errors
/// [`RewrapError`] when a key is left as it was; the call can be repeated.
pub async fn rewrap_keys(pool: &DbPool, keys: &SubjectKeys) -> Result<Rewrapped, RewrapError> {
    let mut connection = pool.connect().await?;
    over!(connection, subjects::overwrite_deleted())?;
    let encryption: &dyn KeyEncryption = keys.encryption();
    let (mut done, mut last) = (Rewrapped::default(), String::new());
    loop {
        let rows: Vec<SubjectRow> = over!(connection, subjects::after(&last, AT_ONCE))?;
        let Some(end) = rows.last() else { break };
        last.clone_from(&end.pseudonym);
        for row in &rows {
            let key = encryption.unwrap(&row.wrapped_key).await?;
            let wrapped = encryption.wrap(&key).await?;
            let changed: u64 = over!(connection, subjects::rewrap(row, &wrapped))?;
            if changed == 1 { done.keys += 1 } else { done.left += 1 }
        }
    }
    connection.close().await?;
    Ok(done)
}
