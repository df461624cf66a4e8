use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{SecretName, ServerName, TenantId};

use crate::store::{GrantRow, SecretRow, VersionRow, on};
use crate::{Custody, CustodyError, Place};

/// A secret as it is listed; its value is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is called.
    pub name: SecretName,
    /// What it is for.
    pub description: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was last handed out, if ever: a note that may be a minute behind the audit log.
    pub last_used_at: Option<Timestamp>,
    /// Its versions, oldest first.
    pub versions: Vec<VersionInfo>,
    /// Its grants that are in force.
    pub grants: Vec<GrantInfo>,
}

/// A version as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionInfo {
    /// Its number.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// When it was retired.
    pub retired_at: Option<Timestamp>,
}

/// A grant as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantInfo {
    /// The server that gets the secret.
    pub server: ServerName,
    /// Where it is put.
    pub place: Place,
    /// When it was granted.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

const SECRETS: CustodyError = CustodyError::Corrupt { table: "secrets" };
const VERSIONS: CustodyError = CustodyError::Corrupt { table: "secret_versions" };
const GRANTS: CustodyError = CustodyError::Corrupt { table: "secret_grants" };

impl Custody {
    /// All secrets, by tenant and name; of one tenant if one is named.
    ///
    /// # Errors
    /// A failing database, or a row that cannot be read.
    pub async fn secrets(
        &self,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<SecretInfo>, CustodyError> {
        let tenant = tenant.map(TenantId::as_str);
        let mut reading = self.parts().database.begin().await?;
        let secrets: Vec<SecretRow> = on!(reading.driver(), secrets(tenant));
        let versions: Vec<VersionRow> = on!(reading.driver(), versions(tenant));
        let grants: Vec<GrantRow> = on!(reading.driver(), grants(tenant));
        drop(reading);
        let (mut versions, mut grants) =
            (versions.into_iter().peekable(), grants.into_iter().peekable());
        secrets
            .into_iter()
            .map(|secret| {
                let of = |tenant: &str, name: &str| {
                    (tenant, name) == (&*secret.tenant_id, &*secret.name)
                };
                let versions =
                    std::iter::from_fn(|| versions.next_if(|row| of(&row.tenant_id, &row.name)));
                let versions = versions.map(version).collect::<Result<_, _>>()?;
                let grants =
                    std::iter::from_fn(|| grants.next_if(|row| of(&row.tenant_id, &row.name)));
                let grants = grants.map(grant).collect::<Result<_, _>>()?;
                Ok(SecretInfo {
                    tenant: TenantId::parse(&secret.tenant_id).map_err(|_| SECRETS)?,
                    name: SecretName::parse(&secret.name).map_err(|_| SECRETS)?,
                    description: secret.description.clone(),
                    created_at: Timestamp::from_micros(secret.created_at),
                    created_by: secret.created_by.clone(),
                    revoked_at: secret.revoked_at.map(Timestamp::from_micros),
                    last_used_at: secret.last_used_at.map(Timestamp::from_micros),
                    versions,
                    grants,
                })
            })
            .collect()
    }
}

fn version(row: VersionRow) -> Result<VersionInfo, CustodyError> {
    Ok(VersionInfo {
        version: u32::try_from(row.version).map_err(|_| VERSIONS)?,
        created_at: Timestamp::from_micros(row.created_at),
        created_by: row.created_by,
        retired_at: row.retired_at.map(Timestamp::from_micros),
    })
}

fn grant(row: GrantRow) -> Result<GrantInfo, CustodyError> {
    let place = match (row.sink.as_str(), row.target, row.field) {
        ("header", Some(host), header) => Place::Header { host, header },
        ("env", None, variable) => Place::Env { variable },
        ("argument", Some(tool), argument) => Place::Argument { tool, argument },
        _ => return Err(GRANTS),
    };
    Ok(GrantInfo {
        server: ServerName::parse(&row.server).map_err(|_| GRANTS)?,
        place,
        created_at: Timestamp::from_micros(row.created_at),
        created_by: row.created_by,
    })
}
