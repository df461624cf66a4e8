//! Settling, releasing, and what comes twice or late.

use systemprompt_core::contract::{BudgetError, BudgetUnit, Settlement};
use systemprompt_core::id::ReservationId;

use crate::support::{Home, cap, money, on_every_store, one, usd};

async fn settling_for_less_returns_the_rest(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (1_000, 50)).await.unwrap();
    assert_eq!(home.money(&cap).await, (0, 1_000));
    assert_eq!(home.tokens(&cap).await, (0, 50));
    assert_eq!(home.refusal(one(&cap), (1, 0)).await.left, 0);
    let settled = home.store.settle(reserved.id, usd(300), 20).await.unwrap();
    assert_eq!(settled, Settlement::Settled);
    assert_eq!(home.money(&cap).await, (300, 0));
    assert_eq!(home.tokens(&cap).await, (20, 0));
    assert_eq!(home.state(&cap).await.microdollars.left(), Some(700));
    assert_eq!(home.refusal(one(&cap), (701, 0)).await.left, 700);
    home.reserve(&[cap], (700, 0)).await.unwrap();
}

async fn settling_for_more_is_recorded_in_full(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (400, 10)).await.unwrap();
    home.store.settle(reserved.id, usd(1_500), 90).await.unwrap();
    assert_eq!(home.money(&cap).await, (1_500, 0));
    assert_eq!(home.tokens(&cap).await, (90, 0));
    assert_eq!(home.state(&cap).await.microdollars.left(), Some(0));
    let refusal = home.refusal(one(&cap), (1, 0)).await;
    assert_eq!((refusal.limit, refusal.left), (1_000, 0));
    // What asks for nothing of the money is not refused for it.
    home.reserve(&[cap], (0, 7)).await.unwrap();
}

async fn the_first_settlement_stands(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (500, 5)).await.unwrap();
    assert_eq!(home.store.settle(reserved.id, usd(100), 1).await.unwrap(), Settlement::Settled);
    for amount in [100, 900] {
        let again = home.elsewhere().await.settle(reserved.id, usd(amount), 9).await.unwrap();
        assert_eq!(again, Settlement::AlreadySettled);
    }
    home.store.release(reserved.id).await.unwrap();
    assert_eq!(home.money(&cap).await, (100, 0));
    assert_eq!(home.tokens(&cap).await, (1, 0));
    let extended = home.store.extend(reserved.id, usd(1), 0).await;
    assert_eq!(extended, Err(BudgetError::NotOpen(reserved.id)));
    // Nor does its deadline mean anything any more.
    home.advance(60);
    assert_eq!(home.expire().await, 0);
    assert_eq!(home.money(&cap).await, (100, 0));
}

async fn releasing_returns_everything_once(home: Home) {
    let cap = money("daily", 1_000);
    let kept = home.reserve(one(&cap), (400, 1)).await.unwrap();
    let reserved = home.reserve(one(&cap), (600, 2)).await.unwrap();
    assert_eq!(home.refusal(one(&cap), (600, 0)).await.left, 0);
    for _ in 0..3 {
        home.store.release(reserved.id).await.unwrap();
        assert_eq!(home.money(&cap).await, (0, 400));
        assert_eq!(home.tokens(&cap).await, (0, 1));
    }
    let extended = home.store.extend(reserved.id, usd(0), 0).await;
    assert_eq!(extended, Err(BudgetError::NotOpen(reserved.id)));
    // It was sent after all.
    assert_eq!(home.store.settle(reserved.id, usd(50), 3).await.unwrap(), Settlement::Late);
    assert_eq!(home.money(&cap).await, (50, 400));
    home.store.settle(kept.id, usd(0), 0).await.unwrap();
    assert_eq!(home.money(&cap).await, (50, 0));
}

async fn a_reservation_that_is_unknown_is_told(home: Home) {
    let id = ReservationId::generate();
    let unknown = BudgetError::Unknown(id);
    assert_eq!(home.store.settle(id, usd(1), 1).await, Err(unknown.clone()));
    assert_eq!(home.store.release(id).await, Err(unknown.clone()));
    assert_eq!(home.store.extend(id, usd(1), 1).await, Err(unknown));
}

async fn amounts_that_are_none_are_told(home: Home) {
    let cap = cap("daily");
    let money = BudgetError::Amount { unit: BudgetUnit::Microdollars };
    let tokens = BudgetError::Amount { unit: BudgetUnit::Tokens };
    assert_eq!(home.reserve(one(&cap), (-1, 0)).await, Err(money.clone()));
    assert_eq!(home.reserve(one(&cap), (0, 1 << 63)).await, Err(tokens.clone()));
    let reserved = home.reserve(one(&cap), (5, 5)).await.unwrap();
    assert_eq!(home.store.extend(reserved.id, usd(-1), 0).await, Err(money.clone()));
    assert_eq!(home.store.extend(reserved.id, usd(0), u64::MAX).await, Err(tokens));
    assert_eq!(home.store.settle(reserved.id, usd(-1), 0).await, Err(money));
    assert_eq!(home.money(&cap).await, (0, 5));
    // What was used goes in as far as it can.
    home.store.settle(reserved.id, usd(1), u64::MAX).await.unwrap();
    assert_eq!(home.tokens(&cap).await, (i64::MAX.unsigned_abs(), 0));
}

async fn a_request_without_caps_has_a_reservation(home: Home) {
    let reserved = home.reserve(&[], (5, 5)).await.unwrap();
    home.store.extend(reserved.id, usd(i64::MAX), 1).await.unwrap();
    assert_eq!(home.store.settle(reserved.id, usd(1), 1).await.unwrap(), Settlement::Settled);
    assert!(home.store.remaining(&[]).await.unwrap().is_empty());
}

on_every_store! {
    #[tokio::test] settling_for_less_returns_the_rest;
    #[tokio::test] settling_for_more_is_recorded_in_full;
    #[tokio::test] the_first_settlement_stands;
    #[tokio::test] releasing_returns_everything_once;
    #[tokio::test] a_reservation_that_is_unknown_is_told;
    #[tokio::test] amounts_that_are_none_are_told;
    #[tokio::test] a_request_without_caps_has_a_reservation;
}
