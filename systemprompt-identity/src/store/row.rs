//! How values are kept in columns: instants as microseconds, sets as JSON arrays.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use systemprompt_core::clock::Timestamp;

use crate::error::IdentityError;

/// A user to be inserted.
pub(crate) struct NewUserRow<'r> {
    pub(crate) tenant: &'r str,
    pub(crate) user: &'r str,
    pub(crate) email: Option<&'r str>,
    pub(crate) roles: String,
    pub(crate) department: Option<&'r str>,
    pub(crate) now: i64,
    pub(crate) generation: i64,
}

/// A key to be inserted.
pub(crate) struct NewKeyRow<'r> {
    pub(crate) id: &'r str,
    pub(crate) tenant: &'r str,
    pub(crate) user: &'r str,
    pub(crate) name: &'r str,
    pub(crate) secret_sha256: &'r [u8],
    pub(crate) scopes: String,
    pub(crate) audiences: Option<String>,
    pub(crate) now: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) generation: i64,
}

/// A revocation to be inserted.
pub(crate) struct NewRevocationRow<'r> {
    pub(crate) issuer: &'r str,
    pub(crate) jti: &'r str,
    pub(crate) now: i64,
    pub(crate) until: i64,
    pub(crate) generation: i64,
}

/// A tenant as it is listed.
pub(crate) struct TenantRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: i64,
}

/// A user as it is listed.
pub(crate) struct ListedUserRow {
    pub(crate) tenant_id: String,
    pub(crate) id: String,
    pub(crate) email: Option<String>,
    pub(crate) roles: String,
    pub(crate) department_id: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) disabled_at: Option<i64>,
}

/// A key as it is listed.
pub(crate) struct ListedKeyRow {
    pub(crate) id: String,
    pub(crate) tenant_id: String,
    pub(crate) user_id: String,
    pub(crate) name: String,
    pub(crate) scopes: String,
    pub(crate) audiences: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
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
