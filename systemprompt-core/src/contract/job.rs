use std::time::Duration;

use async_trait::async_trait;

/// Work that runs on a schedule. Object-safe.
#[async_trait]
pub trait Job: Send + Sync + 'static {
    /// The job's name, unique among jobs.
    fn name(&self) -> &str;

    /// When it runs.
    fn schedule(&self) -> Schedule;

    /// Does the work once. Runs of the same job never overlap.
    ///
    /// # Errors
    /// [`JobError`]; it is logged and the job runs again at its next time.
    async fn run(&self) -> Result<(), JobError>;
}

/// When a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Schedule {
    /// Once, when the application has started.
    AtStart,
    /// At start and then with this much time between the end of a run and the start of the next.
    Every(Duration),
}

/// A job failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct JobError(pub String);
