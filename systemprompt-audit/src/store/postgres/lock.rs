//! The sole right to write a log: a session's advisory lock, which ends with its connection.

use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, PgPool};

use crate::Origin;

/// The lock of one log.
#[derive(Debug, Clone, Copy)]
pub(super) struct LogLock(i64);

impl LogLock {
    /// The lock of the log `origin` of an installation.
    pub(super) fn of(installation: &str, origin: &Origin) -> Self {
        let name = format!("systemprompt-audit\0{installation}\0{origin}");
        let digest = Sha256::digest(name.as_bytes());
        let (key, _) = digest.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        Self(i64::from_be_bytes(*key))
    }

    /// Takes the lock for the session, unless another has it.
    pub(super) async fn try_take(self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar!(r#"SELECT pg_try_advisory_lock($1) AS "taken!""#, self.0)
            .fetch_one(connection)
            .await
    }

    /// Gives the lock up.
    pub(super) async fn release(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query_scalar!(r#"SELECT pg_advisory_unlock($1) AS "released!""#, self.0)
            .fetch_one(connection)
            .await
            .map(|_| ())
    }

    /// Whether nobody has the lock. Looks without touching it.
    pub(super) async fn is_free(self, pool: &PgPool) -> Result<bool, sqlx::Error> {
        let (high, low) = self.halves();
        let held = sqlx::query_scalar!(
            r#"SELECT EXISTS (SELECT 1 FROM pg_locks AS l
                              JOIN pg_database AS d ON d.oid = l.database
                              WHERE d.datname = current_database() AND l.locktype = 'advisory'
                                AND l.objsubid = 1 AND l.granted
                                AND l.classid::bigint = $1 AND l.objid::bigint = $2) AS "held!""#,
            high,
            low
        )
        .fetch_one(pool)
        .await?;
        Ok(!held)
    }

    /// Who has the lock, in words.
    pub(super) async fn holder(self, connection: &mut PgConnection) -> Option<String> {
        let (high, low) = self.halves();
        sqlx::query_scalar!(
            r#"SELECT format('session %s of %s since %s', a.pid, coalesce(host(a.client_addr), 'this machine'),
                             to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS "holder!"
               FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database
               JOIN pg_stat_activity AS a ON a.pid = l.pid
               WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.objsubid = 1
                 AND l.granted AND l.classid::bigint = $1 AND l.objid::bigint = $2"#,
            high,
            low
        )
        .fetch_optional(connection)
        .await
        .ok()
        .flatten()
    }

    /// The key as `pg_locks` shows it.
    fn halves(self) -> (i64, i64) {
        ((self.0 >> 32) & 0xffff_ffff, self.0 & 0xffff_ffff)
    }
}
