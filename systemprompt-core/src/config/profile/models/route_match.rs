use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize, Serializer};

use super::ModelPattern;
use crate::id::{RoleId, TenantId};

/// Which requests a route fits: a pattern, or a mapping of a pattern and when it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteMatch {
    /// The models.
    pub pattern: ModelPattern,
    /// What else must be so.
    pub when: RouteCondition,
}

/// The long form.
#[derive(DeriveDeserialize, Serialize, schemars::JsonSchema)]
#[serde(rename = "RouteMatch", deny_unknown_fields)]
struct Form {
    /// A name of a model, or a pattern (`*` any run of characters, `?` any one).
    pattern: ModelPattern,
    /// What else must be so; all of it.
    #[serde(default)]
    when: RouteCondition,
}

/// What must be so beside the model; everything that is given.
#[derive(
    Debug, Clone, PartialEq, Eq, Default, Serialize, DeriveDeserialize, schemars::JsonSchema,
)]
#[serde(default, deny_unknown_fields)]
pub struct RouteCondition {
    /// Whether the request has tools.
    pub tools: Option<bool>,
    /// Whether it asks the model to think.
    pub thinking: Option<bool>,
    /// Whether the answer is to be streamed.
    pub stream: Option<bool>,
    /// Its prompt has so many tokens or more, by an estimate (1 to 1,000,000,000).
    pub min_tokens: Option<u64>,
    /// The caller belongs to this tenant.
    pub tenant: Option<TenantId>,
    /// The caller holds this role.
    pub role: Option<RoleId>,
}

impl RouteCondition {
    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds wherever `other` holds.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(wide: &Option<T>, narrow: &Option<T>) -> bool {
            wide.is_none() || wide == narrow
        }
        within(&self.tools, &other.tools)
            && within(&self.thinking, &other.thinking)
            && within(&self.stream, &other.stream)
            && self.min_tokens.unwrap_or(0) <= other.min_tokens.unwrap_or(0)
            && within(&self.tenant, &other.tenant)
            && within(&self.role, &other.role)
    }
}

impl fmt::Display for RouteCondition {
    /// `tools, at least 1000 tokens, role operator`; nothing when nothing is asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |name: &str, flag: Option<bool>| {
            flag.map(|on| if on { name.to_owned() } else { format!("no {name}") })
        };
        let parts = [
            flag("tools", self.tools),
            flag("thinking", self.thinking),
            flag("stream", self.stream),
            self.min_tokens.map(|tokens| format!("at least {tokens} tokens")),
            self.tenant.as_ref().map(|tenant| format!("tenant `{tenant}`")),
            self.role.as_ref().map(|role| format!("role `{role}`")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl Serialize for RouteMatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.when.is_empty() {
            return self.pattern.serialize(serializer);
        }
        Form { pattern: self.pattern.clone(), when: self.when.clone() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RouteMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatchVisitor)
    }
}

struct MatchVisitor;

impl<'de> Visitor<'de> for MatchVisitor {
    type Value = RouteMatch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a model, a pattern such as `claude-*`, or `{pattern: .., when: {..}}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<RouteMatch, E> {
        let pattern = text.parse().map_err(E::custom)?;
        Ok(RouteMatch { pattern, when: RouteCondition::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RouteMatch, A::Error> {
        let Form { pattern, when } = Form::deserialize(MapAccessDeserializer::new(map))?;
        Ok(RouteMatch { pattern, when })
    }
}

impl schemars::JsonSchema for RouteMatch {
    fn schema_name() -> Cow<'static, str> {
        "RouteMatch".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = generator.subschema_for::<ModelPattern>();
        let form = Form::json_schema(generator);
        schemars::json_schema!({
            "description": "Which requests a route fits: a pattern, or a mapping of a pattern and when it counts.",
            "anyOf": [pattern, form]
        })
    }
}
