use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{
    BudgetCap, BudgetError, BudgetRequest, BudgetState, Reservation, Settlement,
};
use systemprompt_core::database::{DatabaseError, DbPool, DbTransaction};
use systemprompt_core::id::ReservationId;
use systemprompt_core::money::Microdollars;

use super::row::{self, ReservationRow, WindowRow};
use super::{on, unavailable};
use crate::budget::ledger::{Amounts, Counters, Held, WindowKey};

/// How many reservations one transaction returns.
const BATCH: i64 = 100;

/// How many reservations, and how many windows, one transaction forgets.
const PURGE_BATCH: i64 = 1_000;

/// After how many requests a store looks for what it can forget: far fewer than one batch of it.
const PURGE_EVERY: u32 = 64;

/// The counters and reservations in a database.
pub(super) struct Books {
    database: DbPool,
    clock: Arc<dyn Clock>,
    /// How many requests there were.
    requests: AtomicU32,
}

impl Books {
    pub(super) fn new(database: DbPool, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock, requests: AtomicU32::new(0) }
    }

    pub(super) fn database(&self) -> &DbPool {
        &self.database
    }

    pub(super) async fn reserve(
        &self,
        request: &BudgetRequest,
    ) -> Result<Reservation, BudgetError> {
        let now = self.clock.now();
        self.purge_at_times(now).await;
        match self.try_reserve(request, now).await {
            Err(BudgetError::Refused(refusal)) => {
                if self.expire(now).await?.is_empty() {
                    return Err(refusal.into());
                }
                self.try_reserve(request, now).await
            }
            decided => decided,
        }
    }

    async fn try_reserve(
        &self,
        request: &BudgetRequest,
        now: Timestamp,
    ) -> Result<Reservation, BudgetError> {
        let windows = request.caps.iter().map(|cap| WindowKey::of(cap, now)).collect();
        let mut tx = self.begin_write().await?;
        let mut counters = lock(&mut tx, windows).await?;
        let held = Held::reserve(request, &mut counters, now)?;
        let id = ReservationId::generate();
        on!(tx.driver(), put_windows(&counters));
        on!(tx.driver(), insert_reservation(&ReservationRow::of(id, &held)));
        commit(tx).await?;
        Ok(Reservation { id, deadline: Timestamp::from_micros(held.deadline) })
    }

    pub(super) async fn settle(
        &self,
        id: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<Settlement, BudgetError> {
        let used = Amounts::used(microdollars, tokens)?;
        let now = self.clock.now();
        self.change(id, |held, counters| held.settle(used, counters, now)).await
    }

    pub(super) async fn release(&self, id: ReservationId) -> Result<(), BudgetError> {
        let now = self.clock.now();
        self.change(id, |held, counters| held.release(counters, now)).await
    }

    pub(super) async fn extend(
        &self,
        id: ReservationId,
        microdollars: Microdollars,
        tokens: u64,
    ) -> Result<(), BudgetError> {
        let more = Amounts::asked(microdollars, tokens)?;
        let now = self.clock.now();
        let extend =
            |held: &mut Held, counters: &mut Counters| held.extend(id, more, counters, now);
        match self.change(id, extend).await? {
            Err(BudgetError::Refused(refusal)) => {
                if self.expire(now).await?.is_empty() {
                    return Err(refusal.into());
                }
                self.change(id, extend).await?
            }
            decided => decided,
        }
    }

    pub(super) async fn remaining(
        &self,
        caps: &[BudgetCap],
    ) -> Result<Vec<BudgetState>, BudgetError> {
        let now = self.clock.now();
        let windows: BTreeSet<_> = caps.iter().map(|cap| WindowKey::of(cap, now)).collect();
        let mut reading = self.database.begin().await.map_err(|error| unavailable(&error))?;
        let rows: Vec<WindowRow> = on!(reading.driver(), windows(&windows));
        let counters = row::counters(rows)?;
        let state = |cap: &BudgetCap| {
            let counter = counters.get(&WindowKey::of(cap, now)).copied().unwrap_or_default();
            counter.state(cap, now)
        };
        Ok(caps.iter().map(state).collect())
    }

    pub(super) async fn expire_and_purge(
        &self,
        now: Timestamp,
    ) -> Result<Vec<ReservationId>, BudgetError> {
        let expired = self.expire(now).await?;
        while self.purge_batch(now).await? {}
        Ok(expired)
    }

    /// Returns what abandoned reservations hold, a batch at a time.
    async fn expire(&self, now: Timestamp) -> Result<Vec<ReservationId>, BudgetError> {
        let mut expired = Vec::new();
        // Mostly there are none, and nobody's lock is waited for.
        while self.is_any_due(now).await? {
            let batch = self.expire_batch(now).await?;
            if batch.is_empty() {
                // Another process has them.
                break;
            }
            expired.extend(batch);
        }
        Ok(expired)
    }

    async fn is_any_due(&self, now: Timestamp) -> Result<bool, BudgetError> {
        let mut reading = self.database.begin().await.map_err(|error| unavailable(&error))?;
        Ok(on!(reading.driver(), is_any_due(now.as_micros())))
    }

    async fn expire_batch(&self, now: Timestamp) -> Result<Vec<ReservationId>, BudgetError> {
        let mut tx = self.begin_write().await?;
        let rows: Vec<ReservationRow> = on!(tx.driver(), lock_due(now.as_micros(), BATCH));
        let mut due = rows.iter().map(ReservationRow::read).collect::<Result<Vec<_>, _>>()?;
        let windows = due.iter().flat_map(|(_, held)| windows(held)).collect();
        let mut counters = lock(&mut tx, windows).await?;
        for (id, held) in &mut due {
            held.expire(&mut counters, now);
            on!(tx.driver(), update_reservation(&ReservationRow::of(*id, held)));
        }
        on!(tx.driver(), put_windows(&counters));
        commit(tx).await?;
        Ok(due.into_iter().map(|(id, _)| id).collect())
    }

    /// Forgets a batch now and then, so that a host that never calls `expire` does not fill its disk.
    async fn purge_at_times(&self, now: Timestamp) {
        if !self.requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(PURGE_EVERY) {
            return;
        }
        // The request itself does not depend on it.
        if let Err(error) = self.purge_batch(now).await {
            tracing::warn!(%error, "old windows of budgets could not be removed");
        }
    }

    /// Forgets up to a batch of what is of no use any more; says whether there may be more.
    async fn purge_batch(&self, now: Timestamp) -> Result<bool, BudgetError> {
        let mut tx = self.begin_write().await?;
        let windows: u64 = on!(tx.driver(), purge_windows(now.as_micros(), PURGE_BATCH));
        let reservations: u64 = on!(tx.driver(), purge_reservations(now.as_micros(), PURGE_BATCH));
        commit(tx).await?;
        Ok(windows.max(reservations) >= PURGE_BATCH.unsigned_abs())
    }

    /// Does something to a reservation and the counters of its windows.
    async fn change<T>(
        &self,
        id: ReservationId,
        change: impl FnOnce(&mut Held, &mut Counters) -> T,
    ) -> Result<T, BudgetError> {
        let mut tx = self.begin_write().await?;
        let found: Option<ReservationRow> = on!(tx.driver(), lock_reservation(id.as_bytes()));
        let (_, before) = found.ok_or(BudgetError::Unknown(id))?.read()?;
        let mut counters = lock(&mut tx, windows(&before).collect()).await?;
        let mut held = before.clone();
        let changed = change(&mut held, &mut counters);
        if held != before {
            on!(tx.driver(), put_windows(&counters));
            on!(tx.driver(), update_reservation(&ReservationRow::of(id, &held)));
            commit(tx).await?;
        }
        Ok(changed)
    }

    async fn begin_write(&self) -> Result<DbTransaction<'static>, BudgetError> {
        self.database.begin_write().await.map_err(|error| unavailable(&error))
    }
}

/// The counters of `windows`, which nobody else changes before the transaction ends.
async fn lock(
    tx: &mut DbTransaction<'_>,
    windows: BTreeSet<WindowKey>,
) -> Result<Counters, BudgetError> {
    if windows.is_empty() {
        return Ok(Counters::new());
    }
    let rows: Vec<WindowRow> = on!(tx.driver(), lock_windows(&windows));
    row::counters(rows)
}

fn windows(held: &Held) -> impl Iterator<Item = WindowKey> {
    held.charges.iter().map(|charge| charge.window.clone())
}

async fn commit(tx: DbTransaction<'_>) -> Result<(), BudgetError> {
    tx.commit().await.map_err(|error: DatabaseError| unavailable(&error))
}
