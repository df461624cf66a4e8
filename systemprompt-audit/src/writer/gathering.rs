use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::bell::Bell;

/// Longest wait for more, however slow commits are.
const LONGEST: Duration = Duration::from_micros(500);

/// A commit that takes less is a quick one.
const QUICK: Duration = Duration::from_millis(1);

/// Batches of so many are written without waiting: what a commit costs on its own is shared out by then,
/// and those who come later are collected while it runs.
const ENOUGH: usize = 8;

/// The same while commits are quick: callers take about as long to come back, and are better served in turns.
const ENOUGH_WHEN_QUICK: usize = 3;

/// Makes batches whole.
///
/// A few callers that wait for their answers fall into two halves, one being written while the other one
/// collects, and every commit serves half of them. So before a small batch is written, as many as came in
/// the last round are waited for, at most half of what that took.
#[derive(Debug)]
pub(crate) struct Gathering {
    expected: usize,
    enough: usize,
    patience: Duration,
    waiting: Waiting,
}

/// How the writer waits a moment; timers are coarser than that.
#[derive(Debug)]
enum Waiting {
    /// By letting other tasks of its thread run.
    Yielding,
    /// By sleeping, in a thread that is the writer's alone.
    Sleeping(Arc<Bell>),
}

impl Gathering {
    /// For a writer that shares its thread with others.
    pub(crate) fn among_others() -> Self {
        Self { expected: 0, enough: ENOUGH, patience: Duration::ZERO, waiting: Waiting::Yielding }
    }

    /// For a writer that has this thread for itself, and is told of what is sent by `bell`.
    pub(crate) fn alone(bell: Arc<Bell>) -> Self {
        bell.wake_me();
        Self { waiting: Waiting::Sleeping(bell), ..Self::among_others() }
    }

    /// Takes what comes until as many are there as last time; fewer, or none, when the time is over.
    pub(crate) async fn gather<T>(
        &self,
        commands: &mut mpsc::Receiver<T>,
        inbox: &mut Vec<T>,
        max_batch: usize,
    ) {
        let expected = self.expected.min(max_batch).min(self.enough);
        // For one alone the writer waits anyway, without a deadline.
        if expected <= 1 {
            return;
        }
        let deadline = Instant::now() + self.patience;
        loop {
            let rung = match &self.waiting {
                Waiting::Yielding => 0,
                Waiting::Sleeping(bell) => bell.rung(),
            };
            while inbox.len() < max_batch
                && let Ok(command) = commands.try_recv()
            {
                inbox.push(command);
            }
            let missing = expected.saturating_sub(inbox.len());
            let left = deadline.saturating_duration_since(Instant::now());
            if missing == 0 || commands.is_closed() || left.is_zero() {
                return;
            }
            match &self.waiting {
                Waiting::Yielding => yield_now().await,
                Waiting::Sleeping(bell) => bell.wait(rung + missing as u64, left),
            }
        }
    }

    /// Learns from a round: how many it was for, those who came while it was written included, and how
    /// long that took.
    pub(crate) fn learn(&mut self, company: usize, took: Duration) {
        self.expected = company;
        self.enough = if took < QUICK { ENOUGH_WHEN_QUICK } else { ENOUGH };
        self.patience = (took / 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn channel(waiting: u32) -> (mpsc::Sender<u32>, mpsc::Receiver<u32>) {
        let (sender, receiver) = mpsc::channel(64);
        for number in 0..waiting {
            sender.try_send(number).unwrap();
        }
        (sender, receiver)
    }

    fn both() -> [(Arc<Bell>, Gathering); 2] {
        let bell = Arc::new(Bell::default());
        [(Arc::default(), Gathering::among_others()), (bell.clone(), Gathering::alone(bell))]
    }

    #[tokio::test]
    async fn as_many_as_last_time_are_waited_for() {
        for (bell, mut gathering) in both() {
            let (sender, mut receiver) = channel(3);
            gathering.learn(6, Duration::from_secs(3600));
            gathering.patience = Duration::from_secs(3600);
            let late = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                for number in 3..6 {
                    sender.try_send(number).unwrap();
                    bell.ring();
                }
                sender
            });
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 64).await;
            assert_eq!(inbox, [0, 1, 2, 3, 4, 5]);
            drop(late.join());
        }
    }

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_half_of_a_commit() {
        for (_, mut gathering) in both() {
            let (_sender, mut receiver) = channel(1);
            gathering.learn(64, Duration::ZERO);
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 64).await;
            assert_eq!(inbox, [0]);
            gathering.learn(64, Duration::from_secs(60));
            assert_eq!(gathering.patience, LONGEST);
            inbox.clear();
            gathering.gather(&mut receiver, &mut inbox, 64).await;
            assert!(inbox.is_empty());
        }
    }

    #[tokio::test]
    async fn a_batch_that_is_large_enough_waits_for_nobody() {
        let commits =
            [(Duration::from_secs(3600), ENOUGH), (Duration::from_micros(200), ENOUGH_WHEN_QUICK)];
        for (took, enough) in commits {
            for (_, mut gathering) in both() {
                let (_sender, mut receiver) = channel(enough as u32 + 1);
                gathering.learn(60, took);
                gathering.patience = Duration::from_secs(3600);
                let mut inbox = Vec::new();
                gathering.gather(&mut receiver, &mut inbox, 64).await;
                assert_eq!(inbox.len(), enough + 1);
            }
        }
    }

    #[tokio::test]
    async fn a_batch_never_grows_over_its_limit() {
        for (_, mut gathering) in both() {
            let (_sender, mut receiver) = channel(9);
            gathering.learn(9, Duration::from_secs(60));
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 4).await;
            assert_eq!(inbox.len(), 4);
        }
    }
}
