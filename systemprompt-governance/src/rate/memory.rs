use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::{Mutex, MutexGuard};
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{RateCharge, RateRefusal, RateStore, RateStoreError};
use systemprompt_core::decision::LimitState;

use super::gcra::Gcra;
use super::shard::Shard;

const SHARDS: usize = 64;

/// Buckets a store holds unless told otherwise; about 8 MB when full.
const DEFAULT_CAPACITY: usize = 200_000;

/// Rate limits in the memory of this process, exact for any number of limits at once.
///
/// Memory is bounded: buckets that are back at their full burst make room for new ones, and when there
/// are none, keys that have no bucket yet share a fixed table of them. A flood of keys makes limits
/// stricter for new keys; it never makes one forget a charge.
pub struct MemoryRateStore {
    clock: Arc<dyn Clock>,
    shards: Box<[Mutex<Shard>]>,
    shard_capacity: usize,
}

impl MemoryRateStore {
    /// A store that reads the monotonic side of `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self::with_capacity(DEFAULT_CAPACITY, clock)
    }

    /// A store for about `buckets` buckets (at least 64).
    #[must_use]
    pub fn with_capacity(buckets: usize, clock: Arc<dyn Clock>) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { clock, shards, shard_capacity: buckets.div_ceil(SHARDS).max(1) }
    }

    /// How many buckets are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Whether no bucket is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now(&self) -> u64 {
        let elapsed = self.clock.monotonic();
        let nanos = elapsed.as_secs().saturating_mul(1_000_000_000);
        nanos.saturating_add(u64::from(elapsed.subsec_nanos()))
    }

    /// Locks every shard the charges touch, always in the same order.
    fn lock(&self, charges: &[RateCharge]) -> Locked<'_> {
        let mut wanted = charges.iter().fold(0_u64, |set, charge| set | (1 << shard_of(charge)));
        let first = self.next(&mut wanted);
        // Most policies have one limit: the list of further shards then allocates nothing.
        let mut more = Vec::new();
        while let Some(guard) = self.next(&mut wanted) {
            more.push(guard);
        }
        Locked { first, more, now: self.now() }
    }

    /// Locks the lowest of the `wanted` shards and takes it off the set.
    fn next(&self, wanted: &mut u64) -> Option<(usize, MutexGuard<'_, Shard>)> {
        let at = wanted.trailing_zeros() as usize;
        let shard = self.shards.get(at)?;
        *wanted &= *wanted - 1;
        Some((at, shard.lock()))
    }
}

impl MemoryRateStore {
    /// Whether all charges fit, now and without waiting.
    pub(crate) fn fits(&self, charges: &[RateCharge]) -> Result<(), RateRefusal> {
        if charges.is_empty() { Ok(()) } else { self.lock(charges).fit(charges) }
    }

    /// Takes charges that were found to fit; another that came in between makes it stricter.
    pub(crate) fn charge(&self, charges: &[RateCharge]) {
        if charges.is_empty() {
            return;
        }
        self.lock(charges).take(charges, self.shard_capacity);
    }
}

fn shard_of(charge: &RateCharge) -> usize {
    (charge.bucket >> 64) as usize % SHARDS
}

/// The shards of some charges, locked together. The time is read under the locks.
struct Locked<'s> {
    first: Option<(usize, MutexGuard<'s, Shard>)>,
    more: Vec<(usize, MutexGuard<'s, Shard>)>,
    now: u64,
}

impl Locked<'_> {
    fn shard(&mut self, charge: &RateCharge) -> Option<&mut Shard> {
        let wanted = shard_of(charge);
        self.first
            .iter_mut()
            .chain(&mut self.more)
            .find(|(at, _)| *at == wanted)
            .map(|(_, shard)| &mut **shard)
    }

    fn tat(&mut self, charge: &RateCharge) -> u64 {
        self.shard(charge).map_or(u64::MAX, |shard| shard.tat(charge))
    }

    /// Whether all charges fit; the refusal names the one that fits last.
    fn fit(&mut self, charges: &[RateCharge]) -> Result<(), RateRefusal> {
        let mut last: Option<(usize, u64)> = None;
        for (at, charge) in charges.iter().enumerate() {
            let gcra = Gcra::of(charge);
            let before = charges.iter().take(at).filter(|earlier| same_bucket(earlier, charge));
            let now = self.now;
            let tat = before.fold(self.tat(charge), |tat, _| gcra.after(tat, now));
            let wait = gcra.wait(tat, now);
            if wait > 0 && last.is_none_or(|(_, longest)| wait > longest) {
                last = Some((at, wait));
            }
        }
        match last {
            None => Ok(()),
            Some((charge, wait)) => {
                Err(RateRefusal { charge, retry_after: Duration::from_nanos(wait) })
            }
        }
    }

    fn take(&mut self, charges: &[RateCharge], capacity: usize) {
        let now = self.now;
        for charge in charges {
            if let Some(shard) = self.shard(charge) {
                shard.take(charge, Gcra::of(charge), now, capacity);
            }
        }
    }

    fn states(&mut self, charges: &[RateCharge]) -> Vec<LimitState> {
        charges
            .iter()
            .map(|charge| {
                let (tat, now) = (self.tat(charge), self.now);
                LimitState {
                    name: charge.limit.clone(),
                    remaining: Gcra::of(charge).remaining(tat, now),
                    reset_ms: tat.saturating_sub(now).div_ceil(1_000_000),
                }
            })
            .collect()
    }
}

fn same_bucket(one: &RateCharge, other: &RateCharge) -> bool {
    one.bucket == other.bucket && one.limit == other.limit
}

#[async_trait]
impl RateStore for MemoryRateStore {
    async fn test(
        &self,
        charges: &[RateCharge],
    ) -> Result<Result<(), RateRefusal>, RateStoreError> {
        Ok(self.lock(charges).fit(charges))
    }

    async fn take(
        &self,
        charges: &[RateCharge],
    ) -> Result<Result<Vec<LimitState>, RateRefusal>, RateStoreError> {
        let mut locked = self.lock(charges);
        if let Err(refusal) = locked.fit(charges) {
            return Ok(Err(refusal));
        }
        locked.take(charges, self.shard_capacity);
        Ok(Ok(locked.states(charges)))
    }

    async fn give_back(&self, charges: &[RateCharge], age: Duration) {
        let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
        let mut locked = self.lock(charges);
        for charge in charges {
            if let Some(shard) = locked.shard(charge) {
                shard.give_back(charge, Gcra::of(charge), age);
            }
        }
    }

    async fn remaining(&self, charges: &[RateCharge]) -> Result<Vec<LimitState>, RateStoreError> {
        Ok(self.lock(charges).states(charges))
    }
}

impl fmt::Debug for MemoryRateStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRateStore")
            .field("shard_capacity", &self.shard_capacity)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
