use sqlx::sqlite::SqliteConnection;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::AuditError;
use systemprompt_core::event::AuditEvent;

use crate::pending::Pending;
use crate::store::sqlite::insert::BulkInsert;
use crate::store::sqlite::log;
use crate::store::sqlite::tree::SqliteTree;
use crate::tree_source::load_or_regrow;
use crate::{Origin, StoreError, installation};

/// Appends events to the command line's log, `cli@<installation>`, in a transaction of the caller, so
/// that a change and its event commit together.
///
/// The caller holds the write lock: `connection` is in a transaction that was begun with
/// `BEGIN IMMEDIATE` (`DbPool::begin_write`), and the events are durable when that has committed.
/// Nothing else is needed beside a server that writes its own log.
///
/// # Errors
/// [`AuditError`] when the events could not be written; the caller must roll back.
pub async fn append_in(
    connection: &mut SqliteConnection,
    events: Vec<AuditEvent>,
) -> Result<(), AuditError> {
    let Some(now) = events.first().map(|event| event.occurred_at) else { return Ok(()) };
    append(connection, events, now).await.map_err(Into::into)
}

async fn append(
    connection: &mut SqliteConnection,
    events: Vec<AuditEvent>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let origin = Origin::cli(&installation::id(connection, now).await?);
    let log_id = log::log_id(connection, &origin, now).await?;
    let mut seq = log::tail(connection, log_id).await?;
    let events: Vec<_> =
        events.into_iter().map(|event| Pending::event(origin.as_str(), event)).collect();
    let size = u64::try_from(seq).unwrap_or_default();
    let mut source = SqliteTree { connection: &mut *connection, log_id };
    let mut grown = load_or_regrow(&mut source, size).await?;
    let rows: Vec<_> = events
        .iter()
        .map(|event| {
            seq += 1;
            let row = event.place(seq);
            if let Some((tree, tiles)) = &mut grown {
                tree.append(row.leaf_hash, tiles);
            }
            row
        })
        .collect();
    let tiles = grown.map(|(_, tiles)| tiles).unwrap_or_default();
    Ok(BulkInsert::new(log_id).extend(connection, &rows, &tiles).await?)
}
