use serde_json::{Value as Json, json};
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{EventId, SecretName, ServerName, TenantId};

use super::Change;
use super::keys::{ATTEMPTS, VersionKeys};
use crate::seal::{Of, Unopened, VersionKey};
use crate::store::{GrantFacts, GrantKey, TaggedRow, UseRow, on};
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
    /// [`CustodyError::Unknown`], [`CustodyError::Revoked`], [`CustodyError::AlreadyGranted`], a place where
    /// injection puts nothing, a value that a header cannot hold, a failing key, log or database.
    pub async fn grant(&self, grant: &Grant, actor: Actor<'_>) -> Result<(), CustodyError> {
        grant.place.check_injectable()?;
        if let Place::Header { .. } = grant.place {
            self.check_newest_for_headers(grant).await?;
        }
        for _ in 0..ATTEMPTS {
            let keys = self.version_keys((&grant.tenant, &grant.name), usize::MAX).await?;
            if self.grant_versions(grant, &keys, actor).await? {
                return Ok(());
            }
        }
        Err(CustodyError::Changing { name: grant.name.clone() })
    }

    /// Makes a grant of all versions of a secret; `false` when there are others than `keys` are of.
    async fn grant_versions(
        &self,
        grant: &Grant,
        keys: &VersionKeys,
        actor: Actor<'_>,
    ) -> Result<bool, CustodyError> {
        let Grant { tenant, name, .. } = grant;
        let mut change = self.begin(EventKind::SecretGranted, &actor).await?;
        self.hold(&mut change, (tenant, name)).await?;
        if !self.versions_now(&mut change, (tenant, name)).await?.iter().eq(keys.keys()) {
            return Ok(false);
        }
        let (id, now, by) = (EventId::generate().to_string(), self.now().as_micros(), change.by);
        let facts = GrantFacts { id: &id, key: grant.key(), created_at: now, created_by: by };
        if !on!(change.transaction.driver(), add_grant(&facts)) {
            self.end_forged(&mut change, grant, keys).await?;
            if !on!(change.transaction.driver(), add_grant(&facts)) {
                return Err(CustodyError::AlreadyGranted { name: name.clone() });
            }
        }
        for (&version, key) in keys {
            self.cover(&mut change, &facts, version, key).await?;
        }
        self.commit(change, grant.detail()).await?;
        Ok(true)
    }

    /// Ends what stands where `grant` is to be made, if it does not cover the newest version.
    async fn end_forged(
        &self,
        change: &mut Change<'_>,
        grant: &Grant,
        keys: &VersionKeys,
    ) -> Result<(), CustodyError> {
        let Some((&version, key)) = keys.last_key_value() else { return Ok(()) };
        let named = (grant.tenant.as_str(), grant.name.as_str());
        let judged = self.judged(change, named, version, key).await?;
        let stands = |row: &TaggedRow| row.facts(named).key == grant.key();
        if judged.iter().any(|(row, made_here)| stands(row) && !made_here) {
            let _: bool =
                on!(change.transaction.driver(), revoke_grant(grant.key(), self.now().as_micros()));
            on!(change.transaction.driver(), delete_tags(named));
        }
        Ok(())
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
        let unopened = |error| match error {
            Unopened::Key(error) => CustodyError::Key(error),
            Unopened::Damaged => damaged(),
        };
        let key = VersionKey::unwrap(&*self.parts().encryption, &sealed.wrapped_dek).await;
        let of = Of { tenant: tenant.as_str(), name: name.as_str(), version };
        let value = key.and_then(|key| key.open(of, sealed)).map_err(unopened)?;
        Ok(check_for_headers(&value)?)
    }
}
