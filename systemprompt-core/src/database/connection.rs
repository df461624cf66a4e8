use sqlx::Connection as _;
#[cfg(feature = "postgres")]
use sqlx::PgConnection;
#[cfg(feature = "sqlite")]
use sqlx::SqliteConnection;

use super::{Backend, DatabaseError, DbTransaction};

/// A connection outside the pool, to either backend.
#[derive(Debug)]
pub struct DbConnection(Inner);

#[derive(Debug)]
enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteConnection),
    #[cfg(feature = "postgres")]
    Postgres(PgConnection),
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible),
}

/// A connection that is lent, by its backend, for code that has queries for each.
///
/// Features add backends, so a `match` has an arm for all others:
/// [`unsupported`](Self::unsupported) is what to answer there.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectionMut<'c> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'c mut PgConnection),
    #[doc(hidden)]
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible, std::marker::PhantomData<&'c mut ()>),
}

impl ConnectionMut<'_> {
    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Backend::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Backend::Postgres,
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Self::Never(never, _) => match *never {},
        }
    }

    /// The error of code that has no queries for this backend.
    #[must_use]
    pub fn unsupported(&self) -> DatabaseError {
        DatabaseError::unsupported(self.backend())
    }
}

impl DbConnection {
    /// The connection, by its backend.
    pub fn driver(&mut self) -> ConnectionMut<'_> {
        match &mut self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(connection) => ConnectionMut::Sqlite(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => ConnectionMut::Postgres(connection),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Inner::Never(never) => match *never {},
        }
    }

    /// Which backend it is to.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(_) => Backend::Sqlite,
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => Backend::Postgres,
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Inner::Never(never) => match *never {},
        }
    }

    /// Begins a transaction that reads: all of its statements see one state of the database.
    ///
    /// # Errors
    /// [`DatabaseError`] when the connection is broken.
    pub async fn begin_snapshot(&mut self) -> Result<DbTransaction<'_>, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            ConnectionMut::Sqlite(connection) => Ok(connection.begin().await?.into()),
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => {
                let snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Ok(connection.begin_with(snapshot).await?.into())
            }
        }
    }

    /// Begins a transaction that writes, as [`DbPool::begin_write`](super::DbPool::begin_write) does.
    ///
    /// # Errors
    /// [`DatabaseError`] when the connection is broken, or the lock cannot be had in time.
    pub async fn begin_write(&mut self) -> Result<DbTransaction<'_>, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            ConnectionMut::Sqlite(connection) => {
                Ok(connection.begin_with("BEGIN IMMEDIATE").await?.into())
            }
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => {
                Ok(connection.begin_with(super::postgres::BEGIN_WRITE).await?.into())
            }
        }
    }

    /// Closes it.
    ///
    /// # Errors
    /// [`DatabaseError`] when the other side cannot be told.
    pub async fn close(self) -> Result<(), DatabaseError> {
        match self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(connection) => Ok(connection.close().await?),
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => Ok(connection.close().await?),
        }
    }
}

#[cfg(feature = "sqlite")]
impl From<SqliteConnection> for DbConnection {
    fn from(connection: SqliteConnection) -> Self {
        Self(Inner::Sqlite(connection))
    }
}

#[cfg(feature = "postgres")]
impl From<PgConnection> for DbConnection {
    fn from(connection: PgConnection) -> Self {
        Self(Inner::Postgres(connection))
    }
}
