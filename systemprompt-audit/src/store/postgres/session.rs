//! The writer's own connection, which holds the lock of its log.

use std::time::Duration;

use sqlx::PgConnection;
use systemprompt_core::database::PostgresDatabase;
use tokio::time::timeout;

use super::lock::LogLock;
use crate::StoreError;

/// How often a lock that our own former session holds is asked for again after that was ended.
const RETRIES: u32 = 20;

/// How long after a lock that is held is asked for again.
const PAUSE: Duration = Duration::from_millis(50);

/// A connection that holds the lock of a log.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) connection: PgConnection,
    pub(super) identity: Identity,
}

/// Which session of the server it is; a process id alone is used again.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pid: i32,
    started: String,
    /// Whether what is sent to it goes through TLS.
    pub(super) encrypted: bool,
}

/// What came of asking for a session.
pub(super) enum Taken {
    /// It is ours.
    Session(Session),
    /// Another session writes the log; who, as far as the server says so.
    Held(String),
}

impl Session {
    /// Connects and takes `lock`, asking again `patience` times while another session holds it: the
    /// server may not have noticed yet that its process has ended. Where `former`, a session of ours that was lost, still holds it, that
    /// one is ended first: whatever it was doing is decided then.
    pub(super) async fn take(
        database: &PostgresDatabase,
        lock: LogLock,
        former: Option<&Identity>,
        patience: u32,
        limit: Duration,
    ) -> Result<Taken, StoreError> {
        let taking = async {
            let connected = database.connect().await;
            let mut connection =
                connected.map_err(|error| StoreError::Failed(error.to_string()))?;
            prepare(&mut connection).await?;
            let identity = identity(&mut connection).await?;
            let mut taken = lock.try_take(&mut connection).await?;
            let mut retries = patience;
            if let Some(former) = former.filter(|_| !taken) {
                end(&mut connection, former).await?;
                retries = RETRIES;
            }
            while !taken && retries > 0 {
                retries -= 1;
                tokio::time::sleep(PAUSE).await;
                taken = lock.try_take(&mut connection).await?;
            }
            if taken {
                return Ok(Taken::Session(Self { connection, identity }));
            }
            let holder = lock.holder(&mut connection).await;
            Ok(Taken::Held(holder.unwrap_or_else(|| "another session".to_owned())))
        };
        let late = Err(StoreError::Failed("no connection in time".to_owned()));
        timeout(limit, taking).await.unwrap_or(late)
    }
}

/// Commits are durable whatever the server's default is, and a client that is gone without a word is
/// noticed within half a minute.
async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT set_config('synchronous_commit',
                      CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                           ELSE current_setting('synchronous_commit') END, false) AS "commit!",
                  set_config('tcp_keepalives_idle', '15', false) AS "idle!",
                  set_config('tcp_keepalives_interval', '5', false) AS "interval!",
                  set_config('tcp_keepalives_count', '3', false) AS "count!",
                  set_config('default_transaction_isolation', 'read committed', false) AS "isolation!""#
    )
    .fetch_one(connection)
    .await
    .map(|_| ())
}

async fn identity(connection: &mut PgConnection) -> Result<Identity, sqlx::Error> {
    sqlx::query_as!(
        Identity,
        r#"SELECT a.pid AS "pid!", a.backend_start::text AS "started!",
                  coalesce(s.ssl, false) AS "encrypted!"
           FROM pg_stat_activity AS a LEFT JOIN pg_stat_ssl AS s ON s.pid = a.pid
           WHERE a.pid = pg_backend_pid()"#
    )
    .fetch_one(connection)
    .await
}

async fn end(connection: &mut PgConnection, former: &Identity) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT pg_terminate_backend(pid) AS "ended!"
           FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2"#,
        former.pid,
        former.started
    )
    .fetch_optional(connection)
    .await
    .map(|_| ())
}
