use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use systemprompt_core::contract::RateCharge;

use super::gcra::Gcra;

/// Shared buckets per limit and shard, for keys that no longer fit.
const SHARED_SLOTS: u64 = 16;

/// After a sweep that found a full shard, the next one waits this long.
const SWEEP_PAUSE_NS: u64 = 10_000_000;

/// A part of the store, behind one lock.
#[derive(Debug, Default)]
pub(crate) struct Shard {
    /// TAT by bucket.
    own: HashMap<u128, u64, BuildHasherDefault<Spread>>,
    /// TAT by limit and slot: the buckets of all keys that came when the shard was full.
    shared: HashMap<(u64, u64), u64>,
    next_sweep: u64,
}

impl Shard {
    /// The TAT of the charge's bucket; 0 when it is untouched.
    pub(crate) fn tat(&self, charge: &RateCharge) -> u64 {
        match self.own.get(&charge.bucket) {
            Some(tat) => *tat,
            None if self.shared.is_empty() => 0,
            None => self.shared.get(&shared_key(charge)).copied().unwrap_or(0),
        }
    }

    /// Takes one call. A key without a bucket gets one if there is room and inherits what the shared
    /// bucket holds, so that no charge is ever forgotten.
    pub(crate) fn take(&mut self, charge: &RateCharge, gcra: Gcra, now: u64, capacity: usize) {
        let tat = gcra.after(self.tat(charge), now);
        if let Some(own) = self.own.get_mut(&charge.bucket) {
            *own = tat;
        } else if self.has_room(now, capacity) {
            self.own.insert(charge.bucket, tat);
        } else {
            self.shared.insert(shared_key(charge), tat);
        }
    }

    /// Undoes one call that was taken `age` nanoseconds ago, as far as it has not drained.
    ///
    /// Time drains an increment at a time from the bucket as a whole, so that a call holds it up by at
    /// least `increment - age`; more could be what later calls were charged.
    pub(crate) fn give_back(&mut self, charge: &RateCharge, gcra: Gcra, age: u64) {
        let bucket = match self.own.get_mut(&charge.bucket) {
            Some(own) => Some(own),
            None => self.shared.get_mut(&shared_key(charge)),
        };
        if let Some(tat) = bucket {
            *tat = tat.saturating_sub(gcra.increment().saturating_sub(age));
        }
    }

    /// Buckets held.
    pub(crate) fn len(&self) -> usize {
        self.own.len() + self.shared.len()
    }

    fn has_room(&mut self, now: u64, capacity: usize) -> bool {
        if self.own.len() >= capacity && now >= self.next_sweep {
            self.own.retain(|_, tat| *tat > now);
            self.shared.retain(|_, tat| *tat > now);
            self.next_sweep = now.saturating_add(SWEEP_PAUSE_NS);
        }
        self.own.len() < capacity
    }
}

fn shared_key(charge: &RateCharge) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    charge.limit.hash(&mut hasher);
    (hasher.finish(), (charge.bucket >> 32) as u64 % SHARED_SLOTS)
}

/// Bucket keys are keyed hashes already: their low half is the hash (the high half picks the shard).
#[derive(Debug, Default)]
pub(crate) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, bucket: u128) {
        self.0 = bucket as u64;
    }
}
