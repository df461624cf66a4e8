use serde::{Deserialize, Serialize};

use super::SecretRef;
use crate::config::DatabaseUrl;

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// Where it is: `sqlite://` followed by a path, or `postgres://user@host:port/database`. A password
    /// in it is filled in from a variable; it is never written into the profile.
    pub url: DatabaseUrl,
    /// The password of the PostgreSQL role, by reference, instead of one in the URL.
    pub password: Option<SecretRef>,
    /// Most pooled connections (1 to 1,000).
    pub max_connections: u32,
    /// How long a query waits for a connection of the pool, in milliseconds (1 to 60,000).
    pub acquire_timeout_ms: u64,
    /// How long a statement waits for another writer's lock on SQLite, in milliseconds (0 to 60,000).
    pub busy_timeout_ms: u64,
    /// After how long PostgreSQL cancels a statement, in milliseconds (0 to 3,600,000); 0 for never.
    pub statement_timeout_ms: u64,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self {
            url: DatabaseUrl::default(),
            password: None,
            max_connections: 4,
            acquire_timeout_ms: 5000,
            busy_timeout_ms: 1000,
            statement_timeout_ms: 30_000,
        }
    }
}
