use systemprompt_core::contract::AuditError;
use systemprompt_core::database::{ConnectionMut, DbTransaction};
use systemprompt_core::event::AuditEvent;

use crate::StoreError;
use crate::subject::{Person, SubjectKeys};

/// Appends events to the command line's log, `cli@<installation>`, in a transaction of the caller, so
/// that a change and its event commit together.
///
/// `change` was begun with [`begin_write`](systemprompt_core::database::DbPool::begin_write), and the
/// events are durable when it has committed. Nothing else is needed beside a server that writes its
/// own log; other callers of this wait until `change` has ended.
///
/// # Errors
/// [`AuditError`] when the events could not be written; the caller must roll back.
pub async fn append_in(
    change: &mut DbTransaction<'_>,
    events: Vec<AuditEvent>,
) -> Result<(), AuditError> {
    append_sealed_in(change, None, events).await
}

/// As [`append_in`], with what the events say about persons encrypted with `keys`, if there are any.
///
/// [`SubjectKeys::prepare`] beforehand keeps the lock of `change` from waiting for a key.
///
/// # Errors
/// [`AuditError`] when the events could not be written; the caller must roll back.
pub async fn append_sealed_in(
    change: &mut DbTransaction<'_>,
    keys: Option<&SubjectKeys>,
    events: Vec<AuditEvent>,
) -> Result<(), AuditError> {
    let Some(now) = events.first().map(|event| event.occurred_at) else { return Ok(()) };
    let mut appended = Vec::with_capacity(events.len());
    for event in events {
        let key = match (keys, keys.and_then(|_| Person::of(&event))) {
            (Some(keys), Some(person)) => Some(keys.of_in(change, &person, now).await?),
            _ => None,
        };
        appended.push((event, key));
    }
    let appended: Result<(), StoreError> = match change.driver() {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => {
            crate::store::sqlite::append_in(connection, appended, now).await
        }
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => {
            crate::store::postgres::append_in(connection, appended, now).await
        }
        other => Err(StoreError::Failed(other.unsupported().to_string())),
    };
    appended.map_err(Into::into)
}
