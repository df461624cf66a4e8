//! How values are kept in columns: instants as microseconds, sets as JSON arrays.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use systemprompt_core::clock::Timestamp;

use crate::error::IdentityError;

/// A user to be inserted.
pub(super) struct NewUserRow<'r> {
    pub(super) tenant: &'r str,
    pub(super) user: &'r str,
    pub(super) email: Option<&'r str>,
    pub(super) roles: String,
    pub(super) department: Option<&'r str>,
    pub(super) now: i64,
    pub(super) generation: i64,
}

/// A key to be inserted.
pub(super) struct NewKeyRow<'r> {
    pub(super) id: &'r str,
    pub(super) tenant: &'r str,
    pub(super) user: &'r str,
    pub(super) name: &'r str,
    pub(super) secret_sha256: &'r [u8],
    pub(super) scopes: String,
    pub(super) audiences: Option<String>,
    pub(super) now: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) generation: i64,
}

/// A revocation to be inserted.
pub(super) struct NewRevocationRow<'r> {
    pub(super) issuer: &'r str,
    pub(super) jti: &'r str,
    pub(super) now: i64,
    pub(super) until: i64,
    pub(super) generation: i64,
}

/// A tenant as it is listed.
pub(super) struct TenantRow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) created_at: i64,
}

/// A user as it is listed.
pub(super) struct ListedUserRow {
    pub(super) tenant_id: String,
    pub(super) id: String,
    pub(super) email: Option<String>,
    pub(super) roles: String,
    pub(super) department_id: Option<String>,
    pub(super) created_at: i64,
    pub(super) disabled_at: Option<i64>,
}

/// A key as it is listed.
pub(super) struct ListedKeyRow {
    pub(super) id: String,
    pub(super) tenant_id: String,
    pub(super) user_id: String,
    pub(super) name: String,
    pub(super) scopes: String,
    pub(super) audiences: Option<String>,
    pub(super) created_at: i64,
    pub(super) expires_at: Option<i64>,
    pub(super) last_used_at: Option<i64>,
    pub(super) revoked_at: Option<i64>,
}

/// A user as authentication needs it.
pub(crate) struct UserRow {
    pub(crate) tenant_id: String,
    pub(crate) id: String,
    pub(crate) roles: String,
    pub(crate) department_id: Option<String>,
    pub(crate) disabled_at: Option<i64>,
}

/// A key as authentication needs it.
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) user_id: String,
    pub(crate) secret_sha256: Vec<u8>,
    pub(crate) scopes: String,
    pub(crate) audiences: Option<String>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
}

/// A revoked token.
pub(crate) struct RevokedRow {
    pub(crate) issuer: String,
    pub(crate) jti: String,
    pub(crate) until: i64,
}

/// A set as a JSON array.
pub(crate) fn json<T: Serialize>(set: &BTreeSet<T>) -> String {
    // Sets of identifiers always serialise.
    serde_json::to_string(set).unwrap_or_else(|_| "[]".to_owned())
}

/// A set from the JSON array in `text`.
pub(crate) fn json_set<T: DeserializeOwned + Ord>(
    table: &'static str,
    text: &str,
) -> Result<BTreeSet<T>, IdentityError> {
    serde_json::from_str(text).map_err(|_| IdentityError::Corrupt { table })
}

/// An instant from a column that may be empty.
pub(crate) fn timestamp(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}
