//! Fills the index.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, QueryBuilder, Sqlite};
use systemprompt_core::database::{DatabaseError, SqliteDatabase};

use super::term::{Facet, Term, is_rare};
use super::{Mark, file, is_ours, log_ends, marks};

/// Events that enter the index together.
const BATCH: i64 = 2_000;

/// Events of a segment, about.
const SEGMENT: i64 = 1 << 18;

/// Postings of one statement.
const POSTINGS: usize = 400;

/// Follows the logs of a database. Several may do so at once; they take turns.
#[derive(Debug)]
pub(crate) struct Indexer {
    /// Connections of its own: what the pool's threads have to do is more urgent.
    log: SqliteConnection,
    index: SqliteConnection,
}

/// What the index takes from an event.
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

struct Segment {
    id: i64,
    events: i64,
    oldest: i64,
    newest: i64,
}

impl Indexer {
    /// The indexer of a database, with its file.
    pub(crate) async fn open(database: &SqliteDatabase) -> Result<Self, DatabaseError> {
        let index = file::create(database.path()).await?;
        Ok(Self { log: database.connect().await?, index })
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
            while at < end.tail {
                let batch = read(&mut self.log, end.log_id, at).await?;
                let Some(last) = batch.last() else { break };
                let seq = last.seq;
                if !self.take(end.log_id, at, &batch).await? {
                    // Another process was faster.
                    break;
                }
                taken += batch.len() as u64;
                at = seq;
            }
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
        batch: &[Source],
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.index.begin_with("BEGIN IMMEDIATE").await?;
        let marks = marks(&mut transaction).await?;
        let at = marks.iter().find(|mark| mark.log_id == log_id).map_or(0, |mark| mark.indexed_to);
        if at != after {
            return Ok(false);
        }
        let segment = segment(&mut transaction, batch).await?;
        post(&mut transaction, segment.id, log_id, batch).await?;
        keep(&mut transaction, &segment).await?;
        if let Some(last) = batch.last() {
            let mark = Mark { log_id, indexed_to: last.seq, last_id: last.id.clone() };
            advance(&mut transaction, &mark).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

impl Source {
    fn terms(&self) -> impl Iterator<Item = Term> {
        let kind = Some(self.kind.as_str()).filter(|kind| is_rare(kind));
        [
            (Facet::Kind, kind),
            (Facet::Tenant, self.tenant_id.as_deref()),
            (Facet::User, self.user_id.as_deref()),
            (Facet::Agent, self.agent_id.as_deref()),
            (Facet::Session, self.session_id.as_deref()),
            (Facet::Call, self.call_id.as_deref()),
            (Facet::Tool, self.tool.as_deref()),
            (Facet::Decision, self.decision.as_deref()),
            (Facet::Reason, self.reason_code.as_deref()),
        ]
        .into_iter()
        .filter_map(|(facet, value)| Some(Term::of(facet, value?)))
    }
}

async fn read(
    connection: &mut SqliteConnection,
    log_id: i64,
    after: i64,
) -> Result<Vec<Source>, sqlx::Error> {
    sqlx::query_as!(
        Source,
        "SELECT seq, id, occurred_at, kind, call_id, session_id, tenant_id, user_id, agent_id, tool,
                decision, reason_code
         FROM audit_events WHERE log_id = ? AND seq > ? ORDER BY seq LIMIT ?",
        log_id,
        after,
        BATCH
    )
    .fetch_all(connection)
    .await
}

/// The segment that `batch` goes into, as it is with it.
async fn segment(
    connection: &mut SqliteConnection,
    batch: &[Source],
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
    batch: &[Source],
) -> Result<(), sqlx::Error> {
    let mut postings: Vec<(Term, i64, i64)> = batch
        .iter()
        .flat_map(|event| event.terms().map(|term| (term, event.occurred_at, event.seq)))
        .collect();
    // In the order of the table, so that neighbours go to the same page.
    postings.sort_unstable();
    for chunk in postings.chunks(POSTINGS) {
        let mut insert = QueryBuilder::<Sqlite>::new(
            "INSERT OR IGNORE INTO audit_index_postings (segment, term, occurred_at, log_id, seq) ",
        );
        insert.push_values(chunk, |mut row, (term, occurred_at, seq)| {
            row.push_bind(segment);
            row.push_bind(term.get());
            row.push_bind(*occurred_at);
            row.push_bind(log_id);
            row.push_bind(*seq);
        });
        let insert = insert.build().persistent(chunk.len() == POSTINGS);
        insert.execute(&mut *connection).await?;
    }
    Ok(())
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
