#[cfg(any(feature = "sqlite", feature = "postgres"))]
use sqlx::{Connection as _, Transaction};
#[cfg(feature = "postgres")]
use sqlx::{PgConnection, Postgres};
#[cfg(feature = "sqlite")]
use sqlx::{Sqlite, SqliteConnection};

use super::{ConnectionMut, DatabaseError};

/// A transaction on either backend. Dropping it rolls it back.
#[derive(Debug)]
pub struct DbTransaction<'c>(Inner<'c>);

#[derive(Debug)]
enum Inner<'c> {
    #[cfg(feature = "sqlite")]
    Sqlite(Transaction<'c, Sqlite>),
    #[cfg(feature = "postgres")]
    Postgres(Transaction<'c, Postgres>),
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible, std::marker::PhantomData<&'c mut ()>),
}

impl DbTransaction<'_> {
    /// The transaction's connection, by its backend.
    pub fn driver(&mut self) -> ConnectionMut<'_> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => ConnectionMut::Sqlite(transaction),
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => ConnectionMut::Postgres(transaction),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Inner::Never(never, _) => match *never {},
        }
    }

    /// The connection, for a host's own queries; `None` on another backend.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&mut self) -> Option<&mut SqliteConnection> {
        match &mut self.0 {
            Inner::Sqlite(transaction) => Some(transaction),
            #[allow(unreachable_patterns, reason = "with SQLite alone there is no other")]
            _ => None,
        }
    }

    /// The connection, for a host's own queries; `None` on another backend.
    #[cfg(feature = "postgres")]
    pub fn postgres(&mut self) -> Option<&mut PgConnection> {
        match &mut self.0 {
            Inner::Postgres(transaction) => Some(transaction),
            #[allow(unreachable_patterns, reason = "with PostgreSQL alone there is no other")]
            _ => None,
        }
    }

    /// Begins a transaction within this one, which can be undone alone.
    ///
    /// # Errors
    /// [`DatabaseError`] when the connection is broken.
    pub async fn begin(&mut self) -> Result<DbTransaction<'_>, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            ConnectionMut::Sqlite(connection) => Ok(connection.begin().await?.into()),
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => Ok(connection.begin().await?.into()),
        }
    }

    /// Commits.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database does not say that it is done.
    pub async fn commit(self) -> Result<(), DatabaseError> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => Ok(transaction.commit().await?),
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Undoes it.
    ///
    /// # Errors
    /// [`DatabaseError`] when the connection is broken, which undoes it as well.
    pub async fn rollback(self) -> Result<(), DatabaseError> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(transaction) => Ok(transaction.rollback().await?),
            #[cfg(feature = "postgres")]
            Inner::Postgres(transaction) => Ok(transaction.rollback().await?),
        }
    }
}

#[cfg(feature = "sqlite")]
impl<'c> From<Transaction<'c, Sqlite>> for DbTransaction<'c> {
    fn from(transaction: Transaction<'c, Sqlite>) -> Self {
        Self(Inner::Sqlite(transaction))
    }
}

#[cfg(feature = "postgres")]
impl<'c> From<Transaction<'c, Postgres>> for DbTransaction<'c> {
    fn from(transaction: Transaction<'c, Postgres>) -> Self {
        Self(Inner::Postgres(transaction))
    }
}
