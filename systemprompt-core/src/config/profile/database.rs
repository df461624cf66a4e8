use serde::{Deserialize, Serialize};

use crate::config::DatabaseUrl;

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseSection {
    /// Where it is: `sqlite://` followed by a path.
    pub url: DatabaseUrl,
    /// Most pooled connections (1 to 1,000).
    pub max_connections: u32,
    /// How long a statement waits for another writer's lock, in milliseconds (0 to 60,000).
    pub busy_timeout_ms: u64,
}

impl Default for DatabaseSection {
    fn default() -> Self {
        Self { url: DatabaseUrl::default(), max_connections: 4, busy_timeout_ms: 1000 }
    }
}
