use std::time::Duration;

/// Longest pause that a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// Pauses between attempts: doubling up to a limit, each drawn from its upper half so that many senders
/// do not come back at once.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first: first.min(longest), longest, failures: 0 }
    }

    /// An attempt succeeded.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// An attempt failed: how long to wait before the next, `asked` at least (but no more than an hour).
    pub(super) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let doubled = self.first.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let pause = doubled.min(self.longest);
        let pause = pause.mul_f64(rand::random_range(0.5..=1.0));
        pause.max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_limit_and_start_over() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(800));
        for upper in [100, 200, 400, 800, 800, 800] {
            let pause = backoff.next(None).as_millis();
            assert!((upper / 2..=upper).contains(&pause), "{pause} of {upper}");
        }
        backoff.reset();
        assert!(backoff.next(None) <= Duration::from_millis(100));
    }

    #[test]
    fn what_the_receiver_asks_for_is_honoured_within_reason() {
        let mut backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));
        assert_eq!(backoff.next(Some(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(backoff.next(Some(Duration::from_secs(90_000))), LONGEST_ASKED);
    }
}
