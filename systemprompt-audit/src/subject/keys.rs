use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::AuditError;
use systemprompt_core::database::DbPool;
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError};
use systemprompt_core::event::AuditEvent;

use super::cache::{Cache, Turn};
use super::{DataKey, Lends, Person, SubjectRow};
use crate::StoreError;
use crate::store::{over, pooled};

/// The data keys of the persons whose events are encrypted. Cloning is a reference count, and clones share
/// what is in memory: at most some ten thousand keys, those that were used last.
#[derive(Clone)]
pub struct SubjectKeys(Arc<Shared>);

struct Shared {
    encryption: Arc<dyn KeyEncryption>,
    cache: Mutex<Cache>,
    /// Held while a key is looked for that is not in memory, so that it is asked for once.
    looking: tokio::sync::Mutex<()>,
    /// How many erasures are known of.
    erasures: AtomicI64,
}

impl SubjectKeys {
    /// The keys that `encryption` protects.
    #[must_use]
    pub fn new(encryption: Arc<dyn KeyEncryption>) -> Self {
        Self(Arc::new(Shared {
            encryption,
            cache: Mutex::default(),
            looking: tokio::sync::Mutex::default(),
            erasures: AtomicI64::new(-1),
        }))
    }

    pub(super) fn encryption(&self) -> &dyn KeyEncryption {
        &*self.0.encryption
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a person; made, and durable, when there is none yet.
    pub(crate) async fn of(
        &self,
        pool: &DbPool,
        person: &Person,
        now: Timestamp,
    ) -> Result<Arc<DataKey>, AuditError> {
        if let Some(key) = self.cache().of_person(person) {
            return Ok(key);
        }
        let _looking = self.0.looking.lock().await;
        if let Some(key) = self.cache().of_person(person) {
            return Ok(key);
        }
        let turn = self.turn();
        let known: Option<SubjectRow> =
            pooled!(pool, subjects::of_person(person)).map_err(StoreError::from)?;
        let key = match known {
            Some(row) => self.restore(&row).await?,
            None => {
                let mut connection = pool.connect().await.map_err(StoreError::from)?;
                let made = self.make(&mut connection, person, now).await;
                connection.close().await.map_err(StoreError::from)?;
                made?
            }
        };
        let key = Arc::new(key);
        self.cache().keep_of(turn, &key);
        Ok(key)
    }

    /// Now, for those who read rows that they want the keys of.
    pub(super) fn turn(&self) -> Turn {
        self.cache().turn()
    }

    /// Makes ready the keys that `events` are encrypted with, so that
    /// [`append_sealed_in`](crate::append_sealed_in) asks nobody while its transaction holds the lock.
    ///
    /// # Errors
    /// [`AuditError`] when a key cannot be had.
    pub async fn prepare(&self, pool: &DbPool, events: &[AuditEvent]) -> Result<(), AuditError> {
        for event in events {
            if let Some(person) = Person::of(event) {
                self.of(pool, &person, event.occurred_at).await?;
            }
        }
        Ok(())
    }

    /// The key of a person, in a transaction of the caller, which makes it durable; not kept in memory.
    pub(crate) async fn of_in(
        &self,
        connection: &mut impl Lends,
        person: &Person,
        now: Timestamp,
    ) -> Result<Arc<DataKey>, AuditError> {
        let known: Option<SubjectRow> =
            over!(connection, subjects::of_person(person)).map_err(StoreError::from)?;
        let cached = known.as_ref().and_then(|row| self.cache().of_pseudonym(&row.pseudonym));
        match (known, cached) {
            (Some(row), Some(key)) if key.person == row.person() => Ok(key),
            (Some(row), _) => Ok(Arc::new(self.restore(&row).await?)),
            (None, _) => Ok(Arc::new(self.make(connection, person, now).await?)),
        }
    }

    async fn make(
        &self,
        connection: &mut impl Lends,
        person: &Person,
        now: Timestamp,
    ) -> Result<DataKey, AuditError> {
        let Some((key, whole)) = DataKey::generate(person.clone()) else {
            return Err(unavailable(&KeyEncryptionError::Foreign));
        };
        let wrapped = self.encryption().wrap(&whole).await.map_err(|error| unavailable(&error))?;
        let row = SubjectRow {
            pseudonym: key.pseudonym.to_string(),
            tenant_id: person.tenant.to_string(),
            user_id: person.user.to_string(),
            department: person.department.to_string(),
            wrapped_key: wrapped,
        };
        let now = now.as_micros();
        over!(connection, subjects::add(&row, now)).map_err(StoreError::from)?;
        let stored: Option<SubjectRow> =
            over!(connection, subjects::of_person(person)).map_err(StoreError::from)?;
        match stored {
            Some(stored) if stored.pseudonym == row.pseudonym => Ok(key),
            // Another replica was faster.
            Some(stored) => self.restore(&stored).await,
            None => Err(StoreError::Refused.into()),
        }
    }

    async fn restore(&self, row: &SubjectRow) -> Result<DataKey, AuditError> {
        self.unwrap(row).await.map_err(|error| unavailable(&error))
    }

    /// The key of a subject that was read after `turn` had begun.
    pub(super) async fn of_row(
        &self,
        row: &SubjectRow,
        turn: Turn,
    ) -> Result<Arc<DataKey>, KeyEncryptionError> {
        if let Some(key) = self.cache().of_pseudonym(&row.pseudonym)
            && key.person == row.person()
        {
            return Ok(key);
        }
        let key = Arc::new(self.unwrap(row).await?);
        self.cache().keep_of(turn, &key);
        Ok(key)
    }

    async fn unwrap(&self, row: &SubjectRow) -> Result<DataKey, KeyEncryptionError> {
        let whole = self.encryption().unwrap(&row.wrapped_key).await?;
        DataKey::restore(row.person(), &row.pseudonym, &whole).ok_or(KeyEncryptionError::Foreign)
    }

    /// Forgets the keys in memory if anybody was erased since the last time.
    pub(crate) async fn forget_erased(&self, pool: &DbPool) -> Result<(), StoreError> {
        let erased: i64 = pooled!(pool, subjects::erasures())?;
        if self.0.erasures.swap(erased, Relaxed) != erased {
            self.cache().clear();
        }
        Ok(())
    }
}

fn unavailable(error: &KeyEncryptionError) -> AuditError {
    AuditError::Unavailable(error.to_string())
}

impl fmt::Debug for SubjectKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKeys").finish_non_exhaustive()
    }
}
