//! What was used, what it cost, and what was denied: sums over the log.
//!
//! [`Analytics::usage`] answers a [`UsageQuery`]: a subject, a time, and what to group by. Money is
//! integer microdollars; sums are checked and fail rather than wrap. Nothing is sampled or estimated:
//! each answer is computed from the events, those of the last second included.

mod cell;
mod csv;
mod dimension;
mod figures;
mod names;
mod period;
mod report;
mod source;

pub use self::cell::Cell;
pub use self::dimension::{Dimension, DimensionError, Subject};
pub use self::figures::{Calls, Figures, Latency, Outcomes, Requests};
pub use self::period::Step;
pub use self::report::{Trend, UsageQuery, UsageReport, UsageRow};

use crate::query::read;
use crate::{AuditReader, QueryError, ReadScope};

/// Sums over the logs of a database. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct Analytics {
    reader: AuditReader,
}

impl Analytics {
    /// Sums over what `reader` reads, within its limits.
    #[must_use]
    pub fn new(reader: AuditReader) -> Self {
        Self { reader }
    }

    /// The answer to `query` for what is in `scope`.
    ///
    /// # Errors
    /// [`QueryError`] when the log cannot be read, or not within the limits, or a sum does not fit.
    pub async fn usage(
        &self,
        scope: &ReadScope,
        query: &UsageQuery,
    ) -> Result<UsageReport, QueryError> {
        let mut groups: Vec<source::Group> = read!(
            self.reader,
            |connection| source::sqlite::groups(connection, scope, query),
            |connection| source::postgres::groups(connection, scope, query)
        )?;
        names::reveal(&self.reader.pool, &mut groups).await?;
        report::report(query, groups)
    }
}
