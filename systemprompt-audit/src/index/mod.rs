//! The search index of the log: which events have which property, in a file beside the database.
//!
//! Every index of the event table costs the writer on the path of a decision. So the table has the few
//! that deciding needs, and everything that people search by is here: a task follows the log, a
//! fraction of a second behind, and writes to another file, whose lock the writer never waits for. A
//! reader takes what the index knows and looks through the rest of the log itself, so that an event is
//! found as soon as it is written.
//!
//! The index holds hashes and places, and no value of an event. It may be deleted at any time.

mod build;
mod chunk;
mod entry;
mod feed;
mod file;
mod postings;
mod run;
mod term;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use sqlx::{Sqlite, Transaction};
use systemprompt_core::database::SqliteDatabase;
use tokio::sync::OnceCell;

pub(crate) use self::build::Indexer;
pub(crate) use self::entry::Entry;
pub(crate) use self::feed::Feed;
pub(crate) use self::postings::Postings;
pub(crate) use self::run::start;
pub(crate) use self::term::{Facet, Term, is_rare};

/// The index as readers see it. Cloning is a reference count.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    database: Arc<PathBuf>,
    file: Arc<OnceCell<SqliteDatabase>>,
}

/// How far a log is in the index.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) log_id: i64,
    pub(crate) indexed_to: i64,
    pub(crate) last_id: Vec<u8>,
}

impl Index {
    /// The index of the database at `path`, whether it exists yet or not.
    pub(crate) fn of(path: &Path) -> Self {
        Self { database: Arc::new(path.to_owned()), file: Arc::default() }
    }

    /// The index as it is now, if there is one that can be read, and how far it has come.
    pub(crate) async fn snapshot(&self) -> Option<(Transaction<'static, Sqlite>, Vec<Mark>)> {
        let open = async || file::open(&self.database).await.ok_or(());
        let file = self.file.get_or_try_init(open).await.ok()?;
        let mut snapshot = file.pool().begin().await.ok()?;
        let marks = marks(&mut snapshot).await.ok()?;
        Some((snapshot, marks))
    }
}

/// How far each log is in the index.
async fn marks(connection: &mut SqliteConnection) -> Result<Vec<Mark>, sqlx::Error> {
    sqlx::query_as!(
        Mark,
        r#"SELECT log_id AS "log_id!: i64", indexed_to, last_id FROM audit_index_logs"#
    )
    .fetch_all(connection)
    .await
}

/// The end of a log, and the event at a place of it.
#[derive(Debug)]
pub(crate) struct LogEnd {
    pub(crate) log_id: i64,
    pub(crate) tail: i64,
}

/// The logs of a database with their ends.
pub(crate) async fn log_ends(
    connection: &mut SqliteConnection,
) -> Result<Vec<LogEnd>, sqlx::Error> {
    sqlx::query_as!(
        LogEnd,
        r#"SELECT id AS "log_id!: i64",
                  coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0) AS "tail!: i64"
           FROM audit_logs AS l ORDER BY id"#
    )
    .fetch_all(connection)
    .await
}

/// Whether `mark` was made from this database. An event that retention has removed says nothing against
/// it, as long as the log goes on after it.
pub(crate) async fn is_ours(
    connection: &mut SqliteConnection,
    mark: &Mark,
    ends: &[LogEnd],
) -> Result<bool, sqlx::Error> {
    let (log_id, seq) = (mark.log_id, mark.indexed_to);
    let id = sqlx::query_scalar!(
        "SELECT id FROM audit_events WHERE log_id = ? AND seq = ?",
        log_id,
        seq
    )
    .fetch_optional(connection)
    .await?;
    Ok(match id {
        Some(id) => id == mark.last_id,
        None => ends.iter().any(|end| end.log_id == log_id && end.tail > seq),
    })
}
