use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

/// Secrets the servers themselves need, by reference.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, DeriveDeserialize, schemars::JsonSchema,
)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsSection {
    /// The key that fingerprints detected secrets, at least 16 bytes. Made once and kept in the data
    /// folder as `fingerprint.key` when absent.
    pub fingerprint_key: Option<SecretRef>,
}

/// Where a secret is found. The secret itself is never written into a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretRef {
    /// The name of an environment variable.
    Env(String),
    /// The path of a file that only its owner may read; one line break at its end is not part of the
    /// secret.
    File(PathBuf),
}

#[derive(DeriveDeserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Source {
    Env,
    File,
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretRefVisitor)
    }
}

struct SecretRefVisitor;

const HOW: &str = "`{env: VARIABLE}` or `{file: path}`";

impl SecretRefVisitor {
    fn literal<E: de::Error>() -> E {
        E::custom(format_args!("a secret is never written into the profile; refer to it by {HOW}"))
    }
}

impl<'de> Visitor<'de> for SecretRefVisitor {
    type Value = SecretRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HOW)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretRef, A::Error> {
        let found = match map.next_key()? {
            Some(Source::Env) => SecretRef::Env(map.next_value()?),
            Some(Source::File) => SecretRef::File(map.next_value()?),
            None => return Err(de::Error::invalid_length(0, &self)),
        };
        if map.next_entry::<Source, IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(format_args!("a secret has one source: {HOW}")));
        }
        Ok(found)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<SecretRef, E> {
        Err(Self::literal())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<SecretRef, E> {
        Err(Self::literal())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretRef, E> {
        Err(Self::literal())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretRef, E> {
        Err(Self::literal())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<SecretRef, E> {
        Err(Self::literal())
    }
}
