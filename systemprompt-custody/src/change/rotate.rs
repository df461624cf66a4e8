use serde_json::json;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_core::secret::Secret;

use super::keys::{ATTEMPTS, VersionKeys};
use super::number;
use crate::seal::FreshKey;
use crate::store::on;
use crate::{Actor, Custody, CustodyError, value};

impl Custody {
    /// Gives a secret a new value and returns its version. What asks for no version gets the new one from
    /// here on; the versions before it can be asked for until they are retired.
    ///
    /// # Errors
    /// [`CustodyError::Unknown`], [`CustodyError::Revoked`], a value that cannot be kept or not be put where
    /// the secret is granted to, a failing key, log or database.
    pub async fn rotate(
        &self,
        tenant: &TenantId,
        name: &SecretName,
        value: &Secret<String>,
        actor: Actor<'_>,
    ) -> Result<u32, CustodyError> {
        value::check_value(value)?;
        for _ in 0..ATTEMPTS {
            let before = self.version_keys((tenant, name), 1).await?;
            if let Some(version) = self.rotate_from(&before, (tenant, name), value, actor).await? {
                return Ok(version);
            }
        }
        Err(CustodyError::Changing { name: name.clone() })
    }

    /// Adds a version, which the grants of the one before it cover; `None` when `before` is not that one.
    async fn rotate_from(
        &self,
        before: &VersionKeys,
        (tenant, name): (&TenantId, &SecretName),
        value: &Secret<String>,
        actor: Actor<'_>,
    ) -> Result<Option<u32>, CustodyError> {
        let key = FreshKey::generate(&*self.parts().encryption).await?;
        let mut change = self.begin(EventKind::SecretRotated, &actor).await?;
        // Whoever rotates at the same time waits here.
        let next: Option<i64> =
            on!(change.transaction.driver(), next_version(tenant.as_str(), name.as_str()));
        let Some(next) = next else { return Err(self.missing(&mut change, (tenant, name)).await?) };
        if on!(change.transaction.driver(), is_header(tenant.as_str(), name.as_str())) {
            value::check_for_headers(value)?;
        }
        let newest = self.versions_now(&mut change, (tenant, name)).await?.pop();
        if newest != before.keys().next_back().copied() {
            return Ok(None);
        }
        let key = self.add_version(&mut change, (tenant, name, next), key, value).await?;
        let named = (tenant.as_str(), name.as_str());
        if let Some((&version, known)) = before.last_key_value() {
            for (row, made_here) in self.judged(&mut change, named, version, known).await? {
                if made_here {
                    self.cover(&mut change, &row.facts(named), next, &key).await?;
                }
            }
        }
        let version = number(next)?;
        let detail = json!({ "tenant": tenant, "name": name, "version": version });
        self.commit(change, detail).await?;
        Ok(Some(version))
    }

    /// Deletes one version of a secret: its data key and what was encrypted with it.
    ///
    /// # Errors
    /// [`CustodyError::UnknownVersion`] when there is none or it was retired before,
    /// [`CustodyError::LastVersion`] when no other is left, a failing log or database.
    pub async fn retire(
        &self,
        tenant: &TenantId,
        name: &SecretName,
        version: u32,
        actor: Actor<'_>,
    ) -> Result<(), CustodyError> {
        let mut change = self.begin(EventKind::SecretRotated, &actor).await?;
        self.hold(&mut change, (tenant, name)).await?;
        let named = (tenant.as_str(), name.as_str());
        let active = self.versions_now(&mut change, (tenant, name)).await?;
        let number = i64::from(version);
        if !active.contains(&number) {
            return Err(CustodyError::UnknownVersion { name: name.clone(), version });
        }
        if active.len() == 1 {
            return Err(CustodyError::LastVersion { name: name.clone(), version });
        }
        let now = self.now().as_micros();
        let _: u64 = on!(change.transaction.driver(), retire(named, Some(number), now));
        let detail = json!({ "tenant": tenant, "name": name, "retired": version });
        self.commit(change, detail).await
    }
}
