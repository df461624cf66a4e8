//! Several processes that share one database: this program starts itself again as its workers.

use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::future::join_all;
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::{BudgetCap, BudgetError};

use crate::support::{Home, TIMEOUT, money, open, over, request, store, usd};

/// The variable with the database of a worker.
const DATABASE: &str = "SYSTEMPROMPT_TEST_BUDGETS";
/// The variable that tells a worker to die while its requests are under way.
const DIES: &str = "SYSTEMPROMPT_TEST_BUDGETS_DIES";

const WORKERS: usize = 4;
const REQUESTS: usize = 50;

/// A dollar in a window that does not end while the test runs.
fn dollar() -> BudgetCap {
    over(money("a dollar", 1_000_000), u32::MAX)
}

/// What a worker does; by itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the tests of this file"]
async fn worker() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let store = store(open(&url).await, SystemClock::shared());
    let tasks = (0..REQUESTS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.reserve(&request(&[dollar()], (1_000, 1))).await })
    });
    let mut granted = 0;
    for result in join_all(tasks).await {
        match result.unwrap() {
            Ok(_) => granted += 1,
            Err(BudgetError::Refused(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    if std::env::var_os(DIES).is_some() {
        std::process::abort();
    }
    std::fs::write(std::env::var("SYSTEMPROMPT_TEST_BUDGETS_RESULT").unwrap(), granted.to_string())
        .unwrap();
}

async fn workers_share_a_dollar(home: Home) {
    let url = home.url().unwrap();
    let clock = SystemClock::shared();
    let store = store(open(&url).await, clock.clone());
    let spent = store.reserve(&request(&[dollar()], (990_000, 0))).await.unwrap();
    store.settle(spent.id, usd(990_000), 0).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let result = folder.path().join(number.to_string());
            let mut command = this_program(&url);
            command.env("SYSTEMPROMPT_TEST_BUDGETS_RESULT", &result);
            (command.spawn().unwrap(), result)
        })
        .collect();
    let mut granted = 0;
    for (mut worker, result) in workers {
        assert!(worker.wait().unwrap().success());
        granted += std::fs::read_to_string(result).unwrap().parse::<usize>().unwrap();
    }
    // A cent is ten of 1,000 microdollars, whoever came first.
    assert_eq!(granted, 10);
    let state = store.remaining(&[dollar()]).await.unwrap().remove(0);
    assert_eq!((state.microdollars.settled, state.microdollars.held), (990_000, 10_000));
}

async fn what_a_dead_worker_held_returns(home: Home) {
    let url = home.url().unwrap();
    let clock = SystemClock::shared();
    let status = this_program(&url).env(DIES, "1").status().unwrap();
    assert!(!status.success());
    let store = store(open(&url).await, Arc::clone(&clock));
    let held = || async { store.remaining(&[dollar()]).await.unwrap()[0].microdollars.held };
    assert_eq!(held().await, 50_000);
    assert_eq!(store.expire(clock.now().after(TIMEOUT)).await.unwrap().len(), REQUESTS);
    assert_eq!(held().await, 0);
}

fn this_program(url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "processes::worker", "--ignored"])
        .env(DATABASE, url)
        .stdout(Stdio::null());
    command
}

#[cfg(feature = "sqlite")]
mod on_sqlite {
    #[tokio::test]
    async fn workers_share_a_dollar() {
        super::workers_share_a_dollar(crate::support::Home::on_sqlite().await).await;
    }

    #[tokio::test]
    async fn what_a_dead_worker_held_returns() {
        super::what_a_dead_worker_held_returns(crate::support::Home::on_sqlite().await).await;
    }
}

#[cfg(feature = "postgres")]
mod on_postgres {
    #[tokio::test]
    async fn workers_share_a_dollar() {
        super::workers_share_a_dollar(crate::support::Home::on_postgres().await).await;
    }

    #[tokio::test]
    async fn what_a_dead_worker_held_returns() {
        super::what_a_dead_worker_held_returns(crate::support::Home::on_postgres().await).await;
    }
}
