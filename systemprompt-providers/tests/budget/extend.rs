//! Streams that outgrow their estimate.

use systemprompt_core::contract::{BudgetError, Settlement};

use crate::support::{Home, money, on_every_store, one, over, refusal, tokens, usd};

async fn a_stream_is_extended_up_to_the_cap(home: Home) {
    let caps = [money("money", 1_000), tokens("tokens", 100)];
    let reserved = home.reserve(&caps, (400, 40)).await.unwrap();
    home.store.extend(reserved.id, usd(600), 10).await.unwrap();
    assert_eq!(home.money(&caps[0]).await, (0, 1_000));
    assert_eq!(home.tokens(&caps[1]).await, (0, 50));
    // The tokens would do, the money does not: neither is taken.
    let refused = refusal(home.store.extend(reserved.id, usd(1), 50).await);
    assert_eq!(
        (&*refused.name, refused.limit, refused.left, refused.asked),
        ("money", 1_000, 0, 1)
    );
    assert_eq!(home.tokens(&caps[1]).await, (0, 50));
    home.store.extend(reserved.id, usd(0), 50).await.unwrap();
    let refused = refusal(home.store.extend(reserved.id, usd(0), 1).await);
    assert_eq!((&*refused.name, refused.limit, refused.left), ("tokens", 100, 0));
    // The stream was cut, and what it used is settled.
    let settled = home.store.settle(reserved.id, usd(990), 99).await.unwrap();
    assert_eq!(settled, Settlement::Settled);
    assert_eq!(home.money(&caps[0]).await, (990, 0));
    assert_eq!(home.tokens(&caps[1]).await, (99, 0));
}

async fn releasing_returns_what_was_extended(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (400, 0)).await.unwrap();
    home.store.extend(reserved.id, usd(300), 5).await.unwrap();
    home.store.release(reserved.id).await.unwrap();
    assert_eq!(home.money(&cap).await, (0, 0));
    assert_eq!(home.tokens(&cap).await, (0, 0));
}

async fn extending_keeps_a_stream_alive(home: Home) {
    let cap = money("daily", 1_000);
    let reserved = home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    for _ in 0..5 {
        home.advance(29);
        assert_eq!(home.expire().await, 0);
        home.elsewhere().await.extend(reserved.id, usd(0), 0).await.unwrap();
    }
    home.advance(30);
    assert_eq!(home.expire().await, 1);
    let extended = home.store.extend(reserved.id, usd(0), 0).await;
    assert_eq!(extended, Err(BudgetError::NotOpen(reserved.id)));
    assert_eq!(home.money(&cap).await, (0, 0));
}

async fn an_extension_waits_for_what_was_abandoned(home: Home) {
    let cap = money("daily", 1_000);
    home.reserve(one(&cap), (600, 0)).await.unwrap();
    home.advance(20);
    let reserved = home.reserve(one(&cap), (400, 0)).await.unwrap();
    refusal(home.store.extend(reserved.id, usd(600), 0).await);
    home.advance(10);
    home.store.extend(reserved.id, usd(600), 0).await.unwrap();
    assert_eq!(home.money(&cap).await, (0, 1_000));
}

async fn an_extension_counts_where_the_stream_began(home: Home) {
    let cap = over(money("minutely", 1_000), 60);
    home.advance(59);
    let reserved = home.reserve(one(&cap), (900, 0)).await.unwrap();
    home.advance(1);
    home.reserve(one(&cap), (1_000, 0)).await.unwrap();
    home.store.extend(reserved.id, usd(100), 0).await.unwrap();
    let refused = refusal(home.store.extend(reserved.id, usd(1), 0).await);
    // The window has ended; it is no use to wait for it.
    assert_eq!((refused.left, refused.retry_after.as_secs()), (0, 0));
    assert_eq!(home.money(&cap).await, (0, 1_000));
}

on_every_store! {
    #[tokio::test] a_stream_is_extended_up_to_the_cap;
    #[tokio::test] releasing_returns_what_was_extended;
    #[tokio::test] extending_keeps_a_stream_alive;
    #[tokio::test] an_extension_waits_for_what_was_abandoned;
    #[tokio::test] an_extension_counts_where_the_stream_began;
}
