use std::fmt;
use std::path::PathBuf;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::SecretRef;
use crate::id::ValidatedUrl;

/// What the audit log says about persons is encrypted, each with a key of its own, so that a person can be
/// erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, DeriveDeserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EncryptionSection {
    /// The key that encrypts the keys of the persons. It is kept apart from the database and its backups;
    /// without it nothing that was encrypted can be read again.
    pub key: KeyEncryptionRef,
}

/// Where the key encryption key is. The key itself is never written into a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncryptionRef {
    /// The name of an environment variable with 64 hex digits. Further lines are keys before it.
    Env(String),
    /// The path of a file that only its owner may read, with 64 hex digits. Further lines are keys before
    /// it.
    File(PathBuf),
    /// A key in the transit engine of Vault or OpenBao, which never leaves it.
    Vault(VaultKey),
    /// A file that age has encrypted, with 64 hex digits in it. Further lines are keys before it.
    Age(AgeKey),
}

/// A key in a file that age has encrypted to an X25519 recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, DeriveDeserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgeKey {
    /// The path of the encrypted file.
    pub file: PathBuf,
    /// The identity, as `age-keygen` writes it.
    pub identity: SecretRef,
}

/// A key in the transit engine of Vault or OpenBao.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, DeriveDeserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VaultKey {
    /// The address of the server, an `https` URL (`http` for a loopback address).
    pub url: ValidatedUrl,
    /// Where the transit engine is mounted.
    #[serde(default = "mount")]
    pub mount: String,
    /// The name of the key.
    pub name: String,
    /// The token. A file is read again for each request, so that an agent can renew it.
    pub token: SecretRef,
    /// How long a request may take, in milliseconds (100 to 60,000).
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn mount() -> String {
    "transit".to_owned()
}

fn timeout_ms() -> u64 {
    3000
}

impl KeyEncryptionRef {
    /// The secret that it refers to, with its path in a profile that has the key at `path`.
    #[must_use]
    pub fn secret(&self, path: &str) -> (String, SecretRef) {
        match self {
            Self::Env(name) => (path.to_owned(), SecretRef::Env(name.clone())),
            Self::File(file) => (path.to_owned(), SecretRef::File(file.clone())),
            Self::Vault(vault) => (format!("{path}.vault.token"), vault.token.clone()),
            Self::Age(age) => (format!("{path}.age.identity"), age.identity.clone()),
        }
    }
}

#[derive(DeriveDeserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Source {
    Env,
    File,
    Vault,
    Age,
}

impl<'de> Deserialize<'de> for KeyEncryptionRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

const HOW: &str = "`{env: VARIABLE}`, `{file: path}`, `{vault: {..}}` or `{age: {..}}`";

impl KeyVisitor {
    fn literal<E: de::Error>() -> E {
        E::custom(format_args!("a key is never written into the profile; refer to it by {HOW}"))
    }
}

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = KeyEncryptionRef;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HOW)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyEncryptionRef, A::Error> {
        let found = match map.next_key()? {
            Some(Source::Env) => KeyEncryptionRef::Env(map.next_value()?),
            Some(Source::File) => KeyEncryptionRef::File(map.next_value()?),
            Some(Source::Vault) => KeyEncryptionRef::Vault(map.next_value()?),
            Some(Source::Age) => KeyEncryptionRef::Age(map.next_value()?),
            None => return Err(de::Error::invalid_length(0, &self)),
        };
        if map.next_entry::<Source, IgnoredAny>()?.is_some() {
            return Err(de::Error::custom(format_args!("a key has one source: {HOW}")));
        }
        Ok(found)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<KeyEncryptionRef, E> {
        Err(Self::literal())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<KeyEncryptionRef, E> {
        Err(Self::literal())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<KeyEncryptionRef, E> {
        Err(Self::literal())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<KeyEncryptionRef, E> {
        Err(Self::literal())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<KeyEncryptionRef, E> {
        Err(Self::literal())
    }
}
