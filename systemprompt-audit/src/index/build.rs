//! Fills the index.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Connection as _, SqlSafeStr as _, SqlStr};
use systemprompt_core::database::{DatabaseError, SqliteDatabase};

use super::chunk::Chunk;
use super::term::Term;
use super::{Entry, Feed, Mark, file, is_ours, log_ends, marks};
use crate::column::{Column, Columns, Field};
use crate::place::Place;

/// Events that are read together.
const BATCH: i64 = 2_000;

/// Most events that enter the index together.
const MOST: usize = 4_096;

/// Events of a segment, about.
const SEGMENT: i64 = 1 << 18;

/// Rows of one statement.
const ROWS: usize = 256;

/// Follows the logs of a database. Several may do so at once; they take turns.
#[derive(Debug)]
pub(crate) struct Indexer {
    /// Connections of its own: what the pool's threads have to do is more urgent.
    log: SqliteConnection,
    index: SqliteConnection,
    /// What the writer of one of the logs tells.
    feed: Option<(i64, Feed)>,
    /// What it has told.
    told: Vec<Entry>,
}

/// What is read of an event.
struct Source {
    seq: i64,
    id: Vec<u8>,
    occurred_at: i64,
    kind: String,
    call_id: Option<String>,
    session_id: Option<String>,
    tenant_id: Option<String>,
    user_id: Option<String>,
    agent_id: Option<String>,
    tool: Option<String>,
    decision: Option<String>,
    reason_code: Option<String>,
}

/// Neighbours of a log that enter the index together.
struct Batch<'t> {
    events: Cow<'t, [Entry]>,
    last_id: Vec<u8>,
}

struct Segment {
    id: i64,
    events: i64,
    oldest: i64,
    newest: i64,
}

impl Indexer {
    /// The indexer of a database, with its file. Of the log that `feed` names it reads only what the
    /// feed has not told.
    pub(crate) async fn open(
        database: &SqliteDatabase,
        feed: Option<(i64, Feed)>,
    ) -> Result<Self, DatabaseError> {
        let index = file::create(database.path()).await?;
        Ok(Self { log: database.connect().await?, index, feed, told: Vec::new() })
    }

    /// Takes in what has been written since the last time; says how many events.
    pub(crate) async fn catch_up(&mut self) -> Result<u64, sqlx::Error> {
        let ends = log_ends(&mut self.log).await?;
        let mut marks = marks(&mut self.index).await?;
        for mark in &marks {
            if !is_ours(&mut self.log, mark, &ends).await? {
                tracing::warn!("the search index belongs to another database and is made anew");
                file::make(&mut self.index).await?;
                marks.clear();
                break;
            }
        }
        let mut taken = 0;
        for end in &ends {
            let mark = marks.iter().find(|mark| mark.log_id == end.log_id);
            let mut at = mark.map_or(0, |mark| mark.indexed_to);
            let mut told = std::mem::take(&mut self.told);
            match &self.feed {
                Some((log_id, feed)) if *log_id == end.log_id => feed.take(&mut told),
                _ => told.clear(),
            }
            let mut left = told.as_slice();
            loop {
                left =
                    left.get(left.partition_point(|entry| entry.seq <= at)..).unwrap_or_default();
                let batch = match following(left, at) {
                    Some(batch) => batch,
                    None if at < end.tail || !left.is_empty() => {
                        read(&mut self.log, end.log_id, at).await?
                    }
                    None => break,
                };
                let Some(seq) = batch.events.last().map(|last| last.seq) else { break };
                if !self.take(end.log_id, at, &batch).await? {
                    // Another process was faster.
                    break;
                }
                taken += batch.events.len() as u64;
                at = seq;
            }
            self.told = told;
        }
        Ok(taken)
    }

    /// Closes its connections, so that nothing is left beside the files.
    pub(crate) async fn close(self) {
        for connection in [self.index, self.log] {
            if let Err(error) = connection.close().await {
                tracing::debug!(%error, "the search index did not close cleanly");
            }
        }
    }

    /// Takes in the events of `log_id` that follow the place `after`; `false` when the index is not
    /// there any more.
    async fn take(
        &mut self,
        log_id: i64,
        after: i64,
        batch: &Batch<'_>,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.index.begin_with("BEGIN IMMEDIATE").await?;
        let marks = marks(&mut transaction).await?;
        let at = marks.iter().find(|mark| mark.log_id == log_id).map_or(0, |mark| mark.indexed_to);
        if at != after {
            return Ok(false);
        }
        let segment = segment(&mut transaction, &batch.events).await?;
        post(&mut transaction, segment.id, log_id, &batch.events).await?;
        keep(&mut transaction, &segment).await?;
        if let Some(last) = batch.events.last() {
            let mark = Mark { log_id, indexed_to: last.seq, last_id: batch.last_id.clone() };
            advance(&mut transaction, &mark).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

impl Columns for Source {
    fn field(&self, column: Column) -> Field<'_> {
        let text = match column {
            Column::Id => return Field::Bytes(&self.id),
            Column::OccurredAt => return Field::Integer(self.occurred_at),
            Column::Kind => Some(&self.kind),
            Column::CallId => self.call_id.as_ref(),
            Column::SessionId => self.session_id.as_ref(),
            Column::TenantId => self.tenant_id.as_ref(),
            Column::UserId => self.user_id.as_ref(),
            Column::AgentId => self.agent_id.as_ref(),
            Column::Tool => self.tool.as_ref(),
            Column::Decision => self.decision.as_ref(),
            Column::ReasonCode => self.reason_code.as_ref(),
            _ => None,
        };
        text.map_or(Field::Null, |text| Field::Text(text))
    }
}

/// What follows the place `at` in `told` without a gap, if anything does.
fn following(told: &[Entry], at: i64) -> Option<Batch<'_>> {
    let next = |(entry, seq): &(&Entry, i64)| entry.seq == *seq;
    let count = told.iter().zip(at + 1..).take(MOST).take_while(next).count();
    let events = told.get(..count)?;
    let last = events.last()?;
    Some(Batch { events: Cow::Borrowed(events), last_id: last.id.to_vec() })
}

async fn read(
    connection: &mut SqliteConnection,
    log_id: i64,
    after: i64,
) -> Result<Batch<'static>, sqlx::Error> {
    let events = sqlx::query_as!(
        Source,
        "SELECT seq, id, occurred_at, kind, call_id, session_id, tenant_id, user_id, agent_id, tool,
                decision, reason_code
         FROM audit_events WHERE log_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        log_id,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await?;
    Ok(Batch {
        events: events.iter().map(|event| Entry::of(event.seq, event)).collect(),
        last_id: events.into_iter().last().map_or_else(Vec::new, |last| last.id),
    })
}

/// The segment that `batch` goes into, as it is with it.
async fn segment(
    connection: &mut SqliteConnection,
    batch: &[Entry],
) -> Result<Segment, sqlx::Error> {
    let newest = sqlx::query_as!(
        Segment,
        r#"SELECT id AS "id!: i64", events, oldest, newest
           FROM audit_index_segments ORDER BY id DESC LIMIT 1"#
    )
    .fetch_optional(connection)
    .await?;
    let id = newest.as_ref().map_or(1, |segment| segment.id + 1);
    let open = newest.filter(|segment| segment.events < SEGMENT);
    let mut segment = open.unwrap_or(Segment { id, events: 0, oldest: i64::MAX, newest: i64::MIN });
    segment.events += i64::try_from(batch.len()).unwrap_or(i64::MAX);
    for event in batch {
        segment.oldest = segment.oldest.min(event.occurred_at);
        segment.newest = segment.newest.max(event.occurred_at);
    }
    Ok(segment)
}

/// Writes the postings of `batch`: the statement whose text is not fixed.
async fn post(
    connection: &mut SqliteConnection,
    segment: i64,
    log_id: i64,
    batch: &[Entry],
) -> Result<(), sqlx::Error> {
    let place = |entry: &Entry| Place { occurred_at: entry.occurred_at, log_id, seq: entry.seq };
    let mut postings: Vec<(Term, Place)> =
        batch.iter().flat_map(|entry| entry.terms().map(|term| (term, place(entry)))).collect();
    // In the order of the table, so that neighbours go to the same page.
    postings.sort_unstable();
    let mut rows: Vec<(Term, Chunk)> = Vec::new();
    for same in postings.chunk_by(|(a, _), (b, _)| a == b) {
        let Some((term, _)) = same.first().copied() else { continue };
        let places: Vec<_> = same.iter().map(|(_, place)| *place).collect();
        rows.extend(Chunk::all(&places).map(|chunk| (term, chunk)));
    }
    let (mut whole, mut rows) = (None, rows.into_iter());
    loop {
        let chunk: Vec<_> = rows.by_ref().take(ROWS).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        let text = match chunk.len() {
            ROWS => whole.get_or_insert_with(|| insert_of(ROWS)).clone(),
            rows => insert_of(rows),
        };
        let persistent = chunk.len() == ROWS;
        let mut arguments = SqliteArguments::default();
        for (term, Chunk { newest, events, others }) in chunk {
            for number in [segment, term.get(), newest.occurred_at, log_id, newest.seq, events] {
                arguments.add(number).map_err(sqlx::Error::Encode)?;
            }
            arguments.add(others).map_err(sqlx::Error::Encode)?;
        }
        let insert = sqlx::query_with(text, arguments).persistent(persistent);
        insert.execute(&mut *connection).await?;
    }
}

fn insert_of(rows: usize) -> SqlStr {
    let mut sql = "INSERT OR IGNORE INTO audit_index_postings \
                   (segment, term, newest, log_id, seq, events, others) VALUES "
        .to_owned();
    for row in 0..rows {
        // Writing to a string does not fail.
        let _ = write!(sql, "{}(?,?,?,?,?,?,?)", if row == 0 { "" } else { "," });
    }
    // Nothing in it comes from outside.
    AssertSqlSafe(Arc::<str>::from(sql)).into_sql_str()
}

async fn keep(connection: &mut SqliteConnection, segment: &Segment) -> Result<(), sqlx::Error> {
    let Segment { id, events, oldest, newest } = segment;
    sqlx::query!(
        "INSERT INTO audit_index_segments (id, events, oldest, newest) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET events = excluded.events, oldest = excluded.oldest,
                                   newest = excluded.newest",
        id,
        events,
        oldest,
        newest
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn advance(connection: &mut SqliteConnection, mark: &Mark) -> Result<(), sqlx::Error> {
    let Mark { log_id, indexed_to, last_id } = mark;
    sqlx::query!(
        "INSERT INTO audit_index_logs (log_id, indexed_to, last_id) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET indexed_to = excluded.indexed_to, last_id = excluded.last_id",
        log_id,
        indexed_to,
        last_id
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
