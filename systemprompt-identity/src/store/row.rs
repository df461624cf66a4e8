//! How values are kept in columns: instants as microseconds, sets as JSON arrays.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use systemprompt_core::clock::Timestamp;

use crate::error::IdentityError;

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
