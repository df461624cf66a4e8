use serde_json::json;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_core::secret::Secret;

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
        let key = FreshKey::generate(&*self.parts().encryption).await?;
        let mut change = self.begin(EventKind::SecretRotated, &actor).await?;
        // Whoever rotates at the same time waits here.
        let next: Option<i64> =
            on!(change.transaction.driver(), next_version(tenant.as_str(), name.as_str()));
        let Some(next) = next else { return Err(self.missing(&mut change, (tenant, name)).await?) };
        if on!(change.transaction.driver(), is_header(tenant.as_str(), name.as_str())) {
            value::check_for_headers(value)?;
        }
        let version = self.add_version(&mut change, (tenant, name, next), key, value).await?;
        let detail = json!({ "tenant": tenant, "name": name, "version": version });
        self.commit(change, detail).await?;
        Ok(version)
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
        let active: Vec<i64> = on!(change.transaction.driver(), active_versions(named.0, named.1));
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
