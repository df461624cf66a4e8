//! How the writer of a log learns that as many are waiting as it waits for.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{self, Thread};
use std::time::Duration;

/// Counts what is sent to a writer, and wakes it once for a whole batch instead of once for each event.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicU64,
    /// The writer sleeps until so many have rung; 0 when it does not.
    wanted: AtomicU64,
    writer: OnceLock<Thread>,
}

impl Bell {
    /// Says that something was sent.
    pub(crate) fn ring(&self) {
        let rung = self.rung.fetch_add(1, SeqCst) + 1;
        let wanted = self.wanted.load(SeqCst);
        if wanted != 0
            && rung >= wanted
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }

    /// Makes this thread the one that is woken.
    pub(super) fn wake_me(&self) {
        // Nobody else writes.
        let _ = self.writer.set(thread::current());
    }

    /// How often it has rung.
    pub(super) fn rung(&self) -> u64 {
        self.rung.load(SeqCst)
    }

    /// Sleeps until it has rung `wanted` times, for `most` at most, and now and then for less.
    pub(super) fn wait(&self, wanted: u64, most: Duration) {
        self.wanted.store(wanted, SeqCst);
        // Whoever rings from here on sees what is wanted.
        if self.rung() < wanted {
            thread::park_timeout(most);
        }
        self.wanted.store(0, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_one_that_is_waited_for_wakes_the_writer() {
        let bell = Arc::new(Bell::default());
        bell.wake_me();
        let ringing = thread::spawn({
            let bell = bell.clone();
            move || {
                for _ in 0..3 {
                    thread::sleep(Duration::from_millis(5));
                    bell.ring();
                }
            }
        });
        let end = Instant::now() + Duration::from_secs(60);
        while bell.rung() < 3 && Instant::now() < end {
            bell.wait(3, Duration::from_secs(60));
        }
        assert_eq!(bell.rung(), 3);
        drop(ringing.join());
        bell.wait(3, Duration::from_secs(60));
        let start = Instant::now();
        bell.wait(4, Duration::from_millis(10));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
