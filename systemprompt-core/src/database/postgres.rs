//! The backend for many replicas: a PostgreSQL server.

use std::fmt;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Postgres, Transaction};

use super::{DatabaseError, DatabaseOptions};

/// The statement that begins a transaction that writes.
pub(super) const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// A PostgreSQL database that is open. Cloning is a reference count.
#[derive(Clone)]
pub struct PostgresDatabase {
    pool: PgPool,
    connect: PgConnectOptions,
    connect_timeout: Duration,
}

impl PostgresDatabase {
    pub(super) async fn open(options: &DatabaseOptions) -> Result<Self, DatabaseError> {
        let connect = connect_options(options)?;
        let pooled = match options.statement_timeout {
            None => connect.clone(),
            Some(limit) => connect.clone().options([
                ("statement_timeout", limit.as_millis().to_string()),
                ("lock_timeout", limit.as_millis().to_string()),
            ]),
        };
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(pooled)
            .await?;
        let encoding: String = sqlx::query_scalar("SELECT current_setting('server_encoding')")
            .fetch_one(&pool)
            .await?;
        if encoding != "UTF8" {
            return Err(DatabaseError::Encoding { encoding });
        }
        Ok(Self { pool, connect, connect_timeout: options.acquire_timeout })
    }

    /// A connection without a pool, for a program that has one thing to do.
    ///
    /// # Errors
    /// [`DatabaseError`] when the URL is not of PostgreSQL, or the server cannot be reached in time.
    pub async fn connect_once(options: &DatabaseOptions) -> Result<PgConnection, DatabaseError> {
        let connect = connect_options(options)?;
        let connected = tokio::time::timeout(options.acquire_timeout, connect.connect()).await;
        Ok(connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
    }

    /// The pool.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection outside the pool, without a limit on its statements.
    ///
    /// # Errors
    /// [`DatabaseError`] when the server cannot be reached in time.
    pub async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        let connected = tokio::time::timeout(self.connect_timeout, self.connect.connect()).await;
        Ok(connected.unwrap_or(Err(sqlx::Error::PoolTimedOut))?)
    }

    /// Begins a transaction that writes, at `READ COMMITTED`.
    ///
    /// # Errors
    /// [`DatabaseError`] when there is no connection in time.
    pub async fn begin_write(&self) -> Result<Transaction<'static, Postgres>, DatabaseError> {
        Ok(self.pool.begin_with(BEGIN_WRITE).await?)
    }
}

impl fmt::Debug for PostgresDatabase {
    // The driver's options hold the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresDatabase")
            .field("host", &self.connect.get_host())
            .field("database", &self.connect.get_database())
            .finish_non_exhaustive()
    }
}

fn connect_options(options: &DatabaseOptions) -> Result<PgConnectOptions, DatabaseError> {
    // What the driver says of a URL it does not understand could repeat a part of it.
    let mut connect =
        PgConnectOptions::from_str(&options.url).map_err(|_| DatabaseError::PostgresUrl)?;
    if let Some(password) = &options.password {
        connect = connect.password(password.expose());
    }
    if connect.get_application_name().is_none() {
        connect = connect.application_name("systemprompt");
    }
    warn_of_plain_text(&connect);
    Ok(connect)
}

/// Without `sslmode` a server that offers no TLS is talked to in plain text.
fn warn_of_plain_text(connect: &PgConnectOptions) {
    let host = connect.get_host();
    let here = connect.get_socket().is_some()
        || host.starts_with('/')
        || matches!(host, "localhost" | "127.0.0.1" | "::1" | "[::1]");
    let plain =
        matches!(connect.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer);
    if plain && !here {
        tracing::warn!(
            host,
            "the connection to the database may be in plain text; add `sslmode=verify-full` to its URL"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_in_no_error_and_no_debug_output() {
        let mut options = DatabaseOptions::new("postgres://u:hunter2@127.0.0.1:1/db");
        options.acquire_timeout = Duration::from_millis(200);
        let error = PostgresDatabase::open(&options).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        options.url = "postgres://u:hunter2@h:port/db".to_owned();
        let error = PostgresDatabase::open(&options).await.unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{error:?}");
        let database = PostgresDatabase {
            pool: PgPoolOptions::new().connect_lazy("postgres://u:hunter2@h/db").unwrap(),
            connect: "postgres://u:hunter2@h/db".parse().unwrap(),
            connect_timeout: Duration::ZERO,
        };
        assert!(!format!("{database:?}").contains("hunter2"), "{database:?}");
    }
}
