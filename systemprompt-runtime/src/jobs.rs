use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use parking_lot::Mutex;
use systemprompt_core::contract::{Job, Schedule};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Runs jobs on their schedules. Runs of one job never overlap; a job that fails or panics runs again
/// at its next time.
#[derive(Debug)]
pub(crate) struct Jobs {
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Jobs {
    /// Starts all jobs. Needs a running tokio runtime; they end when this is dropped.
    pub(crate) fn start(jobs: Vec<Arc<dyn Job>>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for job in jobs {
            tasks.spawn(repeat(job, stopped.clone()));
        }
        Self { stop, tasks: Mutex::new(tasks) }
    }

    /// Starts no more runs, and waits for those in progress for at most `wait_ms` milliseconds.
    pub(crate) async fn stop(&self, wait_ms: u64) {
        self.stop.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(Duration::from_millis(wait_ms), ended).await.is_err() {
            tracing::warn!("jobs did not finish in time and were stopped");
        }
    }
}

async fn repeat(job: Arc<dyn Job>, mut stopped: watch::Receiver<bool>) {
    let pause = match job.schedule() {
        Schedule::Every(pause) => Some(pause),
        _ => None,
    };
    while !*stopped.borrow() {
        run(&*job).await;
        let Some(pause) = pause else { return };
        let _ = tokio::time::timeout(pause, stopped.wait_for(|stopped| *stopped)).await;
    }
}

async fn run(job: &dyn Job) {
    let job_name = job.name();
    match AssertUnwindSafe(job.run()).catch_unwind().await {
        Ok(Ok(())) => tracing::debug!(job = job_name, "a job has run"),
        Ok(Err(error)) => tracing::warn!(job = job_name, %error, "a job failed"),
        Err(_) => tracing::error!(job = job_name, "a job panicked"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use systemprompt_core::contract::JobError;

    use super::*;

    struct Counted {
        schedule: Schedule,
        runs: AtomicUsize,
        running: AtomicUsize,
    }

    #[async_trait]
    impl Job for Counted {
        fn name(&self) -> &str {
            "counted"
        }

        fn schedule(&self) -> Schedule {
            self.schedule
        }

        async fn run(&self) -> Result<(), JobError> {
            assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "runs overlap");
            tokio::time::sleep(Duration::from_millis(7)).await;
            self.running.fetch_sub(1, Ordering::SeqCst);
            match self.runs.fetch_add(1, Ordering::SeqCst) {
                1 => Err(JobError("on purpose".to_owned())),
                2 => panic!("on purpose"),
                _ => Ok(()),
            }
        }
    }

    fn counted(schedule: Schedule) -> Arc<Counted> {
        Arc::new(Counted { schedule, runs: 0.into(), running: 0.into() })
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_runs_on_after_a_failure_and_a_panic_and_ends_when_told() {
        let every = counted(Schedule::Every(Duration::from_millis(3)));
        let once = counted(Schedule::AtStart);
        let jobs = Jobs::start(vec![every.clone(), once.clone()]);
        while every.runs.load(Ordering::SeqCst) < 5 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        jobs.stop(1000).await;
        let runs = every.runs.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(every.runs.load(Ordering::SeqCst), runs);
        assert_eq!(once.runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_waits_for_the_run_in_progress() {
        let job = counted(Schedule::Every(Duration::from_secs(1)));
        let jobs = Jobs::start(vec![job.clone()]);
        tokio::task::yield_now().await;
        jobs.stop(1000).await;
        assert_eq!(job.runs.load(Ordering::SeqCst), 1);
    }
}
