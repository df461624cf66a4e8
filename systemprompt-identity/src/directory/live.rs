use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use systemprompt_core::clock::Clock;
use systemprompt_core::database::{DbConnection, DbPool};
use systemprompt_core::id::{TenantId, UserId};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, timeout};

use super::load::Changes;
use super::{Directory, KeyRecord, UserRecord};
use crate::error::IdentityError;

/// Longest time without a look at the store before nothing is verified any more without one; a
/// revocation takes effect within a second.
const MAX_STALE: Duration = Duration::from_millis(900);
/// Shortest time between two looks that unknown keys ask for.
const SPACING: Duration = Duration::from_millis(10);
/// Longest look at the store. A server that cannot be reached any more does not say so.
const MAX_LOOK: Duration = Duration::from_secs(3);
/// The generation of a directory that was never loaded.
const NEVER: i64 = -1;

/// The directory, kept up to date with the store. Cloning is a reference count.
#[derive(Clone)]
pub(crate) struct LiveDirectory(Arc<Inner>);

struct Inner {
    db: DbPool,
    clock: Arc<dyn Clock>,
    directory: RwLock<Directory>,
    generation: AtomicI64,
    /// Monotonic nanoseconds of the last successful look.
    looked_at: AtomicU64,
    reader: Arc<Mutex<Reader>>,
}

/// What looks at the store: a warm connection of its own, so that it never waits for the pool.
#[derive(Default)]
struct Reader {
    conn: Option<DbConnection>,
    began_at: Option<Instant>,
}

impl LiveDirectory {
    /// Loads the directory.
    pub(crate) async fn load(db: DbPool, clock: Arc<dyn Clock>) -> Result<Self, IdentityError> {
        let live = Self(Arc::new(Inner {
            db,
            clock,
            directory: RwLock::default(),
            generation: AtomicI64::new(NEVER),
            looked_at: AtomicU64::new(0),
            reader: Arc::default(),
        }));
        live.refresh().await?;
        Ok(live)
    }

    /// The generation of the store that the directory shows.
    pub(crate) fn generation(&self) -> i64 {
        self.0.generation()
    }

    pub(crate) fn key(&self, id: &str) -> Option<Arc<KeyRecord>> {
        self.0.directory.read().key(id)
    }

    pub(crate) fn user(&self, tenant: &TenantId, user: &UserId) -> Option<Arc<UserRecord>> {
        self.0.directory.read().user(tenant, user)
    }

    pub(crate) fn is_revoked(&self, issuer: &str, jti: &str) -> bool {
        self.0.directory.read().is_revoked(issuer, jti)
    }

    /// Looks at the store now.
    pub(crate) async fn refresh(&self) -> Result<(), IdentityError> {
        let reader = self.0.reader.clone().lock_owned().await;
        self.look(reader, None).await
    }

    /// Whether somebody has looked at the store less than a second ago, or can look now.
    pub(crate) async fn ensure_fresh(&self) -> bool {
        self.0.is_fresh() || self.look_again().await
    }

    /// Takes part in a look at the store that begins after this call, because a key may be a moment
    /// old; says whether it succeeded.
    ///
    /// However many ask, there is one look at a time and one every 10 ms.
    pub(crate) async fn look_again(&self) -> bool {
        let asked_at = Instant::now();
        let reader = self.0.reader.clone().lock_owned().await;
        let mut not_before = None;
        if let Some(began_at) = reader.began_at {
            if began_at >= asked_at {
                // A look that failed has left no connection behind.
                return reader.conn.is_some();
            }
            not_before = Some(began_at + SPACING);
        }
        self.look(reader, not_before).await.is_ok()
    }

    /// Closes the connection that looks at the store.
    pub(crate) async fn close(&self) {
        let conn = self.0.reader.lock().await.conn.take();
        if let Some(conn) = conn
            && let Err(error) = conn.close().await
        {
            tracing::debug!(%error, "the connection to the identity store did not close cleanly");
        }
    }

    pub(crate) fn forget_expired(&self) {
        self.0.directory.write().forget_expired(self.0.clock.now());
    }

    /// Looks at the store, as a task of its own, so that a caller who goes away does not stop it for
    /// those who wait for it.
    async fn look(
        &self,
        mut reader: OwnedMutexGuard<Reader>,
        not_before: Option<Instant>,
    ) -> Result<(), IdentityError> {
        let inner = self.0.clone();
        let task = tokio::spawn(async move {
            if let Some(instant) = not_before {
                tokio::time::sleep_until(instant).await;
            }
            // It has taken the connection, which ends with it.
            match timeout(MAX_LOOK, inner.look(&mut reader)).await {
                Ok(looked) => looked,
                Err(_) => Err(IdentityError::Interrupted),
            }
        });
        // It ends early only with the runtime.
        task.await.unwrap_or(Err(IdentityError::Interrupted))
    }
}

impl Inner {
    fn generation(&self) -> i64 {
        self.generation.load(Ordering::Acquire)
    }

    fn is_fresh(&self) -> bool {
        let looked_at = Duration::from_nanos(self.looked_at.load(Ordering::Acquire));
        self.clock.monotonic().saturating_sub(looked_at) <= MAX_STALE && self.generation() != NEVER
    }

    async fn look(&self, reader: &mut Reader) -> Result<(), IdentityError> {
        reader.began_at = Some(Instant::now());
        let looked_at = self.clock.monotonic();
        // Taken out, so that a connection that failed leaves none behind.
        let mut conn = match reader.conn.take() {
            Some(conn) => conn,
            None => self.db.connect().await?,
        };
        let seen = Some(self.generation()).filter(|seen| *seen != NEVER);
        if let Some(changes) = Changes::read(&mut conn, seen).await? {
            let generation = changes.generation;
            changes.report_unreadable();
            self.directory.write().apply(changes);
            self.generation.store(generation, Ordering::Release);
        }
        reader.conn = Some(conn);
        let nanos = u64::try_from(looked_at.as_nanos()).unwrap_or(u64::MAX);
        self.looked_at.store(nanos, Ordering::Release);
        Ok(())
    }
}
