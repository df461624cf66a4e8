use serde_json::json;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{SecretName, TenantId};

use crate::store::on;
use crate::{Actor, Custody, CustodyError, Grant};

/// What went with a secret that was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Versions that were deleted.
    pub versions: u64,
    /// Grants that were revoked.
    pub grants: u64,
}

impl Custody {
    /// Revokes a grant. What was handed out before stays where it is.
    ///
    /// # Errors
    /// [`CustodyError::NotGranted`] when there is no such grant, a failing log or database.
    pub async fn revoke_grant(&self, grant: &Grant, actor: Actor<'_>) -> Result<(), CustodyError> {
        let mut change = self.begin(EventKind::SecretRevoked, &actor).await?;
        self.hold(&mut change, (&grant.tenant, &grant.name)).await?;
        let now = self.now().as_micros();
        if !on!(change.transaction.driver(), revoke_grant(grant.key(), now)) {
            return Err(CustodyError::NotGranted { name: grant.name.clone() });
        }
        let named = (grant.tenant.as_str(), grant.name.as_str());
        on!(change.transaction.driver(), delete_tags(named));
        let mut detail = grant.detail();
        if let Some(members) = detail.as_object_mut() {
            members.insert("revoked".to_owned(), "grant".into());
        }
        self.commit(change, detail).await
    }

    /// Revokes a secret: all its versions are deleted, and all its grants end. The name may be taken again.
    ///
    /// # Errors
    /// [`CustodyError::Unknown`], [`CustodyError::Revoked`], a failing log or database.
    pub async fn revoke(
        &self,
        tenant: &TenantId,
        name: &SecretName,
        actor: Actor<'_>,
    ) -> Result<Revoked, CustodyError> {
        let mut change = self.begin(EventKind::SecretRevoked, &actor).await?;
        let (named, now) = ((tenant.as_str(), name.as_str()), self.now().as_micros());
        if !on!(change.transaction.driver(), revoke_secret(named, now)) {
            return Err(self.missing(&mut change, (tenant, name)).await?);
        }
        let versions: u64 = on!(change.transaction.driver(), retire(named, None, now));
        let grants: u64 = on!(change.transaction.driver(), revoke_grants(named, now));
        on!(change.transaction.driver(), delete_tags(named));
        let detail = json!({
            "tenant": tenant, "name": name, "revoked": "secret", "versions": versions,
            "grants": grants,
        });
        self.commit(change, detail).await?;
        Ok(Revoked { versions, grants })
    }
}
