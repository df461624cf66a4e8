//! The data keys of what is there, which tell true grants from others. Whoever has the key encryption key is
//! asked before a change begins, so it is looked afterwards whether the versions are still the same.

use std::collections::BTreeMap;

use systemprompt_core::id::{SecretName, TenantId};

use super::{Change, number};
use crate::seal::{Unopened, VersionKey};
use crate::store::{GrantFacts, TaggedRow, WrappedRow, on};
use crate::{Custody, CustodyError};

/// How often a change is begun anew because there are other versions meanwhile; each time somebody else has
/// made one.
pub(super) const ATTEMPTS: usize = 32;

/// Data keys by the number of their version.
pub(super) type VersionKeys = BTreeMap<i64, VersionKey>;

impl Custody {
    /// The data keys of the versions of a secret that are not retired: the `most` newest.
    pub(super) async fn version_keys(
        &self,
        (tenant, name): (&TenantId, &SecretName),
        most: usize,
    ) -> Result<VersionKeys, CustodyError> {
        let mut reading = self.parts().database.begin().await?;
        let rows: Vec<WrappedRow> =
            on!(reading.driver(), wrapped_of((tenant.as_str(), name.as_str())));
        drop(reading);
        let mut keys = VersionKeys::new();
        for row in rows.into_iter().rev().take(most) {
            let key = VersionKey::unwrap(&*self.parts().encryption, &row.wrapped_dek).await;
            let version = number(row.version)?;
            let key = key.map_err(|error| match error {
                Unopened::Key(error) => CustodyError::Key(error),
                Unopened::Damaged => CustodyError::Damaged { name: name.clone(), version },
            })?;
            keys.insert(row.version, key);
        }
        Ok(keys)
    }

    /// The versions of a secret that are not retired, oldest first.
    pub(super) async fn versions_now(
        &self,
        change: &mut Change<'_>,
        (tenant, name): (&TenantId, &SecretName),
    ) -> Result<Vec<i64>, CustodyError> {
        Ok(on!(change.transaction.driver(), active_versions(tenant.as_str(), name.as_str())))
    }

    /// The grants of a secret that are in force, and whether each was made here and covers `version`.
    pub(super) async fn judged(
        &self,
        change: &mut Change<'_>,
        named: (&str, &str),
        version: i64,
        key: &VersionKey,
    ) -> Result<Vec<(TaggedRow, bool)>, CustodyError> {
        let rows: Vec<TaggedRow> = on!(change.transaction.driver(), tagged(named, version));
        let version = number(version)?;
        let judge = |row: TaggedRow| {
            let tag = row.tag.as_deref();
            let made_here = tag.is_some_and(|tag| key.is_tag(version, &row.facts(named), tag));
            (row, made_here)
        };
        Ok(rows.into_iter().map(judge).collect())
    }

    /// Makes a grant cover a version.
    pub(super) async fn cover(
        &self,
        change: &mut Change<'_>,
        grant: &GrantFacts<'_>,
        version: i64,
        key: &VersionKey,
    ) -> Result<(), CustodyError> {
        let tag = key.tag(number(version)?, grant).ok_or(CustodyError::Encryption)?;
        on!(change.transaction.driver(), add_tag(grant.id, version, &tag));
        Ok(())
    }
}
