use std::num::NonZeroU32;

use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use proptest::prelude::*;
use systemprompt_core::clock::{ManualClock, Timestamp};
use systemprompt_core::decision::RateWindow;
use tokio::runtime::{Builder, Runtime};

use super::*;

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(0)))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn charge(limit: &str, bucket: u128, calls: u64, window: Duration, burst: u64) -> RateCharge {
    RateCharge { limit: limit.into(), bucket, rate: RateWindow { limit: calls, window }, burst }
}

fn minute(limit: &str, bucket: u128, calls: u64) -> RateCharge {
    charge(limit, bucket, calls, Duration::from_secs(60), calls)
}

proptest! {
    /// Two limits at once against two limiters of the `governor` crate. It cannot take from several
    /// limiters at once, so the model of a call asks a copy of each, made by replaying what passed.
    #[test]
    fn the_store_agrees_with_the_governor_crate(
        calls in proptest::collection::vec((0_u64..3_000, 0_u128..3), 1..60),
        first in 1_u32..6,
        second in 1_u32..6,
    ) {
        let runtime = runtime();
        let (ours, theirs) = (clock(), FakeRelativeClock::default());
        let store = MemoryRateStore::new(ours.clone());
        let increments = [Duration::from_millis(700), Duration::from_millis(1_100)];
        let bursts = [first, second].map(|burst| NonZeroU32::new(burst).unwrap());
        let limiter = |at: usize| {
            let quota = Quota::with_period(increments[at]).unwrap().allow_burst(bursts[at]);
            RateLimiter::dashmap_with_clock(quota, theirs.clone())
        };
        let oracle = [limiter(0), limiter(1)];
        for (pause, bucket) in calls {
            ours.advance(Duration::from_millis(pause));
            theirs.advance(Duration::from_millis(pause));
            let charges: Vec<RateCharge> = (0..2)
                .map(|at| {
                    let name = ["a", "b"][at];
                    let key = bucket * 2 + at as u128 + (bucket << 64);
                    charge(name, key, 1, increments[at], u64::from(bursts[at].get()))
                })
                .collect();
            let taken = runtime.block_on(store.take(&charges)).unwrap();
            // Where ours refuses because of one limit only, the other of theirs would be charged too
            // much; so theirs are asked one by one only if ours says yes, and one of them must refuse
            // if ours says no.
            match taken {
                Ok(_) => prop_assert!(oracle.iter().all(|limiter| limiter.check_key(&bucket).is_ok())),
                Err(refusal) => {
                    let refused = oracle[refusal.charge].check_key(&bucket).unwrap_err();
                    let wait = refused.wait_time_from(governor::clock::Clock::now(&theirs));
                    prop_assert_eq!(wait, refusal.retry_after);
                }
            }
        }
    }

    #[test]
    fn after_the_wait_it_fits_and_a_nanosecond_before_it_does_not(
        taken in 1_usize..20,
        limits in proptest::collection::vec((1_u64..50, 1_u64..100, 1_u64..8), 1..4),
    ) {
        let runtime = runtime();
        let manual = clock();
        let store = MemoryRateStore::new(manual.clone());
        let charges: Vec<RateCharge> = (0_u128..)
            .zip(&limits)
            .map(|(at, (calls, seconds, burst))| {
                charge(&format!("l{at}"), at << 64 | at, *calls, Duration::from_secs(*seconds), *burst)
            })
            .collect();
        let mut refusal = None;
        for _ in 0..taken {
            refusal = runtime.block_on(store.take(&charges)).unwrap().err();
        }
        if let Some(refusal) = refusal {
            manual.advance(refusal.retry_after - Duration::from_nanos(1));
            prop_assert!(runtime.block_on(store.test(&charges)).unwrap().is_err());
            manual.advance(Duration::from_nanos(1));
            prop_assert!(runtime.block_on(store.test(&charges)).unwrap().is_ok());
        }
    }

    /// The bucket after a late refund holds at least what the other calls alone would have left in it.
    #[test]
    fn a_refund_takes_nothing_from_other_calls(
        before in 0_usize..4,
        pauses in proptest::collection::vec(0_u64..1_500, 1..8),
    ) {
        let runtime = runtime();
        let manual = clock();
        let (store, without) =
            (MemoryRateStore::new(manual.clone()), MemoryRateStore::new(manual.clone()));
        let one = [charge("l", 1, 1, Duration::from_secs(1), 20)];
        let other = || runtime.block_on(async {
            store.take(&one).await.unwrap().unwrap();
            without.take(&one).await.unwrap().unwrap();
        });
        (0..before).for_each(|_| other());
        runtime.block_on(store.take(&one)).unwrap().unwrap();
        for pause in &pauses {
            manual.advance(Duration::from_millis(*pause));
            other();
        }
        let age = Duration::from_millis(pauses.iter().sum());
        runtime.block_on(store.give_back(&one, age));
        let reset = |store: &MemoryRateStore| {
            runtime.block_on(store.remaining(&one)).unwrap()[0].reset_ms
        };
        prop_assert!(reset(&store) >= reset(&without));
    }

    #[test]
    fn what_is_given_back_was_never_taken(bursts in proptest::collection::vec(1_u64..9, 1..4)) {
        let runtime = runtime();
        let store = MemoryRateStore::new(clock());
        let charges: Vec<RateCharge> = (0_u128..)
            .zip(&bursts)
            .map(|(at, burst)| charge("l", at, 1, Duration::from_secs(1), *burst))
            .collect();
        let before = runtime.block_on(store.remaining(&charges)).unwrap();
        runtime.block_on(store.take(&charges)).unwrap().unwrap();
        runtime.block_on(store.give_back(&charges, Duration::ZERO));
        prop_assert_eq!(runtime.block_on(store.remaining(&charges)).unwrap(), before);
    }
}

#[test]
fn all_or_none_is_taken() {
    let runtime = runtime();
    let store = MemoryRateStore::new(clock());
    let (wide, narrow) = (minute("wide", 1, 10), minute("narrow", 2 << 64, 1));
    let both = [wide.clone(), narrow];
    assert!(runtime.block_on(store.take(&both)).unwrap().is_ok());
    for _ in 0..5 {
        let refusal = runtime.block_on(store.take(&both)).unwrap().unwrap_err();
        assert_eq!((refusal.charge, refusal.retry_after), (1, Duration::from_secs(60)));
    }
    let left = runtime.block_on(store.remaining(&[wide])).unwrap();
    assert_eq!(left[0].remaining, 9);
    assert_eq!(left[0].reset_ms, 6_000);
}

#[test]
fn the_same_bucket_twice_is_charged_twice() {
    let runtime = runtime();
    let store = MemoryRateStore::new(clock());
    let twice = [minute("l", 7, 3), minute("l", 7, 3)];
    assert!(runtime.block_on(store.take(&twice)).unwrap().is_ok());
    let refusal = runtime.block_on(store.take(&twice)).unwrap().unwrap_err();
    assert_eq!(refusal.retry_after, Duration::from_secs(20));
}

#[test]
fn a_million_random_keys_stay_within_the_cap() {
    let runtime = runtime();
    let manual = clock();
    let store = MemoryRateStore::with_capacity(10_000, manual.clone());
    let known = minute("l", 42 << 64 | 42, 5);
    for _ in 0..5 {
        assert!(runtime.block_on(store.take(std::slice::from_ref(&known))).unwrap().is_ok());
    }
    runtime.block_on(async {
        for _ in 0..1_000_000 {
            let _ = store.take(&[minute("l", rand::random(), 5)]).await.unwrap();
        }
    });
    let most = 10_000_usize.div_ceil(SHARDS) * SHARDS + SHARDS * 16;
    assert!(store.len() <= most, "{} buckets", store.len());
    // No charge is forgotten: the key that was used up before still is.
    assert!(runtime.block_on(store.take(std::slice::from_ref(&known))).unwrap().is_err());
    // New keys have become stricter, not free.
    let mut allowed = 0;
    for _ in 0..10_000 {
        let charge = minute("l", rand::random(), 5);
        allowed += usize::from(runtime.block_on(store.take(&[charge])).unwrap().is_ok());
    }
    assert_eq!(allowed, 0);
    // Once everything is replenished, new keys have their own buckets again.
    manual.advance(Duration::from_secs(600));
    let fresh = minute("l", rand::random(), 5);
    for _ in 0..5 {
        assert!(runtime.block_on(store.take(std::slice::from_ref(&fresh))).unwrap().is_ok());
    }
}

#[test]
fn threads_take_no_more_than_there_is() {
    let store = MemoryRateStore::new(clock());
    let allowed: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let runtime = runtime();
                    (0..100)
                        .filter(|_| {
                            let charges = [minute("a", 1, 60), minute("b", 9 << 64, 50)];
                            runtime.block_on(store.take(&charges)).unwrap().is_ok()
                        })
                        .count()
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(allowed, 50);
}
