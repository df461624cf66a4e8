use serde_json::{Value as Json, json};
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{EventId, SecretName, ServerName, TenantId};

use crate::seal::{self, Of, Unopened};
use crate::store::{GrantKey, NewGrantRow, UseRow, on};
use crate::value::check_for_headers;
use crate::{Actor, Custody, CustodyError, Place, record};

/// That a server gets a secret in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose secret it is.
    pub tenant: TenantId,
    /// Which one.
    pub name: SecretName,
    /// The server that gets it.
    pub server: ServerName,
    /// Where it is put.
    pub place: Place,
}

impl Grant {
    pub(super) fn key(&self) -> GrantKey<'_> {
        let (tenant, name) = (self.tenant.as_str(), self.name.as_str());
        GrantKey::new(tenant, name, self.server.as_str(), self.place.sink())
    }

    /// What the record says of it.
    pub(super) fn detail(&self) -> Json {
        json!({
            "tenant": self.tenant, "name": self.name, "server": self.server,
            "sink": record::sink(self.place.sink(), |text| text.into()),
        })
    }
}

impl Custody {
    /// Grants a secret to a server, in one place.
    ///
    /// # Errors
    /// [`CustodyError::Unknown`], [`CustodyError::Revoked`], [`CustodyError::AlreadyGranted`], a value that a
    /// header cannot hold, a failing key, log or database.
    pub async fn grant(&self, grant: &Grant, actor: Actor<'_>) -> Result<(), CustodyError> {
        let Grant { tenant, name, .. } = grant;
        if let Place::Header { .. } = grant.place {
            self.check_newest_for_headers(grant).await?;
        }
        let mut change = self.begin(EventKind::SecretGranted, &actor).await?;
        self.hold(&mut change, (tenant, name)).await?;
        let (id, now, by) = (EventId::generate().to_string(), self.now().as_micros(), change.by);
        let row = NewGrantRow { id: &id, key: grant.key(), now, by };
        if !on!(change.transaction.driver(), add_grant(&row)) {
            return Err(CustodyError::AlreadyGranted { name: name.clone() });
        }
        self.commit(change, grant.detail()).await
    }

    /// Whether the newest value can be put into a header, so that whoever grants it hears of it at once. It
    /// is looked at again when it is put there.
    async fn check_newest_for_headers(&self, grant: &Grant) -> Result<(), CustodyError> {
        let Grant { tenant, name, .. } = grant;
        let mut reading = self.parts().database.begin().await?;
        let row: Option<UseRow> = on!(reading.driver(), of_use(grant.key(), None));
        drop(reading);
        let Some(row) = row.filter(|row| row.revoked_at.is_none()) else { return Ok(()) };
        let corrupt = CustodyError::Corrupt { table: "secret_versions" };
        let (version, sealed) = row.sealed().ok_or(corrupt)?;
        let damaged = || CustodyError::Damaged { name: name.clone(), version };
        let sealed = sealed.ok_or_else(damaged)?;
        let of = Of { tenant: tenant.as_str(), name: name.as_str(), version };
        let opened = seal::open(&*self.parts().encryption, of, sealed).await;
        let value = opened.map_err(|error| match error {
            Unopened::Key(error) => CustodyError::Key(error),
            Unopened::Damaged => damaged(),
        })?;
        Ok(check_for_headers(&value)?)
    }
}
