//! Notes when secrets were last used, for those who look which of them nobody needs any more.

use std::collections::HashMap;

use parking_lot::Mutex;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::SecretUse;
use systemprompt_core::id::{SecretName, TenantId};

use crate::store::on;
use crate::{Custody, CustodyError};

/// A use is not noted when one was less than this before it, in microseconds: a note costs a write.
const INTERVAL: u64 = 60_000_000;

/// When each secret was last noted as used, by this process.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<HashMap<(TenantId, SecretName), Timestamp>>);

impl LastUses {
    /// Whether a use is to be noted; if so, it counts as noted from here on.
    fn due(&self, usage: SecretUse<'_>, now: Timestamp) -> bool {
        let secret = (usage.tenant.clone(), usage.name.clone());
        let mut noted = self.0.lock();
        let last = noted.get(&secret).copied();
        // A clock that was set back is believed.
        let due = last.is_none_or(|last| last.as_micros().abs_diff(now.as_micros()) >= INTERVAL);
        if due {
            noted.insert(secret, now);
        }
        due
    }
}

impl Custody {
    /// Notes a use. Nobody waits for it: the audit log has it already.
    pub(crate) fn note_use(&self, usage: SecretUse<'_>) {
        let now = self.now();
        if !self.last_uses().due(usage, now) {
            return;
        }
        let (custody, tenant, name) = (self.clone(), usage.tenant.clone(), usage.name.clone());
        tokio::spawn(async move {
            if let Err(error) = custody.write_use(&tenant, &name, now).await {
                tracing::debug!("the use of a secret is not shown in its list: {error}");
            }
        });
    }

    async fn write_use(
        &self,
        tenant: &TenantId,
        name: &SecretName,
        now: Timestamp,
    ) -> Result<(), CustodyError> {
        let mut writing = self.parts().database.begin_write().await?;
        on!(writing.driver(), note_use((tenant.as_str(), name.as_str()), now.as_micros()));
        Ok(writing.commit().await?)
    }
}
