use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::leftover::Leftover;

/// What a connection is doing, as seen from outside its task.
///
/// Every change is one relaxed store. Deadlines are enforced by the [`Roster`](super::Roster), which
/// looks at all lifelines once per tick, so that a request costs no timer.
pub(crate) struct Lifeline {
    ticks: Arc<AtomicU32>,
    /// The tick the phase began in, shifted left by two, and the phase.
    phase: AtomicU64,
    /// The tick since which a write makes no progress, plus one; 0 when none is waiting.
    stalled: AtomicU64,
    order: AtomicU8,
    body_fault: AtomicU8,
    unread: AtomicBool,
    leftover: Mutex<Option<Leftover>>,
    task: AtomicWaker,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A request head is being received.
    Head,
    /// A request is being answered.
    Busy,
    /// Nothing; kept alive for the next request.
    Idle,
}

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    /// Go on.
    Serve,
    /// Finish the request in hand and close.
    Drain,
    /// Close at once.
    Cut,
}

/// Why a request body was not delivered in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    /// It took too long.
    #[error("the request body did not arrive in time")]
    Late,
    /// It is too long.
    #[error("the request body is too long")]
    TooLong,
}

impl Lifeline {
    /// The lifeline of a connection that was just accepted.
    pub(crate) fn new(ticks: Arc<AtomicU32>) -> Self {
        let line = Self {
            ticks,
            phase: AtomicU64::new(0),
            stalled: AtomicU64::new(0),
            order: AtomicU8::new(0),
            body_fault: AtomicU8::new(0),
            unread: AtomicBool::new(false),
            leftover: Mutex::new(None),
            task: AtomicWaker::new(),
        };
        line.enter(Phase::Head);
        line
    }

    /// Records that `phase` begins now.
    pub(crate) fn enter(&self, phase: Phase) {
        let kind = match phase {
            Phase::Head => 0,
            Phase::Busy => 1,
            Phase::Idle => 2,
        };
        self.phase.store(self.now() << 2 | kind, Ordering::Relaxed);
    }

    /// The phase, and for how many ticks it has lasted.
    pub(crate) fn phase(&self) -> (Phase, u64) {
        let word = self.phase.load(Ordering::Relaxed);
        let phase = match word & 3 {
            0 => Phase::Head,
            1 => Phase::Busy,
            _ => Phase::Idle,
        };
        (phase, self.now().saturating_sub(word >> 2))
    }

    /// Records that bytes came in: an idle connection begins to receive a head.
    pub(crate) fn received(&self) {
        if self.phase.load(Ordering::Relaxed) & 3 == 2 {
            self.enter(Phase::Head);
        }
    }

    /// Records whether a write has to wait for the client.
    pub(crate) fn write_waits(&self, waits: bool) {
        let before = self.stalled.load(Ordering::Relaxed);
        match (waits, before) {
            (true, 0) => self.stalled.store(self.now() + 1, Ordering::Relaxed),
            (false, since) if since != 0 => self.stalled.store(0, Ordering::Relaxed),
            _ => {}
        }
    }

    /// For how many ticks a write has made no progress.
    pub(crate) fn stalled(&self) -> Option<u64> {
        let since = self.stalled.load(Ordering::Relaxed).checked_sub(1)?;
        Some(self.now().saturating_sub(since))
    }

    /// Gives the connection an order; a weaker one than before changes nothing.
    pub(crate) fn command(&self, order: Order) {
        let rank = match order {
            Order::Serve => 0,
            Order::Drain => 1,
            Order::Cut => 2,
        };
        if self.order.fetch_max(rank, Ordering::AcqRel) < rank {
            self.task.wake();
        }
    }

    /// The order in force. `waker` is woken when it changes.
    pub(crate) fn order(&self, waker: &Waker) -> Order {
        self.task.register(waker);
        match self.order.load(Ordering::Acquire) {
            0 => Order::Serve,
            1 => Order::Drain,
            _ => Order::Cut,
        }
    }

    /// Records that the body of the current request was not delivered in full.
    pub(crate) fn fault(&self, fault: BodyFault) {
        let code = match fault {
            BodyFault::Late => 1,
            BodyFault::TooLong => 2,
        };
        self.body_fault.store(code, Ordering::Relaxed);
    }

    /// Takes what [`Lifeline::fault`] recorded.
    pub(crate) fn take_fault(&self) -> Option<BodyFault> {
        match self.body_fault.load(Ordering::Relaxed) {
            0 => None,
            code => {
                self.body_fault.store(0, Ordering::Relaxed);
                Some(if code == 1 { BodyFault::Late } else { BodyFault::TooLong })
            }
        }
    }

    /// Records that the current request's body was not read to its end.
    pub(crate) fn leave(&self, leftover: Leftover) {
        *self.leftover.lock() = Some(leftover);
    }

    /// Takes what [`Lifeline::leave`] recorded.
    pub(crate) fn take_leftover(&self) -> Option<Leftover> {
        self.leftover.lock().take()
    }

    /// Records that the connection ends with bytes of a request that nobody has read.
    pub(crate) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// Whether [`Lifeline::leave_unread`] was called.
    pub(crate) fn has_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    fn now(&self) -> u64 {
        u64::from(self.ticks.load(Ordering::Relaxed))
    }
}

impl std::fmt::Debug for Lifeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifeline").field("phase", &self.phase()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_receives_a_head_and_a_busy_one_stays_busy() {
        let ticks = Arc::new(AtomicU32::new(5));
        let line = Lifeline::new(ticks.clone());
        line.enter(Phase::Busy);
        line.received();
        assert_eq!(line.phase(), (Phase::Busy, 0));
        line.enter(Phase::Idle);
        ticks.store(9, Ordering::Relaxed);
        assert_eq!(line.phase(), (Phase::Idle, 4));
        line.received();
        assert_eq!(line.phase(), (Phase::Head, 0));
        ticks.store(11, Ordering::Relaxed);
        line.received();
        assert_eq!(line.phase(), (Phase::Head, 2), "a trickle does not restart the head");
    }

    #[test]
    fn orders_only_grow_stronger() {
        let line = Lifeline::new(Arc::default());
        line.command(Order::Cut);
        line.command(Order::Drain);
        assert_eq!(line.order(Waker::noop()), Order::Cut);
    }

    #[test]
    fn a_stalled_write_is_measured_from_its_start() {
        let ticks = Arc::new(AtomicU32::new(0));
        let line = Lifeline::new(ticks.clone());
        line.write_waits(true);
        ticks.store(3, Ordering::Relaxed);
        line.write_waits(true);
        assert_eq!(line.stalled(), Some(3));
        line.write_waits(false);
        assert_eq!(line.stalled(), None);
    }
}
