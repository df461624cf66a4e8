use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::{IdError, SecretName};

/// A secret by its name, and by its version where one is fixed: `name` or `name@3`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct NamedSecret {
    name: SecretName,
    version: Option<u32>,
}

/// A text is no name of a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NamedSecretError {
    /// The name has a character that is not allowed, is empty or too long.
    #[error(transparent)]
    Name(#[from] IdError),
    /// What follows the `@` is no version.
    #[error("a version is a number from 1 to {max} after `@`", max = u32::MAX)]
    Version,
}

impl NamedSecret {
    /// A secret in its newest version, or in the one given.
    #[must_use]
    pub fn new(name: SecretName, version: Option<u32>) -> Self {
        Self { name, version }
    }

    /// The secret.
    #[must_use]
    pub fn name(&self) -> &SecretName {
        &self.name
    }

    /// The version; the newest when absent.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.version
    }

    /// Whether a use of `self` is covered by a declaration of `declared`: the same name, and the same
    /// version where both name one.
    #[must_use]
    pub fn is_covered_by(&self, declared: &Self) -> bool {
        let one_is_open = self.version.is_none() || declared.version.is_none();
        self.name == declared.name && (one_is_open || declared.version == self.version)
    }
}

impl FromStr for NamedSecret {
    type Err = NamedSecretError;

    fn from_str(text: &str) -> Result<Self, NamedSecretError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(parse_version(version)?)),
            None => (text, None),
        };
        Ok(Self { name: SecretName::parse(name)?, version })
    }
}

fn parse_version(digits: &str) -> Result<u32, NamedSecretError> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let version = digits.parse().ok().filter(|version| plain && *version > 0);
    version.ok_or(NamedSecretError::Version)
}

impl fmt::Display for NamedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => write!(f, "{}", self.name),
        }
    }
}

impl Serialize for NamedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NamedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
