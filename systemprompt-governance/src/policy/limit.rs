use std::hash::Hasher as _;
use std::sync::Arc;
use std::time::Duration;

use siphasher::sip128::{Hasher128 as _, SipHasher13};
use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::RateCharge;
use systemprompt_core::decision::RateWindow;
use systemprompt_core::policy::{LimitKey, LimitPolicy};

use super::fault::{Faults, check_ids};
use crate::rate::increment_ns;

const LIMITS: std::ops::RangeInclusive<u64> = 1..=1_000_000_000;
const WINDOWS_S: std::ops::RangeInclusive<u64> = 1..=31_622_400;

/// Most nanoseconds a full burst may take to come back (about 146 years), so that sums do not overflow.
const MAX_REFILL_NS: u64 = 1 << 62;

/// A compiled limit.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    name: Arc<str>,
    key: Vec<LimitKey>,
    rate: RateWindow,
    burst: u64,
}

impl Limit {
    pub(crate) fn compile_all(limits: &[LimitPolicy], faults: &mut Faults) -> Vec<Self> {
        check_ids(faults, "limits", "limit", limits.iter().map(|limit| limit.id.as_str()));
        limits
            .iter()
            .enumerate()
            .map(|(at, limit)| Self::compile(limit, &format!("limits[{at}]"), faults))
            .collect()
    }

    fn compile(limit: &LimitPolicy, path: &str, faults: &mut Faults) -> Self {
        let mut key = limit.key.clone();
        key.sort_unstable();
        key.dedup();
        if key.len() < limit.key.len() {
            faults.add(format!("{path}.key"), "a part is named twice");
        }
        let mut in_range = |field: &str, value: u64, range: &std::ops::RangeInclusive<u64>| {
            if !range.contains(&value) {
                faults.add(
                    format!("{path}.{field}"),
                    format!("{value} is not within {} to {}", range.start(), range.end()),
                );
            }
        };
        let burst = limit.burst.unwrap_or(limit.limit);
        in_range("limit", limit.limit, &LIMITS);
        in_range("window_s", limit.window_s, &WINDOWS_S);
        if limit.burst.is_some() {
            in_range("burst", burst, &LIMITS);
        }
        let window = Duration::from_secs(limit.window_s);
        let refill = increment_ns(window, limit.limit).saturating_mul(burst);
        if refill > MAX_REFILL_NS {
            faults.add(
                format!("{path}.burst"),
                format!("a burst of {burst} would take more than 146 years to come back"),
            );
        }
        let rate = RateWindow { limit: limit.limit, window };
        Self { name: limit.id.as_str().into(), key, rate, burst }
    }

    /// How long it takes at most until the limit has forgotten a charge.
    pub(crate) fn memory(&self) -> Duration {
        let refill = increment_ns(self.rate.window, self.rate.limit).saturating_mul(self.burst);
        Duration::from_nanos(refill)
    }

    /// What `call` charges to this limit.
    pub(crate) fn charge(&self, call: &ToolCall, hash_key: &[u8; 16]) -> RateCharge {
        RateCharge {
            limit: self.name.clone(),
            bucket: self.bucket(call, hash_key),
            rate: self.rate,
            burst: self.burst,
        }
    }

    fn bucket(&self, call: &ToolCall, hash_key: &[u8; 16]) -> u128 {
        let mut hash = SipHasher13::new_with_key(hash_key);
        absorb(&mut hash, Some(&self.name));
        let principal = call.principal();
        for part in &self.key {
            absorb(
                &mut hash,
                match part {
                    LimitKey::Tenant => Some(principal.tenant().as_str()),
                    LimitKey::User => Some(principal.user().as_str()),
                    LimitKey::Session => call.session().map(AsRef::as_ref),
                    LimitKey::Agent => call.agent().map(AsRef::as_ref),
                    LimitKey::Tool => Some(call.tool().qualified()),
                    LimitKey::Server => call.tool().server().map(AsRef::as_ref),
                    LimitKey::Department => principal.department().map(AsRef::as_ref),
                },
            );
        }
        hash.finish128().as_u128()
    }
}

/// Hashes one part so that no two lists of parts read the same; a missing part is a value of its own.
pub(crate) fn absorb(hash: &mut SipHasher13, part: Option<&str>) {
    match part {
        Some(text) => {
            hash.write_u64(text.len() as u64 + 1);
            hash.write(text.as_bytes());
        }
        None => hash.write_u64(0),
    }
}
