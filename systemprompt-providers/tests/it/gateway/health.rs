//! Providers that are asked how they are.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::{ManualClock, SystemClock};
use systemprompt_providers::scripted::{Script, Step};
use systemprompt_providers::upstream::BreakerState;

use super::house::{House, PROVIDER_KEY, Plan};
use super::wire::{Text, UPSTREAMS, Wire};

/// All providers of the house are at the same place.
const PROVIDERS: usize = 8;

async fn house(providers: &'static str) -> (House, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock::shared().now()));
    let house = House::built(Plan { providers, clock: clock.clone(), ..Plan::default() }).await;
    (house, clock)
}

fn list() -> Script {
    Script::json(r#"{"data": [], "models": []}"#)
}

/// Requests that have asked for something other than lists of models.
fn calls(house: &House) -> usize {
    house.upstream.journal().iter().filter(|seen| seen.method == "POST").count()
}

fn state(house: &House, provider: &str) -> BreakerState {
    house.gateway.health()[provider][0].state
}

#[tokio::test]
async fn a_provider_that_is_down_is_asked_before_any_caller_is_let_through() {
    for upstream in UPSTREAMS {
        let (house, clock) =
            house("breaker: {failures: 2, open_ms: 10000}, health: {interval_s: 5}").await;
        let name = format!("{upstream:?}").to_lowercase();
        let asked = || house.ask(Wire::C, Wire::C.request(&format!("{name}-x"), false));
        house.plays(upstream, Script::status(503));
        for _ in 0..2 {
            assert_eq!(asked().await.status, 503);
        }
        assert!(matches!(state(&house, &name), BreakerState::Open { .. }));
        assert_eq!(house.gateway.probe_providers().await, 0, "it is left alone");

        // The first probe finds it down, so that it stays open.
        clock.advance(Duration::from_secs(10));
        house.upstream.always("GET", "/", Script::status(503));
        let refused = asked().await;
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(calls(&house), 2, "no caller is let through");
        assert_eq!(house.gateway.probe_providers().await, 1);
        assert!(matches!(state(&house, &name), BreakerState::Open { .. }), "{upstream:?}");
        let probe = house.seen();
        let path = if upstream == Wire::G { "/v1beta/models" } else { "/v1/models" };
        assert_eq!((probe.method.as_str(), probe.target.as_str()), ("GET", path));
        let key = ["x-api-key", "x-goog-api-key", "authorization"];
        let key = key.iter().find_map(|name| probe.header(name)).unwrap();
        assert!(key.ends_with(PROVIDER_KEY), "{key}");

        // The second finds it well again.
        clock.advance(Duration::from_secs(10));
        house.upstream.always("GET", "/", list());
        assert_eq!(house.gateway.probe_providers().await, 1);
        assert_eq!(state(&house, &name), BreakerState::Closed);
        assert_eq!(calls(&house), 2);
        house.says(upstream, &[Text("hi")], false);
        assert_eq!(asked().await.status, 200);

        // What is in use and well is asked nothing, nor is what nobody uses.
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(house.gateway.probe_providers().await, 0);
        house.gateway.settled().await;
        assert_eq!(house.governor.records().len(), 4, "probes are nobody's requests");
    }
}

#[tokio::test]
async fn a_provider_that_nobody_uses_is_asked_where_that_is_configured() {
    let (house, clock) =
        house("breaker: {failures: 1, open_ms: 10000}, health: {interval_s: 60, idle: true}").await;
    house.upstream.always("GET", "/", list());
    house.second.always("GET", "/", list());
    house.says(Wire::A, &[Text("hi")], false);
    let asked = || house.ask(Wire::A, Wire::A.request("a-x", false));
    assert_eq!(asked().await.status, 200);
    assert_eq!(house.gateway.probe_providers().await, PROVIDERS - 1, "one was just used");
    assert_eq!(house.gateway.probe_providers().await, 0);
    clock.advance(Duration::from_secs(59));
    assert_eq!(asked().await.status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(house.gateway.probe_providers().await, PROVIDERS - 1);

    // What is found down is known before a caller comes.
    clock.advance(Duration::from_secs(60));
    house.upstream.always("GET", "/", Script::reset());
    assert_eq!(house.gateway.probe_providers().await, PROVIDERS);
    assert!(matches!(state(&house, "a"), BreakerState::Open { .. }));
    assert_eq!(state(&house, "a2"), BreakerState::Closed);
    let posts = calls(&house);
    house.says(Wire::A, &[Text("hi")], false);
    let refused = house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    assert_eq!(refused.status, 529, "{}", refused.text());
    assert_eq!(calls(&house), posts);
}

#[tokio::test]
async fn a_provider_that_refuses_a_probe_works() {
    for status in [401, 403, 404, 429] {
        let (house, clock) =
            house("breaker: {failures: 1, open_ms: 10000}, health: {interval_s: 5}").await;
        house.plays(Wire::A, Script::status(500));
        house.ask(Wire::A, Wire::A.request("a-x", false)).await;
        clock.advance(Duration::from_secs(10));
        house.upstream.always("GET", "/", Script::status(status));
        assert_eq!(house.gateway.probe_providers().await, 1);
        assert_eq!(state(&house, "a"), BreakerState::Closed, "{status}");
    }
}

#[tokio::test]
async fn nobody_waits_for_probes_that_never_come() {
    let (house, clock) =
        house("breaker: {failures: 1, open_ms: 10000}, health: {interval_s: 5}").await;
    house.plays(Wire::A, Script::status(500));
    house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    house.says(Wire::A, &[Text("hi")], false);
    clock.advance(Duration::from_secs(10 + 5 + 14));
    assert_eq!(house.ask(Wire::A, Wire::A.request("a-x", false)).await.status, 529);
    clock.advance(Duration::from_secs(1));
    assert_eq!(house.ask(Wire::A, Wire::A.request("a-x", false)).await.status, 200);
    assert_eq!(state(&house, "a"), BreakerState::Closed);
}

#[tokio::test]
async fn a_probe_that_breaks_off_says_nothing_good() {
    let (house, clock) =
        house("breaker: {failures: 1, open_ms: 10000}, health: {interval_s: 5}").await;
    house.plays(Wire::A, Script::status(500));
    house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    clock.advance(Duration::from_secs(10));
    let cut = Script::cut_chunk(b"{").step(Step::Close);
    house.upstream.always("GET", "/", cut);
    assert_eq!(house.gateway.probe_providers().await, 1);
    assert!(matches!(state(&house, "a"), BreakerState::Open { .. }));
}
