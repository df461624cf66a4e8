//! Budgets in the host's database, for all processes that share it.
//!
//! One row per window holds its counter. Whoever changes counters locks their rows first, in the order
//! of [`WindowKey`](super::ledger::WindowKey)s, after the rows of reservations: nobody ever waits in a
//! circle. On SQLite the transaction that writes is alone from its start. The queries stand in `sqlite`
//! and `postgres`, under the same names.

mod books;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::contract::{
    BudgetCap, BudgetError, BudgetRequest, BudgetState, BudgetStore, Reservation, Settlement,
};
use systemprompt_core::database::{Backend, DatabaseError, DbPool};
use systemprompt_core::id::ReservationId;
use systemprompt_core::money::Microdollars;

use books::Books;

/// Runs a query of the backend to which `$driver`, a
/// [`ConnectionMut`](systemprompt_core::database::ConnectionMut), is connected.
macro_rules! on {
    ($driver:expr, $function:ident($($argument:expr),*)) => {
        match $driver {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::ConnectionMut::Sqlite(connection) => {
                crate::budget::database::sqlite::$function(connection $(, $argument)*)
                    .await
                    .map_err(|error| crate::budget::database::unavailable(&error.into()))?
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::ConnectionMut::Postgres(connection) => {
                crate::budget::database::postgres::$function(connection $(, $argument)*)
                    .await
                    .map_err(|error| crate::budget::database::unavailable(&error.into()))?
            }
            other => return Err(crate::budget::database::unavailable(&other.unsupported())),
        }
    };
}
use on;

macro_rules! store {
    ($(#[$meta:meta])* $store:ident on $backend:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $store(Arc<Books>);

        impl $store {
            /// The store in `database`, whose schema (see [`crate::schema`]) is installed.
            ///
            /// # Errors
            /// [`DatabaseError::Unsupported`] when the database is of another backend.
            pub fn new(database: DbPool, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
                match database.backend() {
                    Backend::$backend => Ok(Self(Arc::new(Books::new(database, clock)))),
                    other => Err(DatabaseError::unsupported(other)),
                }
            }
        }

        #[async_trait]
        impl BudgetStore for $store {
            async fn reserve(&self, request: &BudgetRequest) -> Result<Reservation, BudgetError> {
                self.0.reserve(request).await
            }

            async fn settle(
                &self,
                reservation: ReservationId,
                microdollars: Microdollars,
                tokens: u64,
            ) -> Result<Settlement, BudgetError> {
                self.0.settle(reservation, microdollars, tokens).await
            }

            async fn release(&self, reservation: ReservationId) -> Result<(), BudgetError> {
                self.0.release(reservation).await
            }

            async fn extend(
                &self,
                reservation: ReservationId,
                microdollars: Microdollars,
                tokens: u64,
            ) -> Result<(), BudgetError> {
                self.0.extend(reservation, microdollars, tokens).await
            }

            async fn remaining(&self, caps: &[BudgetCap]) -> Result<Vec<BudgetState>, BudgetError> {
                self.0.remaining(caps).await
            }

            async fn expire(&self, now: Timestamp) -> Result<Vec<ReservationId>, BudgetError> {
                self.0.expire_and_purge(now).await
            }
        }

        impl fmt::Debug for $store {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($store)).field("database", self.0.database()).finish()
            }
        }
    };
}

#[cfg(feature = "sqlite")]
store! {
    /// Budgets in an embedded SQLite database, for the processes of one host that share its file.
    /// Cloning is a reference count.
    SqliteBudgetStore on Sqlite
}

#[cfg(feature = "postgres")]
store! {
    /// Budgets in a PostgreSQL database, for all replicas that share it. Cloning is a reference count.
    PostgresBudgetStore on Postgres
}

/// What a failing database means to the caller. The driver's own texts may hold values.
fn unavailable(error: &DatabaseError) -> BudgetError {
    let DatabaseError::Driver(driver) = error else {
        return BudgetError::Unavailable(error.to_string());
    };
    tracing::debug!(error = %driver, "the budget store failed");
    let cause = match driver {
        sqlx::Error::PoolTimedOut => "no connection was free in time".to_owned(),
        sqlx::Error::PoolClosed => "its connections are closed".to_owned(),
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => "the database cannot be reached".to_owned(),
        sqlx::Error::Database(refusal) => match refusal.code() {
            Some(code) => format!("the database failed with the code {code}"),
            None => "the database failed".to_owned(),
        },
        _ => "the database failed".to_owned(),
    };
    BudgetError::Unavailable(cause)
}

/// The error for a row that no store has written.
fn corrupt(table: &str) -> BudgetError {
    BudgetError::Unavailable(format!("the table `{table}` holds a row that cannot be read"))
}
