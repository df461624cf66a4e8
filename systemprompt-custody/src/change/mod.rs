//! What people do with secrets. The event of a change is in the transaction of the change.

mod create;
mod grant;
mod keys;
mod revoke;
mod rewrap;
mod rotate;

pub use create::NewSecret;
pub use grant::Grant;
pub use revoke::Revoked;
pub use rewrap::Rewrapped;

use serde_json::Value as Json;
use systemprompt_core::database::DbTransaction;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_core::secret::Secret;

use crate::seal::{ALG, FreshKey, Of, VersionKey};
use crate::store::{NewVersionRow, on};
use crate::{Actor, Custody, CustodyError, record};

/// A change that has begun, and who makes it.
struct Change<'a> {
    transaction: DbTransaction<'static>,
    kind: EventKind,
    actor: Actor<'a>,
    by: &'a str,
}

impl Custody {
    /// Begins a change of the kind by `actor`.
    async fn begin<'a>(
        &self,
        kind: EventKind,
        actor: &'a Actor<'a>,
    ) -> Result<Change<'a>, CustodyError> {
        let by = actor.name().ok_or(CustodyError::Actor)?;
        let about = record::of_change(kind, *actor, self.now(), Json::Null);
        self.parts().changes.prepare(&[about]).await?;
        let transaction = self.parts().database.begin_write().await?;
        Ok(Change { transaction, kind, actor: *actor, by })
    }

    /// Ends a change together with the event that reports it.
    async fn commit(&self, mut change: Change<'_>, detail: Json) -> Result<(), CustodyError> {
        let event = record::of_change(change.kind, change.actor, self.now(), detail);
        self.parts().changes.append_in(&mut change.transaction, vec![event]).await?;
        Ok(change.transaction.commit().await?)
    }

    /// Adds the value of a version, and returns its data key.
    async fn add_version(
        &self,
        change: &mut Change<'_>,
        (tenant, name, version): (&TenantId, &SecretName, i64),
        key: FreshKey,
        value: &Secret<String>,
    ) -> Result<VersionKey, CustodyError> {
        let number = number(version)?;
        let (tenant, name) = (tenant.as_str(), name.as_str());
        let sealed = key.seal(Of { tenant, name, version: number }, value);
        let (sealed, key) = sealed.ok_or(CustodyError::Encryption)?;
        let row = NewVersionRow {
            tenant,
            name,
            version,
            alg: ALG,
            wrapped_dek: &sealed.wrapped_dek,
            nonce: &sealed.nonce,
            ciphertext: &sealed.ciphertext,
            now: self.now().as_micros(),
            by: change.by,
        };
        on!(change.transaction.driver(), add_version(&row));
        Ok(key)
    }

    /// Why a secret could not be held: there is none, or it was revoked.
    async fn missing(
        &self,
        change: &mut Change<'_>,
        (tenant, name): (&TenantId, &SecretName),
    ) -> Result<CustodyError, CustodyError> {
        let found: Option<Option<i64>> =
            on!(change.transaction.driver(), revoked_at(tenant.as_str(), name.as_str()));
        Ok(match found {
            Some(_) => CustodyError::Revoked { name: name.clone() },
            None => CustodyError::Unknown { tenant: tenant.clone(), name: name.clone() },
        })
    }

    /// Keeps a secret as it is until the change ends.
    async fn hold(
        &self,
        change: &mut Change<'_>,
        (tenant, name): (&TenantId, &SecretName),
    ) -> Result<(), CustodyError> {
        if on!(change.transaction.driver(), hold(tenant.as_str(), name.as_str())) {
            return Ok(());
        }
        Err(self.missing(change, (tenant, name)).await?)
    }
}

/// The number of a version, as it is stored.
fn number(version: i64) -> Result<u32, CustodyError> {
    u32::try_from(version).map_err(|_| CustodyError::Corrupt { table: "secret_versions" })
}
