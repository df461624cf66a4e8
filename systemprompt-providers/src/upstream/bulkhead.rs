use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::{UpstreamErrorKind, UpstreamSettings, Waited};

/// Lets so many calls through at a time. Others wait for a while, if not too many do already.
#[derive(Debug)]
pub(super) struct Bulkhead {
    places: Arc<Semaphore>,
    size: usize,
    queue: Arc<AtomicUsize>,
    max_queued: usize,
    wait: Duration,
}

/// A place; dropped, it is free again.
#[derive(Debug)]
pub(super) struct Place(
    #[expect(dead_code, reason = "held for what its drop does")] OwnedSemaphorePermit,
);

/// One of those that wait, counted as long as it does.
struct Waiting(Arc<AtomicUsize>);

impl Bulkhead {
    pub(super) fn new(size: usize, max_queued: usize, wait: Duration) -> Self {
        let size = size.min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(size));
        Self { places, size, queue: Arc::new(AtomicUsize::new(0)), max_queued, wait }
    }

    pub(super) fn of(settings: &UpstreamSettings) -> Self {
        Self::new(settings.max_concurrent, settings.max_queued, settings.queue_wait)
    }

    /// A place.
    ///
    /// # Errors
    /// That none is free in time, or that the time of the call is over.
    pub(super) async fn place(&self, deadline: Instant) -> Result<Place, UpstreamErrorKind> {
        self.enter(deadline).await.ok_or_else(|| match Instant::now() >= deadline {
            true => UpstreamErrorKind::Timeout(Waited::Total),
            false => UpstreamErrorKind::Saturated,
        })
    }

    async fn enter(&self, deadline: Instant) -> Option<Place> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(Place(permit));
        }
        let waiting = Waiting(Arc::clone(&self.queue));
        if self.queue.fetch_add(1, Ordering::Relaxed) >= self.max_queued || self.wait.is_zero() {
            return None;
        }
        let until = Instant::now().checked_add(self.wait).map_or(deadline, |at| at.min(deadline));
        let entered =
            tokio::time::timeout_at(until, Arc::clone(&self.places).acquire_owned()).await;
        drop(waiting);
        entered.ok()?.ok().map(Place)
    }

    pub(super) fn in_flight(&self) -> usize {
        self.size.saturating_sub(self.places.available_permits())
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.load(Ordering::Relaxed)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_waited_for_so_long() {
        let bulkhead = Bulkhead::new(1, 8, Duration::from_secs(5));
        let place = bulkhead.enter(soon()).await.unwrap();
        let started = Instant::now();
        assert!(bulkhead.enter(soon()).await.is_none());
        assert_eq!(started.elapsed(), Duration::from_secs(5));
        let (entered, ()) = tokio::join!(bulkhead.enter(soon()), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (1, 1));
            drop(place);
        });
        assert!(entered.is_some());
        assert_eq!((bulkhead.in_flight(), bulkhead.queued()), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_and_the_queue_bound_the_wait() {
        let bulkhead = Bulkhead::new(1, 1, Duration::from_secs(5));
        let _place = bulkhead.enter(soon()).await.unwrap();
        let started = Instant::now();
        let (first, second) =
            tokio::join!(bulkhead.enter(started + Duration::from_secs(2)), async {
                tokio::task::yield_now().await;
                let refused = bulkhead.enter(soon()).await;
                assert_eq!(started.elapsed(), Duration::ZERO, "a full queue does not wait");
                refused
            });
        assert!(first.is_none() && second.is_none());
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        assert_eq!(bulkhead.queued(), 0);
    }
}
