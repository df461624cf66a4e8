//! The database of a host: one pool that the family and its extensions share, and what they install
//! in it.
//!
//! [`DbPool`] opens SQLite or PostgreSQL, as the URL says. A host's own queries go to the driver's
//! pool:
//!
//! ```
//! # use systemprompt_core::database::{DatabaseError, DbPool};
//! # #[cfg(feature = "postgres")]
//! async fn notes(database: &DbPool) -> Result<i64, DatabaseError> {
//!     let pool = database.postgres().ok_or(DatabaseError::unsupported(database.backend()))?;
//!     Ok(sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(pool).await?)
//! }
//! ```

#![cfg_attr(
    not(any(feature = "sqlite", feature = "postgres")),
    allow(unused, reason = "without a backend there is no database to open")
)]

mod connection;
mod error;
pub mod installer;
mod options;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction;

pub use connection::{ConnectionMut, DbConnection};
pub use error::DatabaseError;
pub use installer::{SchemaError, SchemaInstaller, SchemaStep, StepKind, StepState};
pub use options::DatabaseOptions;
pub use pool::{DbPool, Driver};
#[cfg(feature = "postgres")]
pub use postgres::PostgresDatabase;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteDatabase, is_installed, refuse_leftovers};
pub use transaction::DbTransaction;

pub use crate::extension::{Backend, Migration, SchemaDefinition, SchemaOwner};
