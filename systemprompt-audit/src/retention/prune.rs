use std::time::Duration;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{AuditError, AuditSink as _};
use systemprompt_core::database::{DatabaseError, DbConnection, DbPool};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::EventId;
use tokio::time::Instant;

use super::plan::{PrunePlan, WIDTH, over_connection};
use super::{PrunedDetail, PrunedRow, Retention, SaidOfOther};
use crate::store::{LogTree, over, query};
use crate::tree_source::load_root;
use crate::verify::KeyEvent;
use crate::{AuditLog, Origin, StoreError, append_in};

/// Whoever writes has at least so much of the time between two transactions.
const PAUSE: Duration = Duration::from_millis(5);

/// What was pruned of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// The log.
    pub origin: String,
    /// The last event that is gone.
    pub up_to: i64,
    /// How many were removed.
    pub events: u64,
}

/// Why events were not pruned. What was said before goes on at the next run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PruneError {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A statement failed.
    #[error("the database failed")]
    Query(#[from] sqlx::Error),
    /// The tree cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The event that says so could not be written.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The database says that more was pruned than any event says.
    #[error("no event says what is marked as pruned of the log `{origin}`: run `audit verify`")]
    Mark {
        /// The log.
        origin: String,
    },
    /// The tree of the log does not go so far.
    #[error("the tree of the log `{origin}` is incomplete: run `audit verify`")]
    Tree {
        /// The log.
        origin: String,
    },
}

/// Removes the events that `retention` does not keep any more, in transactions of 256 events each, and says
/// what of which log. `by` is who wanted it.
///
/// With `log`, which says so in itself, these are the events of that log and of those that nobody writes;
/// without, the log of the command line says so, and they are those of every log.
///
/// # Errors
/// [`PruneError`]; what has been said to go but is there still goes at the next run.
pub async fn prune(
    pool: &DbPool,
    log: Option<&AuditLog>,
    retention: &Retention,
    by: &str,
    now: Timestamp,
) -> Result<Vec<Pruned>, PruneError> {
    let mut connection = pool.connect().await?;
    let pruned = prune_over(&mut connection, pool, log, (retention, by, now)).await;
    connection.close().await?;
    pruned
}

async fn prune_over(
    connection: &mut DbConnection,
    pool: &DbPool,
    log: Option<&AuditLog>,
    (retention, by, now): (&Retention, &str, Timestamp),
) -> Result<Vec<Pruned>, PruneError> {
    over!(connection, subjects::overwrite_deleted())?;
    let mut pruned = Vec::new();
    for plan in over_connection(connection, retention, now).await? {
        if let Some(log) = log
            && !is_ours(pool, log, &plan.origin).await?
        {
            continue;
        }
        if plan.up_to > plan.said {
            // Where another run has come further meanwhile, that one goes on.
            let Some(detail) = detail(connection, &plan, by).await? else { continue };
            say(connection, log, (plan.log_id, &detail), now).await?;
        }
        // Whether or not this run has said it: one before it may have ended here.
        repeat(connection, log, &plan, now).await?;
        let events = delete(connection, &plan).await?;
        pruned.push(Pruned { origin: plan.origin, up_to: plan.up_to, events });
    }
    Ok(pruned)
}

/// Whether a server with this log looks after another one: its own, and those that nobody writes.
async fn is_ours(pool: &DbPool, log: &AuditLog, origin: &str) -> Result<bool, PruneError> {
    if log.origin().as_str() == origin {
        return Ok(true);
    }
    let Ok(origin) = Origin::parse(origin) else { return Ok(false) };
    let installation = log.installation();
    if origin == Origin::cli(installation) {
        return Ok(true);
    }
    Ok(query!(pool, sweep::is_free(installation, &origin))?)
}

/// What is to be said of `plan`; `None` when another run has said as much since it was made.
async fn detail(
    connection: &mut DbConnection,
    plan: &PrunePlan,
    by: &str,
) -> Result<Option<PrunedDetail>, PruneError> {
    let PrunePlan { origin, up_to, log_id, .. } = plan;
    let incomplete = || PruneError::Tree { origin: origin.clone() };
    // In this order: what another run deletes after the first look, it has said before the second.
    let more: Vec<KeyEvent> = over!(connection, retention::key_events(*log_id, *up_to))?;
    let before: Option<PrunedRow> = over!(connection, retention::pruned(*log_id))?;
    if before.as_ref().is_some_and(|before| before.up_to >= *up_to) {
        return Ok(None);
    }
    let mut keys = before.and_then(|row| row.proven(origin)).map_or(Vec::new(), |it| it.keys);
    let known = keys.last().map_or(0, |event| event.seq);
    keys.extend(more.into_iter().filter(|event| event.seq > known));
    let last: Option<Vec<u8>> = over!(connection, retention::id_at(*log_id, *up_to))?;
    let last =
        last.and_then(|id| id.try_into().ok()).map(EventId::from_bytes).ok_or_else(incomplete)?;
    let mut tree = LogTree { connection: connection.driver(), log_id: *log_id };
    let size = u64::try_from(*up_to).unwrap_or_default();
    let root = load_root(&mut tree, size).await?.ok_or_else(incomplete)?;
    let root = hex::encode(root);
    let (log, by) = (origin.clone(), by.to_owned());
    Ok(Some(PrunedDetail { log, up_to: *up_to, root, last, by, keys }))
}

/// Says again what the events that go have said about other logs.
async fn repeat(
    connection: &mut DbConnection,
    log: Option<&AuditLog>,
    plan: &PrunePlan,
    now: Timestamp,
) -> Result<(), PruneError> {
    let said: Vec<SaidOfOther> =
        over!(connection, retention::said_of_others(plan.log_id, plan.up_to))?;
    for other in said {
        let detail: Option<PrunedDetail> = serde_json::from_str(&other.detail).ok();
        if let Some(detail) = detail.filter(|detail| detail.up_to == other.up_to) {
            say(connection, log, (other.log_id, &detail), now).await?;
        }
    }
    Ok(())
}

/// Appends the event that says what is pruned of a log, durably, and notes that it is the newest.
async fn say(
    connection: &mut DbConnection,
    log: Option<&AuditLog>,
    (log_id, detail): (i64, &PrunedDetail),
    now: Timestamp,
) -> Result<(), PruneError> {
    let up_to = detail.up_to;
    // A structure of ours without maps: there is nothing that could fail.
    let detail = serde_json::to_value(detail).unwrap_or_default();
    let event = AuditEvent::system(now, EventKind::Pruned, detail);
    let id = event.id;
    match log {
        Some(log) => log.append(event).await?,
        None => {
            let mut change = connection.begin_write().await?;
            append_in(&mut change, vec![event]).await?;
            change.commit().await?;
        }
    }
    let id = id.as_bytes().as_slice();
    Ok(over!(connection, retention::mark(log_id, up_to, id))?)
}

/// Deletes tile by tile.
async fn delete(connection: &mut DbConnection, plan: &PrunePlan) -> Result<u64, PruneError> {
    let mut events = 0;
    let mut to = (plan.from - 1) / WIDTH * WIDTH;
    while to < plan.up_to {
        to += WIDTH;
        let start = Instant::now();
        let deleted: u64 = over!(connection, retention::delete(plan.log_id, to))?;
        events += deleted;
        if to < plan.up_to {
            tokio::time::sleep((start.elapsed() * 3).max(PAUSE)).await;
        }
    }
    Ok(events)
}
