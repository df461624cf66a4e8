use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Nobody has used the permit.
const FREE: u8 = 0;
/// A remote caller holds the permit as a ticket and may be running the tool.
const HANDED_OUT: u8 = 1;
/// Someone in this process runs or ran the tool, or the permit was settled or abandoned.
const SPENT: u8 = 2;

/// What all permits of one id share, so that the tool runs once however often the call is repeated.
///
/// A governor keeps it where it finds the permit again for a repeat, and puts a clone into each
/// [`PermitGrant`](super::PermitGrant) of that id.
#[derive(Debug, Clone, Default)]
pub struct PermitClaim(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: AtomicU8,
    /// Permits of this id that have not been dropped.
    permits: AtomicUsize,
}

impl PermitClaim {
    /// The claim of a permit that may be a remote caller's, such as one of an earlier run: it can be
    /// handed out again but no longer be spent in this process.
    #[must_use]
    pub fn handed_out() -> Self {
        let claim = Self::default();
        claim.hand_out();
        claim
    }

    /// Notes that the permit is settled or abandoned.
    pub fn spend(&self) {
        self.0.state.store(SPENT, Ordering::Release);
    }

    /// Takes the right to run the tool; whether it was still there.
    pub(super) fn take(&self) -> bool {
        let state = &self.0.state;
        state.compare_exchange(FREE, SPENT, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Notes that a remote caller has the permit, unless it is spent.
    pub(super) fn hand_out(&self) {
        let state = &self.0.state;
        let _ = state.compare_exchange(FREE, HANDED_OUT, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Counts one more permit.
    pub(super) fn join(&self) {
        self.0.permits.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts one permit less; whether it was the last.
    pub(super) fn leave(&self) -> bool {
        self.0.permits.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
