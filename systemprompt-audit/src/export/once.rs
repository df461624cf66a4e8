use std::io::{self, Write};

use systemprompt_core::clock::Timestamp;
use systemprompt_core::database::DbPool;

use super::format::{EncodeError, Encoder};
use super::store::{Row, Source};
use crate::{EventRecord, QueryError};

/// Rows that are read at a time.
const ROWS: i64 = 1_000;

/// Which events are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnceFilter {
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Only those of this log.
    pub origin: Option<String>,
}

impl OnceFilter {
    fn wants(&self, event: &EventRecord) -> bool {
        self.from.is_none_or(|from| event.occurred_at >= from)
            && self.to.is_none_or(|to| event.occurred_at < to)
    }
}

/// Why a log was not written out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// There is no such log.
    #[error("there is no log `{0}`")]
    Origin(String),
    /// The output cannot be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// A row does not hold what the log writes.
    #[error("event {seq} of the log `{origin}` cannot be read")]
    Unreadable {
        /// The log.
        origin: String,
        /// Its place.
        seq: i64,
    },
    /// An event cannot be shown.
    #[error("event {seq} of the log `{origin}` cannot be shown")]
    Encode {
        /// The log.
        origin: String,
        /// Its place.
        seq: i64,
        /// Why.
        #[source]
        source: EncodeError,
    },
}

/// Writes the events that `filter` describes as lines, log by log, each in its order, up to what is there
/// when it starts. Says how many.
///
/// # Errors
/// [`OnceError`] when a log cannot be read, or the output not written. It stops at the first.
pub async fn write_once(
    pool: &DbPool,
    encoder: &Encoder,
    filter: &OnceFilter,
    out: &mut (impl Write + Send),
) -> Result<u64, OnceError> {
    let mut source = Source::new(pool.clone(), "");
    let wanted = |origin: &str| filter.origin.as_deref().is_none_or(|wanted| wanted == origin);
    let logs: Vec<_> =
        source.places().await?.into_iter().filter(|log| wanted(&log.origin)).collect();
    if let (true, Some(origin)) = (logs.is_empty(), &filter.origin) {
        return Err(OnceError::Origin(origin.clone()));
    }
    let mut count = 0;
    let mut line = Vec::new();
    for log in logs {
        let mut after = 0;
        while after < log.head {
            let (start, mut failed) = (after, None);
            let mut each = |row: Row| {
                after = row.seq();
                let written = match &row {
                    Row::Event(event) if event.seq > log.head || !filter.wants(event) => {
                        return true;
                    }
                    Row::Event(event) => write_line(encoder, event, &mut line, out),
                    Row::Unreadable { seq } => {
                        Err(OnceError::Unreadable { origin: log.origin.clone(), seq: *seq })
                    }
                };
                count += u64::from(written.is_ok());
                failed = written.err();
                failed.is_none()
            };
            source.rows(&log, start, ROWS, &mut each).await?;
            if let Some(error) = failed {
                return Err(error);
            }
            if after == start {
                break;
            }
        }
    }
    out.flush()?;
    source.close().await;
    Ok(count)
}

fn write_line(
    encoder: &Encoder,
    event: &EventRecord,
    line: &mut Vec<u8>,
    out: &mut impl Write,
) -> Result<(), OnceError> {
    line.clear();
    encoder.encode(event, line).map_err(|source| OnceError::Encode {
        origin: event.origin.clone(),
        seq: event.seq,
        source,
    })?;
    line.push(b'\n');
    Ok(out.write_all(line)?)
}
