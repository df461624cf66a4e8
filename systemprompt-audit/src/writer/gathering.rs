use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::yield_now;

/// Longest wait for more, however slow commits are.
const LONGEST: Duration = Duration::from_micros(500);

/// Batches of so many are written without waiting: what a commit costs on its own is shared out by then,
/// and those who come later are collected while it runs.
const ENOUGH: usize = 16;

/// Makes batches whole.
///
/// A few callers that wait for their answers fall into two halves, one being written while the other one
/// collects, and every commit serves half of them. So before a small batch is written, those who came in
/// the last round are waited for: at most a quarter of what the last commit took, and not at all by a
/// caller that is alone.
#[derive(Debug)]
pub(crate) struct Gathering {
    expected: usize,
    patience: Duration,
    waiting: Waiting,
}

/// How the writer waits a moment; timers are coarser than that.
#[derive(Debug)]
enum Waiting {
    /// By letting other tasks of its thread run.
    Yielding,
    /// By sleeping, in a thread that is the writer's alone.
    Sleeping(Waker),
}

struct Sleeper(Thread);

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Gathering {
    /// For a writer that shares its thread with others.
    pub(crate) fn among_others() -> Self {
        Self { expected: 0, patience: Duration::ZERO, waiting: Waiting::Yielding }
    }

    /// For a writer that has this thread for itself.
    pub(crate) fn alone() -> Self {
        let sleeper = Arc::new(Sleeper(thread::current()));
        Self { waiting: Waiting::Sleeping(sleeper.into()), ..Self::among_others() }
    }

    /// Takes what comes until as many are there as last time.
    pub(crate) async fn gather<T>(
        &self,
        commands: &mut mpsc::Receiver<T>,
        inbox: &mut Vec<T>,
        max_batch: usize,
    ) {
        let expected = self.expected.min(max_batch).min(ENOUGH);
        let deadline = Instant::now() + self.patience;
        while inbox.len() < expected {
            let room = max_batch - inbox.len();
            match &self.waiting {
                Waiting::Yielding => {
                    while inbox.len() < max_batch
                        && let Ok(command) = commands.try_recv()
                    {
                        inbox.push(command);
                    }
                }
                Waiting::Sleeping(waker) => {
                    let mut context = Context::from_waker(waker);
                    if let Poll::Ready(0) = commands.poll_recv_many(&mut context, inbox, room) {
                        return;
                    }
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if inbox.len() >= expected || commands.is_closed() || left.is_zero() {
                return;
            }
            match &self.waiting {
                Waiting::Yielding => yield_now().await,
                Waiting::Sleeping(_) => thread::park_timeout(left),
            }
        }
    }

    /// Learns from a round: how many it was for, those who came while it was written included, and how
    /// long that took.
    pub(crate) fn learn(&mut self, company: usize, took: Duration) {
        self.expected = company;
        self.patience = (took / 4).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(waiting: u32) -> (mpsc::Sender<u32>, mpsc::Receiver<u32>) {
        let (sender, receiver) = mpsc::channel(64);
        for number in 0..waiting {
            sender.try_send(number).unwrap();
        }
        (sender, receiver)
    }

    #[tokio::test]
    async fn as_many_as_last_time_are_waited_for() {
        for mut gathering in [Gathering::among_others(), Gathering::alone()] {
            let (sender, mut receiver) = channel(3);
            gathering.learn(6, Duration::from_secs(3600));
            gathering.patience = Duration::from_secs(3600);
            let late = thread::spawn(move || {
                thread::sleep(Duration::from_millis(20));
                for number in 3..6 {
                    sender.try_send(number).unwrap();
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
    async fn nobody_is_waited_for_longer_than_a_quarter_of_a_commit() {
        for mut gathering in [Gathering::among_others(), Gathering::alone()] {
            let (_sender, mut receiver) = channel(1);
            gathering.learn(64, Duration::ZERO);
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 64).await;
            assert_eq!(inbox, [0]);
            gathering.learn(64, Duration::from_secs(60));
            assert_eq!(gathering.patience, LONGEST);
        }
    }

    #[tokio::test]
    async fn a_batch_that_is_large_enough_waits_for_nobody() {
        for mut gathering in [Gathering::among_others(), Gathering::alone()] {
            let (_sender, mut receiver) = channel(ENOUGH as u32 + 3);
            gathering.learn(60, Duration::from_secs(3600));
            gathering.patience = Duration::from_secs(3600);
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 64).await;
            assert_eq!(inbox.len(), ENOUGH + 3);
        }
    }

    #[tokio::test]
    async fn a_batch_never_grows_over_its_limit() {
        for mut gathering in [Gathering::among_others(), Gathering::alone()] {
            let (_sender, mut receiver) = channel(9);
            gathering.learn(9, Duration::from_secs(60));
            let mut inbox = Vec::new();
            gathering.gather(&mut receiver, &mut inbox, 4).await;
            assert_eq!(inbox.len(), 4);
        }
    }
}
