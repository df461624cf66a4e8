//! What is special about databases: what they forget, when they fail, and whose they are.

use std::sync::Arc;

use systemprompt_core::clock::Clock as _;
use systemprompt_core::contract::{BudgetError, BudgetStore, Settlement};
use systemprompt_core::database::{ConnectionMut, DbPool};

use crate::support::{Home, money, one, open, over, store, usd};

/// Runs each of the tests named on every database.
macro_rules! on_every_database {
    ($($test:ident;)+) => {
        #[cfg(feature = "sqlite")]
        mod on_sqlite {
            $(#[tokio::test] async fn $test() {
                super::$test(crate::support::Home::on_sqlite().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test] async fn $test() {
                super::$test(crate::support::Home::on_postgres().await).await;
            })+
        }
    };
}

async fn count(db: &DbPool, sql: &'static str) -> i64 {
    let mut connection = db.connect().await.unwrap();
    match connection.driver() {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => sqlx::query_scalar(sql).fetch_one(connection).await,
        other => panic!("{other:?}"),
    }
    .unwrap()
}

async fn run(db: &DbPool, sql: &'static str) {
    let mut connection = db.connect().await.unwrap();
    match connection.driver() {
        #[cfg(feature = "sqlite")]
        ConnectionMut::Sqlite(connection) => {
            sqlx::raw_sql(sql).execute(connection).await.unwrap();
        }
        #[cfg(feature = "postgres")]
        ConnectionMut::Postgres(connection) => {
            sqlx::raw_sql(sql).execute(connection).await.unwrap();
        }
        other => panic!("{other:?}"),
    }
}

/// How many windows and reservations there are.
async fn kept(db: &DbPool) -> (i64, i64) {
    let windows = count(db, "SELECT count(*) FROM budget_windows").await;
    (windows, count(db, "SELECT count(*) FROM budget_reservations").await)
}

async fn old_windows_and_reservations_are_forgotten(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let caps = [over(money("minutely", 1_000), 60), over(money("daily", 1_000_000), 86_400)];
    let abandoned = home.reserve(&caps, (1, 0)).await.unwrap();
    let mut last = abandoned.id;
    for _ in 0..120 {
        last = home.reserve(&caps, (1, 0)).await.unwrap().id;
        home.store.settle(last, usd(1), 0).await.unwrap();
        home.clock.step_wall(10_000_000);
    }
    // A request on the way has removed the first four. Twenty minutes later what was abandoned is
    // returned, and what was settled ten minutes ago is gone.
    assert_eq!(kept(&db).await, (21, 117));
    assert_eq!(home.expire().await, 1);
    assert_eq!(kept(&db).await, (21, 60));
    assert_eq!(home.store.settle(last, usd(1), 0).await.unwrap(), Settlement::AlreadySettled);
    // An hour after its end a minute is of no use.
    home.clock.step_wall(3_600_000_000);
    assert_eq!(home.expire().await, 0);
    assert_eq!(kept(&db).await, (1, 1));
    let gone = home.store.settle(last, usd(1), 0).await;
    assert_eq!(gone, Err(BudgetError::Unknown(last)));
    assert_eq!(home.money(&caps[1]).await, (120, 0));
    // What comes late is still recorded, in the window it began in.
    let late = home.store.settle(abandoned.id, usd(5), 0).await.unwrap();
    assert_eq!(late, Settlement::Late);
    assert_eq!(home.money(&caps[1]).await, (125, 0));
    // A day is kept for another day.
    home.clock.step_wall(2 * 86_400_000_000);
    home.expire().await;
    assert_eq!(kept(&db).await, (0, 0));
}

async fn nobody_needs_to_call_expire_for_it(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let cap = over(money("each second", 1_000), 1);
    let mut most = (0, 0);
    for _ in 0..200 {
        let reserved = home.reserve(one(&cap), (1, 0)).await.unwrap();
        home.store.settle(reserved.id, usd(1), 0).await.unwrap();
        // Windows are of use for an hour, reservations that are settled for ten minutes.
        home.clock.step_wall(3_601_000_000);
        let kept = kept(&db).await;
        most = (most.0.max(kept.0), most.1.max(kept.1));
    }
    // A batch goes with each sixty-fourth request.
    assert_eq!(most, (64, 64));
}

async fn a_window_that_is_held_is_kept(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let cap = over(money("minutely", 1_000), 60);
    let reserved = home.reserve(one(&cap), (700, 0)).await.unwrap();
    for _ in 0..300 {
        home.clock.step_wall(25_000_000);
        home.store.extend(reserved.id, usd(0), 0).await.unwrap();
        if home.clock.now().as_micros() % 500_000_000 == 0 {
            home.expire().await;
        }
    }
    home.expire().await;
    assert_eq!(kept(&db).await, (1, 1));
    home.store.extend(reserved.id, usd(300), 0).await.unwrap();
    assert!(home.store.extend(reserved.id, usd(1), 0).await.is_err());
    home.store.settle(reserved.id, usd(1_000), 0).await.unwrap();
    home.expire().await;
    assert_eq!(kept(&db).await.0, 0);
}

async fn a_refusal_leaves_nothing_behind(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let caps = [money("open", 100), money("closed", 0)];
    home.refusal(&caps, (1, 0)).await;
    assert_eq!(kept(&db).await, (0, 0));
}

async fn a_database_that_fails_denies(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let other: Arc<dyn BudgetStore> = store(db.clone(), home.clock.clone());
    let cap = money("daily", 100);
    let reserved = home.reserve(one(&cap), (10, 0)).await.unwrap();

    run(&db, "UPDATE budget_reservations SET charges = '[{}]'").await;
    let error = home.store.settle(reserved.id, usd(1), 0).await.unwrap_err();
    let text = "the budget store is unavailable: the table `budget_reservations` holds a row that \
                cannot be read";
    assert_eq!(error.to_string(), text);

    run(&db, "DROP TABLE budget_reservations").await;
    // The windows are charged in the same transaction, or not at all.
    let error = home.reserve(one(&cap), (10, 0)).await.unwrap_err();
    assert!(error.to_string().contains("the database failed with the code"), "{error}");
    assert!(matches!(
        home.store.settle(reserved.id, usd(1), 0).await,
        Err(BudgetError::Unavailable(_))
    ));
    assert!(matches!(home.store.expire(home.clock.now()).await, Err(BudgetError::Unavailable(_))));
    assert_eq!(home.money(&cap).await, (0, 10));

    db.close().await;
    let error = other.remaining(&[cap]).await.unwrap_err();
    assert_eq!(error, BudgetError::Unavailable("its connections are closed".to_owned()));
}

async fn the_schema_installs_once(home: Home) {
    let db = open(&home.url().unwrap()).await;
    let schema = [systemprompt_providers::schema()];
    let installer = systemprompt_core::database::SchemaInstaller::new(&schema).unwrap();
    installer.apply(&db, &*home.clock).await.unwrap();
    home.reserve(&[money("daily", 100)], (1, 0)).await.unwrap();
}

on_every_database! {
    old_windows_and_reservations_are_forgotten;
    nobody_needs_to_call_expire_for_it;
    a_window_that_is_held_is_kept;
    a_refusal_leaves_nothing_behind;
    a_database_that_fails_denies;
    the_schema_installs_once;
}

#[cfg(all(feature = "sqlite", feature = "postgres"))]
#[tokio::test]
async fn a_store_is_of_its_own_backend() {
    use systemprompt_providers::budget::{PostgresBudgetStore, SqliteBudgetStore};

    let (sqlite, postgres) = (Home::on_sqlite().await, Home::on_postgres().await);
    let (lite, pg) = (open(&sqlite.url().unwrap()).await, open(&postgres.url().unwrap()).await);
    assert!(SqliteBudgetStore::new(pg, sqlite.clock.clone()).is_err());
    let store = SqliteBudgetStore::new(lite.clone(), sqlite.clock.clone()).unwrap();
    assert!(format!("{store:?}").starts_with("SqliteBudgetStore"));
    assert!(PostgresBudgetStore::new(lite, sqlite.clock.clone()).is_err());
}
