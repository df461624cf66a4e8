//! Many at once: no cap is ever passed, and nobody waits in a circle.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use systemprompt_core::contract::{BudgetCap, BudgetError, BudgetStore};

use crate::support::{Home, money, on_every_store, one, over, request, tokens, usd};

/// How many of `count` parallel requests over several stores are let through.
async fn granted(
    stores: &[Arc<dyn BudgetStore>],
    count: usize,
    caps: &[BudgetCap],
    amounts: (i64, u64),
) -> usize {
    let tasks = (0..count).map(|task| {
        let (store, request) = (stores[task % stores.len()].clone(), request(caps, amounts));
        tokio::spawn(async move { store.reserve(&request).await })
    });
    let mut granted = 0;
    for result in join_all(tasks).await {
        match result.unwrap() {
            Ok(_) => granted += 1,
            Err(BudgetError::Refused(refusal)) => assert_eq!(refusal.name, caps[0].name),
            Err(error) => panic!("{error}"),
        }
    }
    granted
}

async fn fifty_over_the_last_cent_never_pass_the_cap(home: Home) {
    let cap = money("a dollar", 1_000_000);
    let spent = home.reserve(one(&cap), (990_000, 0)).await.unwrap();
    home.store.settle(spent.id, usd(990_000), 0).await.unwrap();
    let stores = [home.store.clone(), home.elsewhere().await];
    // A cent is 10,000 microdollars: three of 3,000 fit.
    assert_eq!(granted(&stores, 50, one(&cap), (3_000, 1)).await, 3);
    assert_eq!(home.money(&cap).await, (990_000, 9_000));
    assert_eq!(granted(&stores, 50, one(&cap), (1_000, 1)).await, 1);
    assert_eq!(granted(&stores, 50, one(&cap), (1, 1)).await, 0);
    assert_eq!(home.money(&cap).await, (990_000, 10_000));
    assert_eq!(home.tokens(&cap).await, (0, 4));
}

async fn the_first_ever_requests_race_for_the_window_itself(home: Home) {
    let stores = [home.store.clone(), home.elsewhere().await, home.elsewhere().await];
    for round in 0..5 {
        let caps = [tokens(&format!("fresh {round}"), 70), money(&format!("other {round}"), 1_000)];
        assert_eq!(granted(&stores, 50, &caps, (1, 10)).await, 7);
        assert_eq!((home.tokens(&caps[0]).await, home.money(&caps[1]).await), ((0, 70), (0, 7)));
    }
}

async fn extensions_race_for_the_last_cent(home: Home) {
    let cap = money("a dollar", 1_000_000);
    let stores = [home.store.clone(), home.elsewhere().await];
    let mut streams = Vec::new();
    for _ in 0..30 {
        streams.push(home.reserve(one(&cap), (33_000, 0)).await.unwrap().id);
    }
    let tasks = streams.iter().enumerate().map(|(task, stream)| {
        let (store, stream) = (stores[task % 2].clone(), *stream);
        tokio::spawn(async move { store.extend(stream, usd(1_000), 0).await })
    });
    let extended = join_all(tasks).await;
    assert_eq!(extended.iter().filter(|result| result.as_ref().unwrap().is_ok()).count(), 10);
    assert_eq!(home.money(&cap).await, (0, 1_000_000));
}

async fn everything_at_once_adds_up(home: Home) {
    let caps = ["a", "b", "c", "d"].map(|name| over(money(name, 2_000), 3_600));
    let stores = [home.store.clone(), home.elsewhere().await];
    let tasks = (0..48_usize).map(|task| {
        // Each in an order of its own, some with more caps than others.
        let mut caps = caps.to_vec();
        caps.rotate_left(task % 4);
        caps.truncate(1 + task % 3);
        let (store, clock) = (stores[task % 2].clone(), home.clock.clone());
        tokio::spawn(async move {
            let mut spent = Vec::new();
            for step in 0..4_i64 {
                let reserved = match store.reserve(&request(&caps, (50, 5))).await {
                    Ok(reserved) => reserved.id,
                    Err(BudgetError::Refused(_)) => continue,
                    Err(error) => panic!("{error}"),
                };
                match store.extend(reserved, usd(10), 1).await {
                    Ok(()) | Err(BudgetError::Refused(_) | BudgetError::NotOpen(_)) => {}
                    Err(error) => panic!("{error}"),
                }
                match step {
                    0 => store.release(reserved).await.unwrap(),
                    1 if task % 5 == 0 => clock.advance(Duration::from_secs(7)),
                    2 => {
                        store.expire(systemprompt_core::clock::Clock::now(&*clock)).await.unwrap();
                        store.settle(reserved, usd(20), 2).await.unwrap();
                        spent.push(20);
                    }
                    _ => {
                        store.settle(reserved, usd(30), 3).await.unwrap();
                        spent.push(30);
                    }
                }
            }
            (caps, spent.iter().sum::<u64>())
        })
    });
    let mut expected = [0; 4];
    for result in join_all(tasks).await {
        let (used, spent) = result.unwrap();
        for (cap, total) in caps.iter().zip(&mut expected) {
            *total += if used.contains(cap) { spent } else { 0 };
        }
    }
    home.advance(300);
    home.expire().await;
    for (cap, total) in caps.iter().zip(expected) {
        let (settled, held) = home.money(cap).await;
        assert_eq!((settled, held), (total, 0), "{}", cap.name);
        assert!(total > 0, "{}", cap.name);
    }
}

on_every_store! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)] fifty_over_the_last_cent_never_pass_the_cap;
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)] the_first_ever_requests_race_for_the_window_itself;
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)] extensions_race_for_the_last_cent;
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)] everything_at_once_adds_up;
}
