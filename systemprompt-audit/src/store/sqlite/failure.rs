//! What SQLite's result codes mean for the log.

use crate::StoreError;

/// The meaning of `code`.
pub(crate) fn meaning(code: u32) -> StoreError {
    // The low byte is the primary result code (sqlite.org/rescode.html).
    match code & 0xff {
        5 | 6 => StoreError::Locked,
        13 => StoreError::Full,
        18..=20 => StoreError::Refused,
        _ => StoreError::Failed(format!("SQLite code {code}")),
    }
}

/// What `error` means, without its text: that could hold a value.
pub(super) fn meaning_of(error: &rusqlite::Error) -> StoreError {
    if let rusqlite::Error::StatementChangedRows(_) = error {
        return StoreError::Refused;
    }
    match error.sqlite_error() {
        Some(error) => meaning(error.extended_code.cast_unsigned()),
        None => StoreError::Failed("the driver".to_owned()),
    }
}
