//! What the tests share.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_core::contract::{
    BudgetCap, BudgetError, BudgetKey, BudgetRefusal, BudgetRequest, BudgetState, BudgetStore,
    Reservation,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
use systemprompt_core::database::{Backend, DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt_core::money::Microdollars;
use systemprompt_providers::budget::MemoryBudgetStore;
#[cfg(feature = "postgres")]
use systemprompt_providers::budget::PostgresBudgetStore;
#[cfg(feature = "sqlite")]
use systemprompt_providers::budget::SqliteBudgetStore;

/// Runs each of the tests named on every store.
macro_rules! on_every_store {
    ($($(#[$attribute:meta])+ $test:ident;)+) => {
        mod in_memory {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::support::Home::in_memory()).await;
            })+
        }

        #[cfg(feature = "sqlite")]
        mod on_sqlite {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::support::Home::on_sqlite().await).await;
            })+
        }

        #[cfg(feature = "postgres")]
        mod on_postgres {
            $($(#[$attribute])+ async fn $test() {
                super::$test(crate::support::Home::on_postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_every_store;

/// Midnight of 22 November 2026, in seconds: the start of a window of a day, an hour and a minute.
pub(crate) const MIDNIGHT: i64 = 1_795_305_600;

/// How long reservations of [`Home::reserve`] last.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) fn midnight_clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_micros(MIDNIGHT * 1_000_000)))
}

/// A store of its own.
pub(crate) struct Home {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) store: Arc<dyn BudgetStore>,
    place: Place,
}

enum Place {
    Memory,
    #[cfg(feature = "sqlite")]
    Sqlite(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(systemprompt_test_postgres::TestDatabase),
}

impl Home {
    pub(crate) fn in_memory() -> Self {
        let clock = midnight_clock();
        Self { store: Arc::new(MemoryBudgetStore::new(clock.clone())), clock, place: Place::Memory }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) async fn on_sqlite() -> Self {
        Self::at(Place::Sqlite(tempfile::tempdir().unwrap())).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn on_postgres() -> Self {
        Self::at(Place::Postgres(systemprompt_test_postgres::database().await)).await
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    async fn at(place: Place) -> Self {
        let clock = midnight_clock();
        let db = open(&place.url().unwrap()).await;
        let installer = SchemaInstaller::new(&[systemprompt_providers::schema()]).unwrap();
        installer.apply(&db, &*clock).await.unwrap();
        Self { store: store(db, clock.clone()), clock, place }
    }

    /// Where the database is, if there is one.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    pub(crate) fn url(&self) -> Option<String> {
        self.place.url()
    }

    /// The same store as another process would open it; in memory there is only the one.
    pub(crate) async fn elsewhere(&self) -> Arc<dyn BudgetStore> {
        match &self.place {
            Place::Memory => self.store.clone(),
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            place => store(open(&place.url().unwrap()).await, self.clock.clone()),
        }
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn reserve(
        &self,
        caps: &[BudgetCap],
        (microdollars, tokens): (i64, u64),
    ) -> Result<Reservation, BudgetError> {
        self.store.reserve(&request(caps, (microdollars, tokens))).await
    }

    /// The refusal of a reservation that must be refused.
    pub(crate) async fn refusal(&self, caps: &[BudgetCap], amounts: (i64, u64)) -> BudgetRefusal {
        refusal(self.reserve(caps, amounts).await)
    }

    pub(crate) async fn state(&self, cap: &BudgetCap) -> BudgetState {
        self.store.remaining(one(cap)).await.unwrap().remove(0)
    }

    /// What is settled and held of the money of a cap.
    pub(crate) async fn money(&self, cap: &BudgetCap) -> (u64, u64) {
        let state = self.state(cap).await;
        (state.microdollars.settled, state.microdollars.held)
    }

    /// What is settled and held of the tokens of a cap.
    pub(crate) async fn tokens(&self, cap: &BudgetCap) -> (u64, u64) {
        let state = self.state(cap).await;
        (state.tokens.settled, state.tokens.held)
    }

    pub(crate) async fn expire(&self) -> usize {
        self.store.expire(self.clock.now()).await.unwrap().len()
    }
}

impl Place {
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn url(&self) -> Option<String> {
        match self {
            Self::Memory => None,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(folder) => {
                Some(format!("sqlite://{}", folder.path().join("budgets.db").display()))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Some(database.url()),
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) async fn open(url: &str) -> DbPool {
    let mut options = DatabaseOptions::new(url).create(true);
    // The machine may be slow, and what is tested is not how long a lock takes.
    options.acquire_timeout = Duration::from_secs(60);
    options.busy_timeout = Duration::from_secs(60);
    DbPool::open(&options).await.unwrap()
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn store(db: DbPool, clock: Arc<dyn Clock>) -> Arc<dyn BudgetStore> {
    match db.backend() {
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => Arc::new(SqliteBudgetStore::new(db, clock).unwrap()),
        #[cfg(feature = "postgres")]
        Backend::Postgres => Arc::new(PostgresBudgetStore::new(db, clock).unwrap()),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn request(caps: &[BudgetCap], (microdollars, tokens): (i64, u64)) -> BudgetRequest {
    BudgetRequest {
        caps: caps.to_vec(),
        microdollars: Microdollars::new(microdollars),
        tokens,
        timeout: TIMEOUT,
    }
}

pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, BudgetError>) -> BudgetRefusal {
    match result {
        Err(BudgetError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

/// One cap where a list is asked for.
pub(crate) fn one(cap: &BudgetCap) -> &[BudgetCap] {
    std::slice::from_ref(cap)
}

/// A cap without limits, over a day, whose key is its name.
pub(crate) fn cap(name: &str) -> BudgetCap {
    BudgetCap {
        name: name.into(),
        key: BudgetKey::new(name),
        limit_microdollars: None,
        limit_tokens: None,
        window_s: 86_400.try_into().unwrap(),
    }
}

/// A cap on money.
pub(crate) fn money(name: &str, limit: i64) -> BudgetCap {
    BudgetCap { limit_microdollars: Some(Microdollars::new(limit)), ..cap(name) }
}

/// A cap on tokens.
pub(crate) fn tokens(name: &str, limit: u64) -> BudgetCap {
    BudgetCap { limit_tokens: Some(limit), ..cap(name) }
}

/// The cap over windows of another length.
pub(crate) fn over(cap: BudgetCap, window_s: u32) -> BudgetCap {
    BudgetCap { window_s: window_s.try_into().unwrap(), ..cap }
}

pub(crate) const fn usd(microdollars: i64) -> Microdollars {
    Microdollars::new(microdollars)
}
