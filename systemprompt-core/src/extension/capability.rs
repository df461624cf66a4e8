use std::fmt;

use serde::Serialize;

/// What an extension can do beyond being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Capability {
    /// It keeps tables in the database.
    Schema,
    /// It has HTTP routes.
    Api,
    /// It has work that runs on a schedule.
    Jobs,
    /// It has upstreams for model requests.
    Providers,
    /// It has settings in the profile.
    Config,
    /// It has checks for tool calls.
    Checks,
    /// It knows formats of credentials.
    SecretRules,
}

impl Capability {
    /// The capability in one word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Api => "api",
            Self::Jobs => "jobs",
            Self::Providers => "providers",
            Self::Config => "config",
            Self::Checks => "checks",
            Self::SecretRules => "secret_rules",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
