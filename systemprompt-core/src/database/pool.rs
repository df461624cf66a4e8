#[cfg(feature = "postgres")]
use sqlx::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::SqlitePool;

#[cfg(feature = "postgres")]
use super::PostgresDatabase;
#[cfg(feature = "sqlite")]
use super::SqliteDatabase;
use super::{Backend, DatabaseError, DatabaseOptions, DbConnection, DbTransaction};

/// A pool of connections to the host's database. Cloning is a reference count.
///
/// Connections that were lost are replaced when they are next needed.
#[derive(Debug, Clone)]
pub struct DbPool(Inner);

#[derive(Debug, Clone)]
enum Inner {
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteDatabase),
    #[cfg(feature = "postgres")]
    Postgres(PostgresDatabase),
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible),
}

/// The database behind a [`DbPool`], for code that has queries for each backend.
///
/// Features add backends, so a `match` has an arm for all others:
/// [`unsupported`](Self::unsupported) is what to answer there.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Driver<'d> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'d SqliteDatabase),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'d PostgresDatabase),
    #[doc(hidden)]
    #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
    Never(std::convert::Infallible, std::marker::PhantomData<&'d ()>),
}

impl Driver<'_> {
    /// The backend.
    #[must_use]
    pub fn backend(self) -> Backend {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Backend::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// The error of code that has no queries for this backend.
    #[must_use]
    pub fn unsupported(self) -> DatabaseError {
        DatabaseError::unsupported(self.backend())
    }
}

impl DbPool {
    /// Opens the database that the URL names.
    ///
    /// SQLite: WAL, `synchronous=FULL`, foreign keys on. A file that is created is for its owner alone,
    /// and so is what the database keeps beside it. PostgreSQL: TLS as the URL's `sslmode` says
    /// (`disable`, `prefer`, `require`, `verify-ca`, `verify-full`), an encoding of UTF-8.
    ///
    /// # Errors
    /// [`DatabaseError`] when the URL is not understood, its backend is not part of the program, the
    /// file is missing or would be created beside files that another database has left, or the
    /// database cannot be opened.
    pub async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        match options.backend()? {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => Ok(Self(Inner::Sqlite(SqliteDatabase::open(options).await?))),
            #[cfg(feature = "postgres")]
            Backend::Postgres => Ok(Self(Inner::Postgres(PostgresDatabase::open(options).await?))),
            #[allow(unreachable_patterns, reason = "with every backend there is no other")]
            other => Err(DatabaseError::unsupported(other)),
        }
    }

    /// The database, by its backend.
    #[must_use]
    pub fn driver(&self) -> Driver<'_> {
        match &self.0 {
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(database) => Driver::Sqlite(database),
            #[cfg(feature = "postgres")]
            Inner::Postgres(database) => Driver::Postgres(database),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            Inner::Never(never) => match *never {},
        }
    }

    /// Which backend it is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.driver().backend()
    }

    /// The SQLite pool, for a host's own queries; `None` on another backend.
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn sqlite(&self) -> Option<&SqlitePool> {
        match self.driver() {
            Driver::Sqlite(database) => Some(database.pool()),
            #[allow(unreachable_patterns, reason = "with SQLite alone there is no other")]
            _ => None,
        }
    }

    /// The PostgreSQL pool, for a host's own queries; `None` on another backend.
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres(&self) -> Option<&PgPool> {
        match self.driver() {
            Driver::Postgres(database) => Some(database.pool()),
            #[allow(unreachable_patterns, reason = "with PostgreSQL alone there is no other")]
            _ => None,
        }
    }

    /// A connection outside the pool, for a task that keeps one warm.
    ///
    /// # Errors
    /// [`DatabaseError`] when the database cannot be opened.
    pub async fn connect(&self) -> Result<DbConnection, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => Ok(database.connect().await?.into()),
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => Ok(database.connect().await?.into()),
        }
    }

    /// Begins a transaction that reads.
    ///
    /// # Errors
    /// [`DatabaseError`] when there is no connection in time.
    pub async fn begin(&self) -> Result<DbTransaction<'static>, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => Ok(database.pool().begin().await?.into()),
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => Ok(database.pool().begin().await?.into()),
        }
    }

    /// Begins a transaction that writes. On SQLite it holds the write lock from the start; on
    /// PostgreSQL it is `READ COMMITTED`, whatever the server's default, so that what waited for a
    /// lock sees what the holder wrote.
    ///
    /// # Errors
    /// [`DatabaseError`] when there is no connection, or no lock, in time.
    pub async fn begin_write(&self) -> Result<DbTransaction<'static>, DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => Ok(database.begin_write().await?.into()),
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => Ok(database.begin_write().await?.into()),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DatabaseError`] when it does not.
    pub async fn ping(&self) -> Result<(), DatabaseError> {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => {
                sqlx::query("SELECT 1").execute(database.pool()).await?;
            }
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => {
                sqlx::query("SELECT 1").execute(database.pool()).await?;
            }
        }
        #[cfg(any(feature = "sqlite", feature = "postgres"))]
        Ok(())
    }

    /// Closes all pooled connections. SQLite's write-ahead log goes with the last connection there is.
    pub async fn close(&self) {
        match self.driver() {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite(database) => database.close().await,
            #[cfg(feature = "postgres")]
            Driver::Postgres(database) => database.pool().close().await,
        }
    }
}
