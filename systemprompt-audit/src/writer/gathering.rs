use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::Instant;

/// Longest wait for more, however slow commits are.
const LONGEST: Duration = Duration::from_micros(500);

/// Makes batches whole.
///
/// Callers that wait for their answers fall into two halves, one being written while the other one
/// collects, and every commit serves half of them. So before a batch is written, those who came in the
/// last round are waited for: at most a quarter of what the last commit took, and not at all by a
/// caller that is alone.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    expected: usize,
    patience: Duration,
}

impl Gathering {
    /// Takes what comes until as many are there as last time.
    pub(crate) async fn gather<T>(
        &self,
        commands: &mut mpsc::Receiver<T>,
        inbox: &mut Vec<T>,
        max_batch: usize,
    ) {
        let expected = self.expected.min(max_batch);
        let deadline = Instant::now() + self.patience;
        while inbox.len() < expected {
            while inbox.len() < expected
                && let Ok(command) = commands.try_recv()
            {
                inbox.push(command);
            }
            if inbox.len() >= expected || commands.is_closed() || Instant::now() >= deadline {
                return;
            }
            // Timers are coarser than this wait; other tasks run meanwhile.
            yield_now().await;
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
        let (sender, mut receiver) = channel(3);
        let mut gathering = Gathering::default();
        gathering.learn(6, Duration::from_secs(3600));
        gathering.patience = Duration::from_secs(3600);
        let late = tokio::spawn(async move {
            yield_now().await;
            for number in 3..9 {
                sender.try_send(number).unwrap();
            }
            sender
        });
        let mut inbox = Vec::new();
        gathering.gather(&mut receiver, &mut inbox, 64).await;
        assert_eq!(inbox, [0, 1, 2, 3, 4, 5]);
        drop(late.await);
    }

    #[tokio::test]
    async fn nobody_is_waited_for_longer_than_a_quarter_of_a_commit() {
        let (_sender, mut receiver) = channel(1);
        let mut gathering = Gathering::default();
        gathering.learn(64, Duration::ZERO);
        let mut inbox = Vec::new();
        gathering.gather(&mut receiver, &mut inbox, 64).await;
        assert_eq!(inbox, [0]);
        gathering.learn(64, Duration::from_secs(60));
        assert_eq!(gathering.patience, LONGEST);
    }

    #[tokio::test]
    async fn a_batch_never_grows_over_its_limit() {
        let (_sender, mut receiver) = channel(9);
        let mut gathering = Gathering::default();
        gathering.learn(9, Duration::from_secs(60));
        let mut inbox = Vec::new();
        gathering.gather(&mut receiver, &mut inbox, 4).await;
        assert_eq!(inbox.len(), 4);
    }
}
