//! Several caps at once, and what a refusal says.

use std::time::Duration;

use systemprompt_core::contract::{BudgetCap, BudgetUnit};

use crate::support::{Home, MIDNIGHT, cap, money, on_every_store, one, over, tokens, usd};

async fn all_caps_are_charged_or_none(home: Home) {
    let caps =
        [money("tenant", 5_000), tokens("user", 100), money("key", 1_000), tokens("model", 50)];
    home.reserve(&caps, (600, 30)).await.unwrap();
    for (amounts, name) in [((401, 1), "key"), ((1, 21), "model"), ((1, 71), "user")] {
        let refused = home.refusal(&caps, amounts).await;
        assert_eq!(&*refused.name, name);
        for cap in &caps {
            assert_eq!((home.money(cap).await, home.tokens(cap).await), ((0, 600), (0, 30)));
        }
    }
    let reserved = home.reserve(&caps, (400, 20)).await.unwrap();
    home.store.settle(reserved.id, usd(7), 3).await.unwrap();
    for cap in &caps {
        assert_eq!((home.money(cap).await, home.tokens(cap).await), ((7, 600), (3, 30)));
    }
}

async fn a_refusal_names_the_cap_to_wait_for(home: Home) {
    let minutely = over(money("minutely", 100), 60);
    let hourly = over(tokens("hourly", 10), 3_600);
    let daily = money("daily", 1_000);
    let caps = [minutely.clone(), hourly.clone(), daily.clone()];
    home.advance(15);
    let spent = home.reserve(&caps, (100, 5)).await.unwrap();
    home.store.settle(spent.id, usd(100), 5).await.unwrap();

    let refused = home.refusal(&caps, (1, 0)).await;
    assert_eq!((&*refused.name, &refused.key), ("minutely", &minutely.key));
    assert_eq!(refused.unit, BudgetUnit::Microdollars);
    assert_eq!((refused.limit, refused.left, refused.asked), (100, 0, 1));
    assert_eq!(refused.frees_at.as_micros(), (MIDNIGHT + 60) * 1_000_000);
    assert_eq!(refused.retry_after, Duration::from_secs(45));
    assert!(!refused.is_final());

    // Of several the one whose window ends last.
    let refused = home.refusal(&caps, (1, 6)).await;
    assert_eq!((&*refused.name, refused.unit), ("hourly", BudgetUnit::Tokens));
    assert_eq!((refused.limit, refused.left, refused.asked), (10, 5, 6));
    assert_eq!(refused.retry_after, Duration::from_secs(3_600 - 15));
    let refused = home.refusal(&caps, (1_001, 6)).await;
    assert_eq!((&*refused.name, refused.is_final()), ("daily", true));
    assert_eq!((refused.limit, refused.left), (1_000, 900));

    // As told: a moment before it is still refused.
    home.clock.advance(Duration::from_micros(44_999_999));
    assert_eq!(home.refusal(&caps, (1, 0)).await.retry_after, Duration::from_micros(1));
    home.clock.advance(Duration::from_micros(1));
    home.reserve(&caps, (100, 0)).await.unwrap();
}

async fn caps_of_one_key_and_window_share_a_counter(home: Home) {
    let soft = BudgetCap { name: "soft".into(), ..money("one", 500) };
    let hard = BudgetCap { name: "hard".into(), ..money("one", 1_000) };
    let caps = [hard.clone(), soft.clone(), hard.clone()];
    home.reserve(&caps, (300, 1)).await.unwrap();
    assert_eq!(home.money(&hard).await, (0, 300));
    assert_eq!(&*home.refusal(&caps, (300, 1)).await.name, "soft");
    home.reserve(one(&hard), (700, 1)).await.unwrap();
    assert_eq!(home.money(&soft).await, (0, 1_000));
    assert_eq!(home.state(&soft).await.microdollars.left(), Some(0));
    // The same key over other windows is another counter.
    assert_eq!(home.money(&over(hard, 3_600)).await, (0, 0));
}

async fn what_remains_is_told_in_order(home: Home) {
    let caps = [over(money("b", 10), 60), tokens("a", 20), cap("c"), money("never used", -5)];
    home.advance(61);
    home.reserve(&caps[..3], (1, 2)).await.unwrap();
    let states = home.store.remaining(&caps).await.unwrap();
    let shown: Vec<_> = states
        .iter()
        .map(|state| (&*state.name, state.microdollars.left(), state.tokens.left()))
        .collect();
    assert_eq!(
        shown,
        [
            ("b", Some(9), None),
            ("a", None, Some(18)),
            ("c", None, None),
            ("never used", Some(0), None)
        ]
    );
    assert_eq!(states[2].tokens.held, 2);
    assert_eq!(states[0].window.starts_at.as_micros(), (MIDNIGHT + 60) * 1_000_000);
    assert_eq!(states[0].window.ends_at.as_micros(), (MIDNIGHT + 120) * 1_000_000);
}

async fn a_limit_of_nothing_lets_only_the_free_through(home: Home) {
    let caps = [money("no money", 0)];
    let refused = home.refusal(&caps, (1, 1)).await;
    assert!(refused.is_final());
    assert_eq!(refused.limit, 0);
    home.reserve(&caps, (0, 1_000_000)).await.unwrap();
    assert_eq!(home.refusal(&[money("debt", -5)], (1, 0)).await.limit, 0);
}

on_every_store! {
    #[tokio::test] all_caps_are_charged_or_none;
    #[tokio::test] a_refusal_names_the_cap_to_wait_for;
    #[tokio::test] caps_of_one_key_and_window_share_a_counter;
    #[tokio::test] what_remains_is_told_in_order;
    #[tokio::test] a_limit_of_nothing_lets_only_the_free_through;
}
