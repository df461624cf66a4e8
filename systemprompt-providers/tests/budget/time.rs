//! Windows, deadlines, and clocks that step.

use std::time::Duration;

use systemprompt_core::clock::{Clock as _, Timestamp};
use systemprompt_core::contract::{BudgetError, Settlement};

use crate::support::{Home, TIMEOUT, money, on_every_store, one, over, usd};

async fn windows_roll_over_exactly(home: Home) {
    for window_s in [1, 7, 60, 86_400] {
        let cap = over(money(&format!("each {window_s}"), 1_000), window_s);
        let window = cap.window(home.clock.now());
        let full = window.ends_at.as_micros() - home.clock.now().as_micros();
        home.reserve(one(&cap), (1_000, 0)).await.unwrap();
        home.clock.step_wall(full - 1);
        // The deadline may have passed meanwhile; the window is full by a settlement then.
        home.expire().await;
        let last = home.reserve(one(&cap), (1_000, 0)).await;
        if let Ok(reserved) = last {
            home.store.settle(reserved.id, usd(1_000), 0).await.unwrap();
        }
        let refused = home.refusal(one(&cap), (1, 0)).await;
        assert_eq!((refused.left, refused.retry_after), (0, Duration::from_micros(1)));
        home.clock.step_wall(1);
        assert_eq!(home.clock.now(), window.ends_at);
        assert_eq!(home.money(&cap).await, (0, 0));
        home.reserve(one(&cap), (1_000, 0)).await.unwrap();
        assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    }
}

async fn a_request_counts_in_the_window_it_began_in(home: Home) {
    let cap = over(money("minutely", 1_000), 60);
    home.advance(59);
    let reserved = home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    home.advance(1);
    home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    home.store.settle(reserved.id, usd(5_000), 0).await.unwrap();
    assert_eq!(home.money(&cap).await, (0, 1_000));
    home.clock.step_wall(-1);
    assert_eq!(home.money(&cap).await, (5_000, 0));
}

async fn what_is_abandoned_returns_at_its_deadline(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (1_000, 10)).await.unwrap();
    assert_eq!(reserved.deadline, home.clock.now().after(TIMEOUT));
    home.clock.advance(TIMEOUT - Duration::from_micros(1));
    assert_eq!(home.expire().await, 0);
    assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    home.clock.advance(Duration::from_micros(1));
    let expired = home.elsewhere().await.expire(home.clock.now()).await.unwrap();
    assert_eq!(expired, [reserved.id]);
    assert_eq!((home.money(&cap).await, home.tokens(&cap).await), ((0, 0), (0, 0)));
    assert_eq!(home.expire().await, 0);
    let extended = home.store.extend(reserved.id, usd(1), 0).await;
    assert_eq!(extended, Err(BudgetError::NotOpen(reserved.id)));
}

async fn what_is_abandoned_refuses_nobody(home: Home) {
    let cap = money("daily", 1_000);
    for _ in 0..10 {
        home.reserve(one(&cap), (100, 0)).await.unwrap();
    }
    home.clock.advance(TIMEOUT - Duration::from_micros(1));
    assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    home.clock.advance(Duration::from_micros(1));
    // Nobody has called `expire`.
    home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    assert_eq!(home.money(&cap).await, (0, 1_000));
}

async fn many_abandoned_reservations_return_together(home: Home) {
    let caps = [money("daily", 1_000_000), over(money("minutely", 1_000_000), 60)];
    for amount in 0..250 {
        home.reserve(&caps, (amount, 1)).await.unwrap();
    }
    let alive = home.reserve(&caps, (5, 1)).await.unwrap();
    home.clock.advance(TIMEOUT - Duration::from_secs(1));
    home.store.extend(alive.id, usd(0), 0).await.unwrap();
    home.advance(1);
    assert_eq!(home.expire().await, 250);
    for cap in &caps {
        assert_eq!(home.money(cap).await, (0, 5));
    }
}

async fn a_settlement_after_the_deadline_is_recorded(home: Home) {
    let cap = money("daily", 1_000);
    let late = home.reserve(one(&cap), (400, 4)).await.unwrap();
    home.clock.advance(TIMEOUT);
    // Not returned yet: nothing is lost.
    assert_eq!(home.store.settle(late.id, usd(300), 3).await.unwrap(), Settlement::Settled);
    assert_eq!(home.money(&cap).await, (300, 0));

    let late = home.reserve(one(&cap), (400, 4)).await.unwrap();
    home.clock.advance(TIMEOUT);
    assert_eq!(home.expire().await, 1);
    home.advance(3_600);
    assert_eq!(home.store.settle(late.id, usd(200), 2).await.unwrap(), Settlement::Late);
    let again = home.store.settle(late.id, usd(200), 2).await.unwrap();
    assert_eq!(again, Settlement::AlreadySettled);
    assert_eq!((home.money(&cap).await, home.tokens(&cap).await), ((500, 0), (5, 0)));
}

async fn a_clock_that_steps_back_opens_no_new_window(home: Home) {
    let cap = over(money("minutely", 1_000), 60);
    let reserved = home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    home.store.settle(reserved.id, usd(1_000), 0).await.unwrap();
    home.advance(60);
    let next = home.reserve(one(&cap), (900, 0)).await.unwrap();
    // Back into the window that is full.
    home.clock.step_wall(-30_000_000);
    assert_eq!(home.money(&cap).await, (1_000, 0));
    let refused = home.refusal(one(&cap), (1, 0)).await;
    assert_eq!(refused.retry_after, Duration::from_secs(30));
    // What was reserved in the other one stays there, and is alive.
    assert_eq!(home.expire().await, 0);
    home.store.extend(next.id, usd(100), 0).await.unwrap();
    home.clock.step_wall(30_000_000);
    assert_eq!(home.money(&cap).await, (0, 1_000));
    assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    // An extension never brings a deadline nearer.
    home.clock.step_wall(-20_000_000);
    home.store.extend(next.id, usd(0), 0).await.unwrap();
    home.clock.step_wall(49_999_999);
    assert_eq!(home.expire().await, 0);
    home.clock.step_wall(1);
    assert_eq!(home.expire().await, 1);
}

async fn the_ends_of_time_are_windows_too(home: Home) {
    let cap = money("daily", 1_000);
    for at in [i64::MIN, -1, i64::MAX] {
        let now = home.clock.now().as_micros();
        home.clock.step_wall(at.wrapping_sub(now));
        assert_eq!(home.clock.now(), Timestamp::from_micros(at));
        let reserved = home.reserve(one(&cap), (1_000, 0)).await.unwrap();
        home.store.settle(reserved.id, usd(1_000), 0).await.unwrap();
        assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    }
}

on_every_store! {
    #[tokio::test] windows_roll_over_exactly;
    #[tokio::test] a_request_counts_in_the_window_it_began_in;
    #[tokio::test] what_is_abandoned_returns_at_its_deadline;
    #[tokio::test] what_is_abandoned_refuses_nobody;
    #[tokio::test] many_abandoned_reservations_return_together;
    #[tokio::test] a_settlement_after_the_deadline_is_recorded;
    #[tokio::test] a_clock_that_steps_back_opens_no_new_window;
    #[tokio::test] the_ends_of_time_are_windows_too;
}
