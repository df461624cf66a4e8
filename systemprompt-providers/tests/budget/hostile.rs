//! Amounts at the edge of what numbers hold, and keys that were chosen to harm.

use systemprompt_core::contract::{BudgetCap, BudgetKey, BudgetUnit};
use systemprompt_core::id::{TenantId, TokenId, UserId};
use systemprompt_providers::budget::{BudgetDimension, BudgetRule, BudgetRules, BudgetSubject};

use crate::support::{Home, cap, money, on_every_store, one, refusal, usd};

const MOST: u64 = i64::MAX.unsigned_abs();

async fn what_is_held_never_overflows(home: Home) {
    let caps = [cap("none"), money("most", i64::MAX)];
    let first = home.reserve(&caps, (i64::MAX - 1, MOST)).await.unwrap();
    let refused = home.refusal(&caps, (2, 0)).await;
    assert_eq!((refused.unit, refused.limit, refused.left), (BudgetUnit::Microdollars, MOST, 1));
    assert_eq!(home.refusal(&caps, (0, 1)).await.unit, BudgetUnit::Tokens);
    assert_eq!(home.refusal(&caps, (i64::MAX, MOST)).await.left, 1);
    let refused = refusal(home.store.extend(first.id, usd(i64::MAX), 0).await);
    assert_eq!((refused.left, refused.asked), (1, MOST));
    home.store.extend(first.id, usd(1), 0).await.unwrap();
    home.store.release(first.id).await.unwrap();
    for cap in &caps {
        assert_eq!((home.money(cap).await, home.tokens(cap).await), ((0, 0), (0, 0)));
    }
}

async fn what_was_settled_stays_at_the_most_there_is(home: Home) {
    let limited = money("limited", i64::MAX);
    let caps = [limited.clone(), cap("none")];
    let held = home.reserve(&caps, (5, 5)).await.unwrap();
    let other = home.reserve(&caps, (7, 7)).await.unwrap();
    for _ in 0..3 {
        let reserved = home.reserve(&caps, (0, 1)).await.unwrap();
        home.store.settle(reserved.id, usd(i64::MAX), u64::MAX).await.unwrap();
    }
    for cap in &caps {
        assert_eq!((home.money(cap).await, home.tokens(cap).await), ((MOST, 12), (MOST, 12)));
    }
    assert_eq!(home.refusal(one(&limited), (1, 0)).await.left, 0);
    // Without a limit there is nothing to refuse for.
    let free = home.reserve(&[cap("none")], (1, 1)).await.unwrap();
    home.store.release(free.id).await.unwrap();
    // What is returned leaves what was settled as it is.
    home.store.release(held.id).await.unwrap();
    assert_eq!(home.money(&limited).await, (MOST, 7));
    home.store.settle(other.id, usd(1), 1).await.unwrap();
    assert_eq!(home.money(&limited).await, (MOST, 0));
    assert_eq!(home.refusal(&[limited], (1, 0)).await.left, 0);
}

async fn a_limit_above_what_numbers_hold_is_the_most_there_is(home: Home) {
    let cap = BudgetCap { limit_tokens: Some(u64::MAX), ..cap("huge") };
    home.reserve(one(&cap), (0, MOST)).await.unwrap();
    assert_eq!(home.refusal(&[cap], (0, 1)).await.left, 0);
}

async fn hostile_keys_are_keys_like_others(home: Home) {
    let long = "x".repeat(1 << 20);
    let texts = [
        "",
        " ",
        "a",
        "A",
        "a ",
        "a\0",
        "a\0b",
        "\0",
        "a\n",
        "'",
        "''",
        "'; DROP TABLE budget_windows; --",
        "$1",
        "?1",
        "%",
        "_",
        "\\",
        "\"",
        "{}",
        "NULL",
        "é",
        "e\u{301}",
        "\u{feff}a",
        "\u{202e}a",
        "\u{10ffff}",
        "sha256:",
        "a,b",
        "{a,b}",
        &long,
    ];
    let caps: Vec<_> = texts
        .iter()
        .map(|text| BudgetCap { key: BudgetKey::new(text), ..money("hostile", 100) })
        .collect();
    for (position, cap) in caps.iter().enumerate() {
        let amount = i64::try_from(position).unwrap() + 1;
        let reserved = home.reserve(one(cap), (amount, 0)).await.unwrap();
        home.store.settle(reserved.id, usd(amount), 0).await.unwrap();
    }
    let other = home.elsewhere().await;
    let states = other.remaining(&caps).await.unwrap();
    for (position, state) in states.iter().enumerate() {
        let used = u64::try_from(position).unwrap() + 1;
        assert_eq!((state.microdollars.settled, state.microdollars.held), (used, 0), "{position}");
    }
    // All of them at once, too.
    home.reserve(&caps, (1, 1)).await.unwrap();
}

async fn rules_keep_hostile_callers_apart(home: Home) {
    let rules = BudgetRules::compile(&[BudgetRule {
        name: "each user and model".to_owned(),
        key: vec![BudgetDimension::User, BudgetDimension::Model],
        limit_microdollars: None,
        limit_tokens: Some(10),
        window_s: 60,
    }])
    .unwrap();
    let users = ["ann", "ann model=1:m", "an"].map(|user| UserId::parse(user).ok());
    let (tenant, key) = (TenantId::parse("acme").unwrap(), TokenId::parse("k").unwrap());
    let mut subjects = 0;
    for user in users.iter().flatten() {
        for model in ["m", "m\0", "n model=1:m", "nmodel=1:m", ""] {
            let subject = BudgetSubject { tenant: &tenant, user, key: &key, model };
            let caps = rules.caps(&subject);
            home.reserve(&caps, (0, 10)).await.unwrap();
            home.refusal(&caps, (0, 1)).await;
            subjects += 1;
        }
    }
    assert!(subjects >= 10, "{subjects}");
}

on_every_store! {
    #[tokio::test] what_is_held_never_overflows;
    #[tokio::test] what_was_settled_stays_at_the_most_there_is;
    #[tokio::test] a_limit_above_what_numbers_hold_is_the_most_there_is;
    #[tokio::test] hostile_keys_are_keys_like_others;
    #[tokio::test] rules_keep_hostile_callers_apart;
}
