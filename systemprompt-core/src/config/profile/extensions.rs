use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Extensions compiled into the host.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExtensionsSection {
    /// Ids of extensions that are not started. An id that no extension has is an error.
    pub disabled: Vec<String>,
    /// What each extension is given as its settings, by id; the extension says what it understands.
    pub config: BTreeMap<String, serde_json::Value>,
}
