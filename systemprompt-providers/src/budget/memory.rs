use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{
    BudgetCap, BudgetError, BudgetRequest, BudgetState, BudgetStore, Reservation, Settlement,
};
use systemprompt_core::id::ReservationId;
use systemprompt_core::money::Microdollars;

/// How long the store waits until it looks again for what it can forget.
const PURGE_INTERVAL: Duration = Duration::from_secs(60);
use super::ledger::{Amounts, Counters, Held, WindowKey};

/// Budgets in the memory of one process: what was used is forgotten when it ends.
///
/// Old windows go by themselves, a minute or more after they are of no use any more.
pub struct MemoryBudgetStore {
    clock: Arc<dyn Clock>,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    counters: Counters,
    reservations: HashMap<ReservationId, Held>,
    /// The deadlines of open reservations.
    deadlines: BTreeSet<(i64, ReservationId)>,
    /// By the monotonic clock.
    next_purge: Duration,
}

impl MemoryBudgetStore {
    /// An empty store.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, books: Mutex::default() }
    }

    /// How many windows and reservations are kept.
    #[cfg(test)]
    fn kept(&self) -> (usize, usize) {
        let books = self.books.lock();
        (books.counters.len(), books.reservations.len())
    }
}

#[async_trait]
impl BudgetStore for MemoryBudgetStore {
    async fn reserve(&self, request: &BudgetRequest) -> Result<Reservation, BudgetError> {
        let now = self.clock.now();
        let mut books = self.books.lock();
        // Now and then, so that a host that never calls `expire` does not run out of memory.
        let monotonic = self.clock.monotonic();
        if monotonic >= books.next_purge {
            books.next_purge = monotonic.saturating_add(PURGE_INTERVAL);
            books.purge(now);
        }
        let held = match Held::reserve(request, &mut books.counters, now) {
            Err(BudgetError::Refused(refusal)) => {
                if books.expire(now).is_empty() {
                    return Err(refusal.into());
                }
                Held::reserve(request, &mut books.counters, now)?
            }
            decided => decided?,
        };
        let id = ReservationId::generate();
        let deadline = Timestamp::from_micros(held.deadline);
        books.deadlines.insert((held.deadline, id));
        books.reservations.insert(id, held);
        Ok(Reservation { id, deadline })
    }

    async fn settle(
        &self,
        reservation: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<Settlement, BudgetError> {
        let used = Amounts::used(microdollars, tokens)?;
        let now = self.clock.now();
        self.books.lock().change(reservation, |held, counters| held.settle(used, counters, now))
    }

    async fn release(&self, reservation: ReservationId) -> Result<(), BudgetError> {
        let now = self.clock.now();
        self.books.lock().change(reservation, |held, counters| held.release(counters, now))
    }

    async fn extend(
        &self,
        reservation: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<(), BudgetError> {
        let more = Amounts::asked(microdollars, tokens)?;
        let now = self.clock.now();
        let mut books = self.books.lock();
        let extend = |held: &mut Held, counters: &mut Counters| {
            held.extend(reservation, more, counters, now)
        };
        match books.change(reservation, extend)? {
            Err(BudgetError::Refused(refusal)) => {
                if books.expire(now).is_empty() {
                    return Err(refusal.into());
                }
                books.change(reservation, extend)?
            }
            decided => decided,
        }
    }

    async fn remaining(&self, caps: &[BudgetCap]) -> Result<Vec<BudgetState>, BudgetError> {
        let now = self.clock.now();
        let books = self.books.lock();
        let state = |cap: &BudgetCap| {
            let counter = books.counters.get(&WindowKey::of(cap, now)).copied().unwrap_or_default();
            counter.state(cap, now)
        };
        Ok(caps.iter().map(state).collect())
    }

    async fn expire(&self, now: Timestamp) -> Result<Vec<ReservationId>, BudgetError> {
        let mut books = self.books.lock();
        let expired = books.expire(now);
        books.purge(now);
        Ok(expired)
    }
}

impl Books {
    /// Does something to a reservation, and keeps the deadlines in step.
    fn change<T>(
        &mut self,
        id: ReservationId,
        change: impl FnOnce(&mut Held, &mut Counters) -> T,
    ) -> Result<T, BudgetError> {
        let held = self.reservations.get_mut(&id).ok_or(BudgetError::Unknown(id))?;
        self.deadlines.remove(&(held.deadline, id));
        let changed = change(held, &mut self.counters);
        if held.is_open() {
            self.deadlines.insert((held.deadline, id));
        }
        Ok(changed)
    }

    fn expire(&mut self, now: Timestamp) -> Vec<ReservationId> {
        let mut expired = Vec::new();
        while let Some((deadline, id)) = self.deadlines.first().copied() {
            if deadline > now.as_micros() {
                break;
            }
            self.deadlines.pop_first();
            if let Some(held) = self.reservations.get_mut(&id) {
                held.expire(&mut self.counters, now);
                expired.push(id);
            }
        }
        expired
    }

    fn purge(&mut self, now: Timestamp) {
        let now = now.as_micros();
        self.reservations.retain(|_, held| held.is_open() || held.keep_until > now);
        self.counters.retain(|window, counter| counter.is_held() || window.keep_until() > now);
    }
}

impl fmt::Debug for MemoryBudgetStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBudgetStore").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use systemprompt_core::clock::ManualClock;
    use systemprompt_core::contract::BudgetKey;

    use super::*;

    #[tokio::test]
    async fn memory_does_not_grow_with_time() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
        let store = MemoryBudgetStore::new(clock.clone());
        let request = BudgetRequest {
            caps: vec![BudgetCap {
                name: "a".into(),
                key: BudgetKey::new("a"),
                limit_microdollars: None,
                limit_tokens: Some(10),
                window_s: 1.try_into().unwrap(),
            }],
            microdollars: Microdollars::ZERO,
            tokens: 10,
            timeout: Duration::from_secs(5),
        };
        let mut most = (0, 0);
        for step in 0..20_000_u32 {
            let reserved = store.reserve(&request).await.unwrap();
            // Every hundredth is abandoned, and nobody calls `expire`.
            if step % 100 > 0 {
                store.settle(reserved.id, Microdollars::ZERO, 10).await.unwrap();
            }
            clock.advance(Duration::from_secs(1));
            let kept = store.kept();
            most = (most.0.max(kept.0), most.1.max(kept.1));
        }
        // An hour of windows; ten minutes of what was settled, and what is still held.
        assert!((3_600..=3_600 + 61 + 200).contains(&most.0), "{most:?}");
        assert!((600..=600 + 61 + 200).contains(&most.1), "{most:?}");
        assert_eq!(store.expire(clock.now()).await.unwrap().len(), 200);
        clock.advance(Duration::from_secs(2 * 86_400));
        assert!(store.expire(clock.now()).await.unwrap().is_empty());
        assert_eq!(store.kept(), (0, 0));
    }
}
