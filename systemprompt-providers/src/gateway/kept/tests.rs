use std::collections::BTreeMap;

use systemprompt_core::llm::{Dialect, LossReport};

use super::*;
use crate::dialect::{Source, UpstreamRequest, UsageMode};

fn head() -> KeptHead {
    let request = UpstreamRequest {
        path: String::new(),
        headers: Vec::new(),
        body: Bytes::new(),
        losses: LossReport::default(),
        tool_names: BTreeMap::new(),
    };
    let source = Source {
        provider: "p".into(),
        usage_mode: UsageMode::default(),
        tool_names: Arc::default(),
    };
    let outgoing =
        Outgoing { dialect: Dialect::Chat, request, source, byte_lane: true, hide_usage: false };
    KeptHead { outgoing, content_type: None }
}

fn cache(max_bytes: u64) -> AnswerCache {
    AnswerCache::new(ModelCache { max_bytes, ttl_s: 10, ..ModelCache::default() })
}

fn key(number: u64) -> KeptKey {
    KeptKey::numbered(number)
}

#[test]
fn what_is_too_old_is_gone() {
    let cache = cache(1 << 20);
    let at = Duration::from_secs;
    cache.keep(key(1), head(), Bytes::from_static(b"one"), at(5));
    assert_eq!(cache.find(&key(1), at(14)).unwrap().body, "one");
    assert!(cache.find(&key(2), at(14)).is_none());
    assert!(cache.find(&key(1), at(15)).is_none());
    assert_eq!(
        cache.stats(),
        CacheStats { hits: 1, misses: 2, answers: 0, bytes: 0 },
        "it does not stay in memory"
    );
}

#[test]
fn a_flood_of_keys_takes_no_more_than_it_may() {
    const MOST: u64 = 1 << 20;
    let cache = cache(MOST);
    for number in 0..10_000_u64 {
        let body = vec![b'x'; usize::try_from(number % 40_000).unwrap()];
        cache.keep(key(number), head(), body.into(), Duration::ZERO);
        let stats = cache.stats();
        assert!(stats.bytes <= MOST, "{stats:?}");
        assert!(stats.answers * OVERHEAD <= MOST, "small answers are counted too: {stats:?}");
    }
    assert!(cache.stats().answers > 10, "{:?}", cache.stats());
}

#[test]
fn what_is_asked_for_often_outlives_a_flood() {
    let cache = cache(1 << 20);
    cache.keep(key(0), head(), vec![b'x'; 5000].into(), Duration::ZERO);
    for number in 1..5_000 {
        assert!(cache.find(&key(0), Duration::ZERO).is_some(), "{number}");
        cache.keep(key(number), head(), vec![b'x'; 5000].into(), Duration::ZERO);
    }
}

#[test]
fn the_longest_answer_has_room() {
    let cache = AnswerCache::new(ModelCache {
        max_bytes: 65_536,
        max_answer_bytes: 32_768,
        ..ModelCache::default()
    });
    for number in 0..5 {
        cache.keep(key(number), head(), vec![b'x'; cache.longest()].into(), Duration::ZERO);
        assert!(cache.find(&key(number), Duration::ZERO).is_some());
    }
}
