use serde_json::json;
use systemprompt_core::encryption::KeyEncryptionError;
use systemprompt_core::event::EventKind;

use crate::store::{WrappedRow, on};
use crate::{Actor, Custody, CustodyError};

/// Data keys that are encrypted anew together.
const AT_ONCE: i64 = 100;

/// What became of the data keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Those that were encrypted anew.
    pub keys: u64,
    /// Those that were encrypted by the current key before.
    pub current: u64,
    /// Those that somebody else has changed or deleted meanwhile.
    pub left: u64,
}

impl Custody {
    /// Encrypts every data key anew, by the current key encryption key. No value changes.
    ///
    /// A hundred at a time, each with its event: what was done stays done when it ends early, and repeating
    /// it goes on where it can be told how far it came ([`KeyEncryption::is_current`]).
    ///
    /// [`KeyEncryption::is_current`]: systemprompt_core::encryption::KeyEncryption::is_current
    ///
    /// # Errors
    /// [`CustodyError`] when a key could not be decrypted or encrypted, or the log or the database failed.
    pub async fn rewrap(&self, actor: Actor<'_>) -> Result<Rewrapped, CustodyError> {
        let encryption = &*self.parts().encryption;
        let mut done = Rewrapped::default();
        let mut last = (String::new(), String::new(), 0);
        loop {
            let rows = self.wrapped_after((&last.0, &last.1, last.2)).await?;
            let Some(end) = rows.last() else { return Ok(done) };
            last = (end.tenant_id.clone(), end.name.clone(), end.version);
            let mut renewed = Vec::new();
            for row in rows {
                if encryption.is_current(&row.wrapped_dek) {
                    done.current += 1;
                    continue;
                }
                let key = encryption.unwrap(&row.wrapped_dek).await?;
                renewed.push((encryption.wrap(&key).await?, row));
            }
            if !renewed.is_empty() {
                let (keys, left) = self.replace(&renewed, actor).await?;
                done.keys += keys;
                done.left += left;
            }
        }
    }

    async fn wrapped_after(&self, at: (&str, &str, i64)) -> Result<Vec<WrappedRow>, CustodyError> {
        let mut reading = self.parts().database.begin().await?;
        Ok(on!(reading.driver(), wrapped_after(at, AT_ONCE)))
    }

    async fn replace(
        &self,
        renewed: &[(String, WrappedRow)],
        actor: Actor<'_>,
    ) -> Result<(u64, u64), CustodyError> {
        let mut change = self.begin(EventKind::SecretRewrapped, &actor).await?;
        let (mut keys, mut left) = (0_u64, 0_u64);
        for (wrapped, row) in renewed {
            let changed: bool = on!(change.transaction.driver(), rewrap(row, wrapped));
            if changed { keys += 1 } else { left += 1 }
        }
        self.commit(change, json!({ "keys": keys, "left": left })).await?;
        Ok((keys, left))
    }

    /// Whether the key encryption key is the one that the newest secret was encrypted with. `Ok` also when
    /// there is no secret.
    ///
    /// # Errors
    /// [`CustodyError::Key`] when it is another, or cannot be asked; a failing database.
    pub async fn check_key(&self) -> Result<(), CustodyError> {
        let mut reading = self.parts().database.begin().await?;
        let newest: Option<String> = on!(reading.driver(), newest_wrapped());
        drop(reading);
        let Some(wrapped) = newest else { return Ok(()) };
        let unwrapped: Result<_, KeyEncryptionError> =
            self.parts().encryption.unwrap(&wrapped).await;
        unwrapped.map(|_| ()).map_err(CustodyError::Key)
    }
}
