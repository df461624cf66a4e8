//! Handing values out.

use async_trait::async_trait;
use serde_json::Value as Json;
use systemprompt_core::contract::{OpenSecret, SecretStore, SecretStoreError, SecretUse, Sink};
use systemprompt_core::encryption::KeyEncryptionError;
use systemprompt_core::event::EventKind;
use systemprompt_core::secret::Secret;

use crate::seal::{Of, Unopened, VersionKey};
use crate::store::{GrantKey, UseRow, on};
use crate::value::{ValueError, check_for_headers};
use crate::{Custody, CustodyError, Place, record};

/// A value is read anew for every use: nothing that was revoked is handed out because somebody remembered it.
#[async_trait]
impl SecretStore for Custody {
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError> {
        match self.value(usage).await {
            Ok((version, value)) => {
                self.record(EventKind::SecretUsed, usage, ("version", version.into())).await?;
                self.note_use(usage);
                Ok(OpenSecret { name: usage.name.clone(), version, value })
            }
            Err(refusal) => {
                let reason = Json::from(refusal.code());
                self.record(EventKind::SecretDenied, usage, ("reason", reason)).await?;
                Err(refusal.into_error(usage))
            }
        }
    }
}

/// Why a value is not handed out.
enum Refusal {
    OtherTenant,
    Unknown,
    Revoked,
    NotGranted,
    ForgedGrant,
    UnknownVersion,
    Damaged,
    Unfit(ValueError),
    Key(KeyEncryptionError),
    Store(CustodyError),
}

impl Custody {
    async fn value(&self, usage: SecretUse<'_>) -> Result<(u32, Secret<String>), Refusal> {
        // Nobody's call opens a secret of somebody else, whatever is asked for in its name.
        if usage.call.is_some_and(|call| call.principal().tenant() != usage.tenant) {
            return Err(Refusal::OtherTenant);
        }
        let place = Place::of(usage.sink);
        let (tenant, name) = (usage.tenant.as_str(), usage.name.as_str());
        let key = GrantKey::new(tenant, name, usage.server.as_str(), place.sink());
        let row = self.read(key, usage.version).await.map_err(Refusal::Store)?;
        let row = row.ok_or(Refusal::Unknown)?;
        if row.revoked_at.is_some() {
            return Err(Refusal::Revoked);
        }
        let grant = row.grant(key).ok_or(Refusal::NotGranted)?;
        let (version, sealed) = row.sealed().ok_or(Refusal::UnknownVersion)?;
        let sealed = sealed.ok_or(Refusal::Damaged)?;
        let unopened = |error| match error {
            Unopened::Key(error) => Refusal::Key(error),
            Unopened::Damaged => Refusal::Damaged,
        };
        let data_key = VersionKey::unwrap(&*self.parts().encryption, &sealed.wrapped_dek).await;
        let data_key = data_key.map_err(unopened)?;
        // The value first: a data key that opens it is that of the version, and tells of its grants.
        let value = data_key.open(Of { tenant, name, version }, sealed).map_err(unopened)?;
        if !row.tag.as_deref().is_some_and(|tag| data_key.is_tag(version, &grant, tag)) {
            return Err(Refusal::ForgedGrant);
        }
        if let Sink::Header { .. } = usage.sink {
            check_for_headers(&value).map_err(Refusal::Unfit)?;
        }
        Ok((version, value))
    }

    async fn read(
        &self,
        key: GrantKey<'_>,
        version: Option<u32>,
    ) -> Result<Option<UseRow>, CustodyError> {
        let mut reading = self.parts().database.begin().await?;
        Ok(on!(reading.driver(), of_use(key, version.map(i64::from))))
    }

    async fn record(
        &self,
        kind: EventKind,
        usage: SecretUse<'_>,
        more: (&'static str, Json),
    ) -> Result<(), SecretStoreError> {
        let event = record::of_use(&*self.parts().redact, kind, usage, self.now(), more);
        self.parts().uses.append(event).await.map_err(|error| {
            SecretStoreError::Unavailable(format!("the use could not be recorded: {error}"))
        })
    }
}

impl Refusal {
    /// The stable name in the record.
    fn code(&self) -> &'static str {
        match self {
            Self::OtherTenant => "other_tenant",
            Self::Unknown => "unknown",
            Self::Revoked => "revoked",
            Self::NotGranted => "not_granted",
            Self::ForgedGrant => "forged_grant",
            Self::UnknownVersion => "unknown_version",
            Self::Damaged => "damaged",
            Self::Unfit(_) => "unfit",
            Self::Key(KeyEncryptionError::Foreign) => "foreign_key",
            Self::Key(_) => "key_unavailable",
            Self::Store(_) => "store_unavailable",
        }
    }

    fn into_error(self, usage: SecretUse<'_>) -> SecretStoreError {
        let name = || usage.name.to_string();
        match self {
            Self::Unknown | Self::Revoked => SecretStoreError::Unknown(name()),
            Self::UnknownVersion => match usage.version {
                Some(version) => SecretStoreError::Unknown(format!("{}@{version}", usage.name)),
                None => SecretStoreError::Unknown(name()),
            },
            Self::OtherTenant | Self::NotGranted => SecretStoreError::NotGranted {
                name: name(),
                server: usage.server.to_string(),
                sink: usage.sink.to_string(),
            },
            Self::ForgedGrant => SecretStoreError::ForgedGrant {
                name: name(),
                server: usage.server.to_string(),
                sink: usage.sink.to_string(),
            },
            Self::Unfit(why) => SecretStoreError::Unfit {
                name: name(),
                sink: usage.sink.to_string(),
                why: why.to_string(),
            },
            Self::Damaged => SecretStoreError::Unavailable(format!(
                "what is stored of the secret `{}` was changed, or moved there",
                usage.name
            )),
            Self::Key(error) => SecretStoreError::Unavailable(error.to_string()),
            Self::Store(error) => SecretStoreError::Unavailable(error.to_string()),
        }
    }
}
