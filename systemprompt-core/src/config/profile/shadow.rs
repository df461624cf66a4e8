use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A policy that is asked beside the one in force and never answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShadowPolicy {
    /// Its name in records and metrics, 1 to 64 of `a-z 0-9 - _`, unique among shadows.
    pub id: String,
    /// The file of the policy: what stands below `governance` in a profile, alone or with that key above
    /// it, or a whole profile.
    pub file: PathBuf,
}
