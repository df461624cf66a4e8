//! What PostgreSQL's error codes mean for the log (PostgreSQL documentation, appendix A).

use crate::StoreError;

/// The meaning of the SQLSTATE `code`.
pub(crate) fn meaning(code: &str) -> StoreError {
    match code {
        "55P03" => StoreError::Locked,
        "53100" => StoreError::Full,
        // Two writers who settle the same permits at once: each goes on alone, event by event.
        "40001" | "40P01" | "54000" => StoreError::Refused,
        _ if code.starts_with("22") || code.starts_with("23") => StoreError::Refused,
        _ => StoreError::Failed(format!("SQLSTATE {code}")),
    }
}
