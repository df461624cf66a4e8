//! The share of the database that readers may take, so that questions never starve decisions.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::QueryError;

/// How much of a database the clones of one [`AuditReader`](crate::AuditReader) may take together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// Most queries that run at once.
    pub concurrent: usize,
    /// How long a query waits until it may run.
    pub wait: Duration,
    /// How long it may run.
    pub time: Duration,
    /// Most rows that a page reads to be full, at least 1.
    pub rows: usize,
}

impl ReadLimits {
    /// Most rows that a page reads, also of a reader without limits.
    pub const ROWS: usize = 200_000;
}

impl Default for ReadLimits {
    /// Two at once, each waiting up to 2 s, running up to 5 s and reading up to 200,000 rows.
    fn default() -> Self {
        Self {
            concurrent: 2,
            wait: Duration::from_secs(2),
            time: Duration::from_secs(5),
            rows: Self::ROWS,
        }
    }
}

/// Lets as many queries through as the limits allow.
#[derive(Debug, Clone)]
pub(crate) struct Share {
    limits: ReadLimits,
    slots: Arc<Semaphore>,
}

impl Share {
    pub(super) fn new(limits: ReadLimits) -> Self {
        Self { limits, slots: Arc::new(Semaphore::new(limits.concurrent)) }
    }

    /// Most rows that a page reads.
    pub(super) fn rows(&self) -> usize {
        self.limits.rows.max(1)
    }

    /// How long a query may run.
    pub(crate) fn time(&self) -> Duration {
        self.limits.time
    }

    /// The right to run one query, when it is the query's turn.
    pub(crate) async fn slot(&self) -> Result<OwnedSemaphorePermit, QueryError> {
        self.slots.clone().acquire_owned().await.map_err(|_| QueryError::Busy)
    }

    /// What `start` gives, unless it takes longer than a query waits.
    pub(crate) async fn in_time<T>(
        &self,
        start: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        timeout(self.limits.wait, start).await.unwrap_or(Err(QueryError::Busy))
    }
}
