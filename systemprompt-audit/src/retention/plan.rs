use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::{DbConnection, DbPool};

use super::{LogExtent, PruneError, PrunedRow, Retention, Stretch};
use crate::merkle::TILE_WIDTH;
use crate::store::over;

pub(super) const WIDTH: i64 = TILE_WIDTH as i64;

/// Bytes of an event beside its long texts, with its share of the indexes.
const OVERHEAD: u64 = 900;

/// Stretches of a log that are looked at to tell how large its events are.
const SAMPLES: i64 = 16;

/// Events of such a stretch.
const SAMPLE: i64 = 64;

/// What is to be pruned of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunePlan {
    /// The log.
    pub origin: String,
    /// The first event that goes.
    pub from: i64,
    /// The last one.
    pub up_to: i64,
    pub(super) log_id: i64,
    /// Up to where an earlier run has said so already.
    pub(super) said: i64,
}

/// What `retention` has pruned at `now`. Changes nothing.
///
/// # Errors
/// [`PruneError`] when the database cannot be read.
pub async fn plan(
    pool: &DbPool,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<PrunePlan>, PruneError> {
    let mut connection = pool.connect().await?;
    let plans = over_connection(&mut connection, retention, now).await;
    connection.close().await?;
    plans
}

pub(super) async fn over_connection(
    connection: &mut DbConnection,
    retention: &Retention,
    now: Timestamp,
) -> Result<Vec<PrunePlan>, PruneError> {
    let logs: Vec<LogExtent> = over!(connection, retention::extents(&retention.sinks))?;
    let excess = excess(connection, retention, &logs).await?;
    let mut plans = Vec::new();
    for (log, excess) in logs.iter().zip(excess) {
        if log.first == 0 {
            continue;
        }
        // A mark that somebody else has set must not make this delete anything.
        let mark: Option<PrunedRow> = over!(connection, retention::pruned(log.log_id))?;
        if mark.is_some_and(|mark| mark.proven(&log.origin).is_none()) {
            return Err(PruneError::Mark { origin: log.origin.clone() });
        }
        let by_age = by_age(connection, retention, log, now).await?;
        let by_size = (log.first - 1).saturating_add(excess) / WIDTH * WIDTH;
        let up_to = by_age.max(by_size.min(limit(log))).max(log.pruned_to);
        if up_to >= log.first {
            let (origin, from) = (log.origin.clone(), log.first);
            plans.push(PrunePlan { origin, from, up_to, log_id: log.log_id, said: log.pruned_to });
        }
    }
    Ok(plans)
}

/// Up to where a log may be pruned at all: whole tiles that are signed, whose permits are closed, and that
/// sinks have. The last event stays: it says how far the log has come.
fn limit(log: &LogExtent) -> i64 {
    let held = [log.signed, log.swept_to, log.exported.unwrap_or(i64::MAX)];
    held.into_iter().fold(log.last - 1, i64::min) / WIDTH * WIDTH
}

async fn by_age(
    connection: &mut DbConnection,
    retention: &Retention,
    log: &LogExtent,
    now: Timestamp,
) -> Result<i64, PruneError> {
    let Some(age) = retention.age else { return Ok(0) };
    let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
    let before = now.as_micros().saturating_sub(age);
    let (limit, mut up_to) = (limit(log), (log.first - 1) / WIDTH * WIDTH);
    while up_to + WIDTH <= limit {
        let (log_id, to) = (log.log_id, up_to + WIDTH);
        let tile: Stretch = over!(connection, retention::stretch(log_id, up_to, to))?;
        if tile.newest.is_some_and(|newest| newest >= before) {
            break;
        }
        up_to = to;
    }
    Ok(up_to)
}

/// How many events of each log are too many. The size is an estimate from samples.
async fn excess(
    connection: &mut DbConnection,
    retention: &Retention,
    logs: &[LogExtent],
) -> Result<Vec<i64>, PruneError> {
    let Some(most) = retention.size else { return Ok(vec![0; logs.len()]) };
    let count = |log: &LogExtent| if log.first == 0 { 0 } else { log.last - log.first + 1 };
    let mut sizes = Vec::with_capacity(logs.len());
    for log in logs {
        sizes.push(average(connection, log).await?);
    }
    let bytes = |(log, size): (&LogExtent, &u64)| u64::try_from(count(log)).unwrap_or(0) * size;
    let total: u64 = logs.iter().zip(&sizes).map(bytes).fold(0, u64::saturating_add);
    let over = total.saturating_sub(most);
    // Each log gives the same share of itself.
    let share = |log: &LogExtent| {
        let part = i128::from(count(log)) * i128::from(over) / i128::from(total.max(1));
        i64::try_from(part).unwrap_or(0)
    };
    Ok(logs.iter().map(share).collect())
}

/// Bytes of an event of a log, on average.
async fn average(connection: &mut DbConnection, log: &LogExtent) -> Result<u64, PruneError> {
    let (mut rows, mut bytes) = (0, 0);
    for sample in 0..SAMPLES {
        let after = log.first - 1 + (log.last - log.first) / SAMPLES * sample;
        let (log_id, to) = (log.log_id, after + SAMPLE);
        let some: Stretch = over!(connection, retention::stretch(log_id, after, to))?;
        rows += some.rows;
        bytes += some.bytes;
    }
    let texts = u64::try_from(bytes / rows.max(1)).unwrap_or(0);
    Ok(OVERHEAD + texts)
}
