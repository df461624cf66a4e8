use serde::{Deserialize, Serialize};

use super::KeyEncryptionRef;

/// The secrets that are kept for the servers, encrypted in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustodySection {
    /// The key that encrypts the data keys of the secrets. It is kept apart from the database and its
    /// backups; without it no secret can be read again. Made once and kept in the data folder as
    /// `custody.key` when absent; replicas need the same one.
    pub key: Option<KeyEncryptionRef>,
    /// Whether a server closes its memory and its environment to other processes of the same user (Linux).
    /// Debuggers and profilers are kept out as well, and no core file is written; that is the one reason to
    /// turn it off.
    pub harden_process: bool,
}

impl Default for CustodySection {
    fn default() -> Self {
        Self { key: None, harden_process: true }
    }
}
