use std::fmt;

use serde_json::json;
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_core::secret::Secret;

use super::number;
use crate::seal::FreshKey;
use crate::store::on;
use crate::{Actor, Custody, CustodyError, value};

/// Most bytes of a description.
const MAX_DESCRIPTION_BYTES: usize = 1000;

/// A secret to be taken into custody.
pub struct NewSecret {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called.
    pub name: SecretName,
    /// What it is for, in words; may be empty.
    pub description: String,
    /// The secret itself: text without NUL of at most [`MAX_VALUE_BYTES`](crate::MAX_VALUE_BYTES).
    pub value: Secret<String>,
}

impl Custody {
    /// Takes a secret into custody and returns its version: 1, or the next one when a secret of the name was
    /// revoked. Nothing is granted.
    ///
    /// # Errors
    /// [`CustodyError::Exists`] when there is one of that name; a value that cannot be kept, a failing key,
    /// log or database.
    pub async fn create(&self, new: &NewSecret, actor: Actor<'_>) -> Result<u32, CustodyError> {
        let NewSecret { tenant, name, description, value } = new;
        value::check_value(value)?;
        if description.len() > MAX_DESCRIPTION_BYTES || description.contains(char::is_control) {
            return Err(CustodyError::Description);
        }
        let key = FreshKey::generate(&*self.parts().encryption).await?;
        let mut change = self.begin(EventKind::SecretCreated, &actor).await?;
        let (named, now, by) =
            ((tenant.as_str(), name.as_str()), self.now().as_micros(), change.by);
        let added: Option<i64> =
            on!(change.transaction.driver(), add_secret(named, description, now, by));
        let version = added.ok_or_else(|| CustodyError::Exists { name: name.clone() })?;
        self.add_version(&mut change, (tenant, name, version), key, value).await?;
        let version = number(version)?;
        let detail = json!({ "tenant": tenant, "name": name, "version": version });
        self.commit(change, detail).await?;
        Ok(version)
    }
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSecret")
            .field("tenant", &self.tenant)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
