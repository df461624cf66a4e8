use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use systemprompt_core::clock::Clock;

/// Most addresses that are counted apart; more share one count.
const MAX_ADDRESSES: usize = 10_000;
/// The count that is shared.
const SHARED: u128 = u128::MAX;

/// The clock of the host as the limiter wants it.
#[derive(Clone)]
struct HostClock(Arc<dyn Clock>);

impl GovernorClock for HostClock {
    type Instant = Duration;
    fn now(&self) -> Duration {
        self.0.monotonic()
    }
}

/// Counts failed authentications per address; bounded.
pub(super) struct Failures {
    limiter: RateLimiter<u128, DashMapStateStore<u128>, HostClock, NoOpMiddleware<Duration>>,
    clock: HostClock,
    /// Monotonic milliseconds from which the table may be swept again.
    sweep_from: AtomicU64,
}

impl Failures {
    pub(super) fn new(per_minute: u32, clock: Arc<dyn Clock>) -> Self {
        let clock = HostClock(clock);
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self {
            limiter: RateLimiter::new(quota, DashMapStateStore::default(), clock.clone()),
            clock,
            sweep_from: AtomicU64::new(0),
        }
    }

    /// Counts a failure of `client`.
    ///
    /// # Errors
    /// When another one will be looked at, if there were too many.
    pub(super) fn charge(&self, client: Option<IpAddr>) -> Result<(), Duration> {
        if self.limiter.len() >= MAX_ADDRESSES {
            self.sweep();
        }
        let full = self.limiter.len() >= MAX_ADDRESSES;
        let key = if full { SHARED } else { client.map_or(SHARED, network) };
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// Forgets addresses that have waited long enough; once a second, as it looks at all of them.
    fn sweep(&self) {
        let now = u64::try_from(self.clock.now().as_millis()).unwrap_or(u64::MAX);
        let from = self.sweep_from.load(Ordering::Relaxed);
        let next = now.saturating_add(1000);
        let mine = now >= from
            && self
                .sweep_from
                .compare_exchange(from, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            self.limiter.retain_recent();
        }
    }
}

/// The address as a number; of IPv6 the first 64 bits, which one host may fill at will.
pub(super) fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() & !u128::from(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use systemprompt_core::clock::{ManualClock, Timestamp};

    use super::*;

    #[test]
    fn an_address_fails_as_often_as_it_may_and_then_waits() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
        let failures = Failures::new(60, clock.clone());
        let client = Some("192.0.2.1".parse().unwrap());
        for _ in 0..60 {
            assert_eq!(failures.charge(client), Ok(()));
        }
        assert_eq!(failures.charge(client), Err(Duration::from_secs(1)));
        assert_eq!(failures.charge(Some("192.0.2.2".parse().unwrap())), Ok(()));
        clock.advance(Duration::from_secs(1));
        assert_eq!(failures.charge(client), Ok(()));
        clock.step_wall(3_600_000_000);
        assert!(failures.charge(client).is_err());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
        let failures = Failures::new(1, clock);
        assert!(failures.charge(Some("2001:db8::1".parse().unwrap())).is_ok());
        assert!(failures.charge(Some("2001:db8::2".parse().unwrap())).is_err());
        assert!(failures.charge(Some("2001:db8:0:1::2".parse().unwrap())).is_ok());
    }

    #[test]
    fn a_flood_of_addresses_shares_one_count() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
        let failures = Failures::new(1, clock.clone());
        for address in 0..20_000_u32 {
            let _ = failures.charge(Some(IpAddr::V4(address.into())));
        }
        assert!(failures.limiter.len() <= MAX_ADDRESSES + 1);
        clock.advance(Duration::from_secs(120));
        assert!(failures.charge(Some("192.0.2.1".parse().unwrap())).is_ok());
        assert!(failures.limiter.len() <= 2);
    }
}
