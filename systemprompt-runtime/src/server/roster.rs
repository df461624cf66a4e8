use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::lifeline::{Lifeline, Order, Phase};

/// All open connections of a server.
#[derive(Debug)]
pub(crate) struct Roster {
    limits: Deadlines,
    since: Instant,
    ticks: Arc<AtomicU32>,
    draining: AtomicBool,
    lines: Mutex<HashMap<u64, Arc<Lifeline>>>,
    next: AtomicU64,
    cut: AtomicU64,
    left: Notify,
}

/// How long a connection may stay in a phase.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// From the first byte of a request head (or from accepting) to its last.
    pub(crate) head: Duration,
    /// Without a request.
    pub(crate) idle: Duration,
    /// With a write that makes no progress.
    pub(crate) write: Duration,
}

impl Deadlines {
    /// How often the roster looks at its connections: an eighth of the shortest deadline, from 10 ms
    /// to 1 s.
    pub(crate) fn tick(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.write);
        (shortest / 8).clamp(Duration::from_millis(10), Duration::from_secs(1))
    }

    /// The deadline in whole ticks, rounded up.
    fn ticks(&self, deadline: Duration) -> u64 {
        let ticks = deadline.as_nanos().div_ceil(self.tick().as_nanos().max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

impl Roster {
    /// A roster without connections.
    pub(crate) fn new(limits: Deadlines) -> Arc<Self> {
        Arc::new(Self {
            limits,
            since: Instant::now(),
            ticks: Arc::default(),
            draining: AtomicBool::new(false),
            lines: Mutex::default(),
            next: AtomicU64::new(0),
            cut: AtomicU64::new(0),
            left: Notify::new(),
        })
    }

    /// Enters a new connection; it leaves when the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> Present {
        let line = Arc::new(Lifeline::new(self.ticks.clone()));
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lines.lock().insert(id, line.clone());
        if self.draining.load(Ordering::Acquire) {
            line.command(Order::Drain);
        }
        Present { roster: self.clone(), id, line }
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> usize {
        self.lines.lock().len()
    }

    /// How many connections were accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How many connections were cut off so far.
    pub(crate) fn cut(&self) -> u64 {
        self.cut.load(Ordering::Relaxed)
    }

    /// Lets time pass and cuts off who is overdue; never returns. Several of these do no harm: a
    /// server with two listeners has two.
    pub(crate) async fn watch(&self) {
        let tick = self.limits.tick();
        loop {
            tokio::time::sleep(tick).await;
            let passed = self.since.elapsed().as_nanos() / tick.as_nanos().max(1);
            self.ticks.store(u32::try_from(passed).unwrap_or(u32::MAX), Ordering::Relaxed);
            self.cut_overdue();
        }
    }

    fn cut_overdue(&self) {
        let limits = &self.limits;
        let (head, idle) = (limits.ticks(limits.head), limits.ticks(limits.idle));
        let write = limits.ticks(limits.write);
        for line in self.lines.lock().values() {
            let overdue = match line.phase() {
                (Phase::Head, ticks) => ticks > head,
                (Phase::Idle, ticks) => ticks > idle,
                (Phase::Busy, _) => false,
            };
            if overdue || line.stalled().is_some_and(|ticks| ticks > write) {
                self.cut_off(line);
            }
        }
    }

    /// Makes room for another connection: cuts off the one that has been receiving a head or been
    /// idle for longest, if that is longer than a tick.
    pub(crate) fn make_room(&self) {
        let lines = self.lines.lock();
        let oldest = lines
            .values()
            .filter_map(|line| match line.phase() {
                (Phase::Busy, _) => None,
                (_, ticks) => Some((ticks, line)),
            })
            .filter(|(ticks, _)| *ticks > 1)
            .max_by_key(|(ticks, _)| *ticks);
        if let Some((_, line)) = oldest {
            self.cut_off(line);
        }
    }

    fn cut_off(&self, line: &Lifeline) {
        self.cut.fetch_add(1, Ordering::Relaxed);
        line.command(Order::Cut);
    }

    /// Asks every connection to finish what it has in hand; cuts off those that are left at the
    /// deadline. Returns when none is open.
    pub(crate) async fn drain(&self, deadline: Duration) {
        self.draining.store(true, Ordering::Release);
        self.command_all(Order::Drain);
        if tokio::time::timeout(deadline, self.emptied()).await.is_err() {
            tracing::warn!(open = self.open(), "requests did not finish in time and were cut off");
            self.command_all(Order::Cut);
            self.emptied().await;
        }
    }

    fn command_all(&self, order: Order) {
        for line in self.lines.lock().values() {
            line.command(order);
        }
    }

    async fn emptied(&self) {
        loop {
            let left = self.left.notified();
            if self.open() == 0 {
                return;
            }
            left.await;
        }
    }
}

/// A connection's entry in the roster.
#[derive(Debug)]
pub(crate) struct Present {
    roster: Arc<Roster>,
    id: u64,
    line: Arc<Lifeline>,
}

impl Present {
    /// The connection's lifeline.
    pub(crate) fn line(&self) -> &Arc<Lifeline> {
        &self.line
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut lines = self.roster.lines.lock();
        lines.remove(&self.id);
        if lines.is_empty() {
            self.roster.left.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn roster() -> Arc<Roster> {
        let second = Duration::from_secs(1);
        Roster::new(Deadlines { head: 8 * second, idle: 16 * second, write: 8 * second })
    }

    fn order(present: &Present) -> Order {
        present.line().order(Waker::noop())
    }

    #[test]
    fn the_overdue_are_cut_off_and_the_busy_are_left_alone() {
        let roster = roster();
        let (slow, busy, idle) = (roster.enter(), roster.enter(), roster.enter());
        busy.line().enter(Phase::Busy);
        idle.line().enter(Phase::Idle);
        roster.ticks.store(9, Ordering::Relaxed);
        roster.cut_overdue();
        assert_eq!((order(&slow), order(&busy), order(&idle)), {
            (Order::Cut, Order::Serve, Order::Serve)
        });
        roster.ticks.store(17, Ordering::Relaxed);
        roster.cut_overdue();
        assert_eq!((order(&busy), order(&idle)), (Order::Serve, Order::Cut));
        busy.line().write_waits(true);
        roster.ticks.store(26, Ordering::Relaxed);
        roster.cut_overdue();
        assert_eq!(order(&busy), Order::Cut, "a client that does not read is cut off");
    }

    #[test]
    fn room_is_made_by_the_oldest_that_does_nothing() {
        let roster = roster();
        let (busy, old) = (roster.enter(), roster.enter());
        busy.line().enter(Phase::Busy);
        roster.ticks.store(2, Ordering::Relaxed);
        let new = roster.enter();
        roster.make_room();
        assert_eq!((order(&busy), order(&old), order(&new)), {
            (Order::Serve, Order::Cut, Order::Serve)
        });
    }

    #[tokio::test]
    async fn draining_waits_for_the_last_one() {
        let roster = roster();
        let present = roster.enter();
        let drained = tokio::spawn({
            let roster = roster.clone();
            async move { roster.drain(Duration::from_secs(60)).await }
        });
        while order(&present) != Order::Drain {
            tokio::task::yield_now().await;
        }
        assert_eq!(order(&roster.enter()), Order::Drain, "late comers are told too");
        drop(present);
        drained.await.unwrap();
    }
}
