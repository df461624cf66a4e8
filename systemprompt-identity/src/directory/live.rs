use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use sqlx::SqliteConnection;
use systemprompt_core::clock::Clock;
use systemprompt_core::database::DbPool;
use systemprompt_core::id::{TenantId, UserId};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::load::Changes;
use super::{Directory, KeyRecord, UserRecord};
use crate::error::IdentityError;

/// Longest time without a look at the store before nothing new is verified any more.
const MAX_STALE: Duration = Duration::from_secs(2);
/// Shortest time between two looks that unknown keys ask for.
const SPACING: Duration = Duration::from_millis(10);
/// The generation of a directory that was never loaded.
const NEVER: i64 = -1;

/// The directory, kept up to date with the store.
pub(crate) struct LiveDirectory {
    db: DbPool,
    clock: Arc<dyn Clock>,
    directory: RwLock<Directory>,
    generation: AtomicI64,
    /// Monotonic nanoseconds of the last successful look.
    looked_at: AtomicU64,
    reader: Mutex<Reader>,
}

/// What looks at the store: a warm connection of its own, so that it never waits for the pool.
#[derive(Default)]
struct Reader {
    conn: Option<SqliteConnection>,
    began_at: Option<Instant>,
}

impl LiveDirectory {
    /// Loads the directory.
    pub(crate) async fn load(db: DbPool, clock: Arc<dyn Clock>) -> Result<Self, IdentityError> {
        let live = Self {
            db,
            clock,
            directory: RwLock::default(),
            generation: AtomicI64::new(NEVER),
            looked_at: AtomicU64::new(0),
            reader: Mutex::default(),
        };
        live.refresh().await?;
        Ok(live)
    }

    /// The generation of the store that the directory shows.
    pub(crate) fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn key(&self, id: &str) -> Option<Arc<KeyRecord>> {
        self.directory.read().key(id)
    }

    pub(crate) fn user(&self, tenant: &TenantId, user: &UserId) -> Option<Arc<UserRecord>> {
        self.directory.read().user(tenant, user)
    }

    pub(crate) fn is_revoked(&self, issuer: &str, jti: &str) -> bool {
        self.directory.read().is_revoked(issuer, jti)
    }

    /// Looks at the store now.
    pub(crate) async fn refresh(&self) -> Result<(), IdentityError> {
        let mut reader = self.reader.lock().await;
        self.look(&mut reader).await
    }

    /// Whether somebody has looked at the store in the last two seconds, or can look now.
    pub(crate) async fn ensure_fresh(&self) -> bool {
        self.is_fresh() || self.look_again().await
    }

    /// Takes part in a look at the store that begins after this call, because a key may be a moment
    /// old; says whether it succeeded.
    ///
    /// However many ask, there is one look at a time and one every 10 ms.
    pub(crate) async fn look_again(&self) -> bool {
        let asked_at = Instant::now();
        let mut reader = self.reader.lock().await;
        if let Some(began_at) = reader.began_at {
            if began_at >= asked_at {
                // A look that failed has left no connection behind.
                return reader.conn.is_some();
            }
            tokio::time::sleep_until(began_at + SPACING).await;
        }
        self.look(&mut reader).await.is_ok()
    }

    pub(crate) fn forget_expired(&self) {
        self.directory.write().forget_expired(self.clock.now());
    }

    fn is_fresh(&self) -> bool {
        let looked_at = Duration::from_nanos(self.looked_at.load(Ordering::Acquire));
        self.clock.monotonic().saturating_sub(looked_at) <= MAX_STALE && self.generation() != NEVER
    }

    async fn look(&self, reader: &mut Reader) -> Result<(), IdentityError> {
        reader.began_at = Some(Instant::now());
        let looked_at = self.clock.monotonic();
        // Taken out, so that a connection that failed, or a look that was cancelled, leaves none behind.
        let mut conn = match reader.conn.take() {
            Some(conn) => conn,
            None => self.db.connect().await?,
        };
        let seen = Some(self.generation()).filter(|seen| *seen != NEVER);
        if let Some(changes) = Changes::read(&mut conn, seen).await? {
            let generation = changes.generation;
            self.directory.write().apply(changes);
            self.generation.store(generation, Ordering::Release);
        }
        reader.conn = Some(conn);
        let nanos = u64::try_from(looked_at.as_nanos()).unwrap_or(u64::MAX);
        self.looked_at.store(nanos, Ordering::Release);
        Ok(())
    }
}
