use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};

use super::SecretRef;
use crate::injection::NamedSecret;

/// The credential of a provider. The credential itself is never written into a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderKey {
    /// In a variable or a file; found at the start.
    Ref(SecretRef),
    /// In custody, of the caller's tenant. Opened when it is used.
    Custody(NamedSecret),
}

/// How secrets in custody are referred to.
const SCHEME: &str = "secret://";

const HOW: &str = "`secret://name`, `{env: VARIABLE}` or `{file: path}`";

impl Serialize for ProviderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Ref(reference) => reference.serialize(serializer),
            Self::Custody(secret) => serializer.collect_str(&format_args!("{SCHEME}{secret}")),
        }
    }
}

impl<'de> Deserialize<'de> for ProviderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl KeyVisitor {
    fn literal<E: de::Error>() -> E {
        E::custom(format_args!("a key is never written into the profile; refer to it by {HOW}"))
    }
}

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = ProviderKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HOW)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ProviderKey, E> {
        let name = text.strip_prefix(SCHEME).ok_or_else(Self::literal)?;
        name.parse().map(ProviderKey::Custody).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ProviderKey, A::Error> {
        SecretRef::deserialize(MapAccessDeserializer::new(map)).map(ProviderKey::Ref)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<ProviderKey, E> {
        Err(Self::literal())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<ProviderKey, E> {
        Err(Self::literal())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<ProviderKey, E> {
        Err(Self::literal())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<ProviderKey, E> {
        Err(Self::literal())
    }
}

impl schemars::JsonSchema for ProviderKey {
    fn schema_name() -> Cow<'static, str> {
        "ProviderKey".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let reference = generator.subschema_for::<SecretRef>();
        schemars::json_schema!({
            "description": "The credential of a provider. The credential itself is never written into a profile.",
            "anyOf": [
                {
                    "description": "A secret in custody, `secret://name` or `secret://name@version`.",
                    "type": "string",
                    "pattern": "^secret://.+$"
                },
                reference
            ]
        })
    }
}
