use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::wildcard;

/// A pattern over names of models: `*` is any run of characters, `?` any one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ModelPattern(Box<str>);

/// Why a text is no pattern over names of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternFault {
    /// There is nothing in it.
    #[error("the pattern is empty")]
    Empty,
    /// It is longer than any name.
    #[error("the pattern is longer than {} bytes", ModelPattern::MAX_BYTES)]
    TooLong,
    /// It holds a character that no name can hold.
    #[error("the pattern holds `{}`; visible ASCII is allowed", .0.escape_default())]
    Character(char),
}

impl ModelPattern {
    /// Longest pattern and longest name of a model, in bytes.
    pub const MAX_BYTES: usize = 256;

    /// The pattern; runs of `*` are one.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name it matches, when it has no wildcard.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(&*self.0)
    }

    /// Whether it matches `name`. Upper and lower case differ. Takes at most the product of both lengths.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        wildcard::matches(&self.0, name)
    }

    /// Whether it matches every name that `other` matches. May say no although it is so, never the
    /// reverse: a wildcard of `other` counts as a character that only a `*`, or a `?` for a `?`, matches.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        wildcard::covers(&self.0, &other.0)
    }
}

impl FromStr for ModelPattern {
    type Err = PatternFault;

    fn from_str(text: &str) -> Result<Self, PatternFault> {
        if text.is_empty() {
            return Err(PatternFault::Empty);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(PatternFault::TooLong);
        }
        if let Some(c) = text.chars().find(|c| !c.is_ascii_graphic()) {
            return Err(PatternFault::Character(c));
        }
        Ok(Self(wildcard::collapsed(text).into()))
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelPattern({:?})", &*self.0)
    }
}

impl Serialize for ModelPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ModelPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for ModelPattern {
    fn schema_name() -> Cow<'static, str> {
        "ModelPattern".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": Self::MAX_BYTES })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> ModelPattern {
        text.parse().unwrap()
    }

    #[test]
    fn wildcards_match_runs_and_single_characters() {
        for (text, yes, no) in [
            ("gpt-5", "gpt-5", "gpt-5-mini"),
            ("claude-*", "claude-opus-5", "gpt-claude-"),
            ("*-mini", "gpt-5-mini", "gpt-5-mini-2"),
            ("gpt-?", "gpt-5", "gpt-55"),
            ("a*b*c", "a-b-b-c", "a-b-b"),
            ("*", "meta-llama/Llama-3.3:free", ""),
        ] {
            assert!(pattern(text).matches(yes), "{text} {yes}");
            assert!(no.is_empty() || !pattern(text).matches(no), "{text} {no}");
        }
        assert_eq!(pattern("a**").as_str(), "a*");
        assert_eq!(pattern("a").literal(), Some("a"));
        assert_eq!(pattern("a?").literal(), None);
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!("".parse::<ModelPattern>(), Err(PatternFault::Empty));
        assert_eq!("a b".parse::<ModelPattern>(), Err(PatternFault::Character(' ')));
        assert_eq!("x".repeat(257).parse::<ModelPattern>(), Err(PatternFault::TooLong));
    }

    proptest! {
        #[test]
        fn what_covers_a_pattern_matches_all_it_matches(
            wide in "[ab*?]{1,5}",
            narrow in "[ab*?]{1,5}",
            name in "[ab]{0,6}",
        ) {
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            if wide.covers(&narrow) && narrow.matches(&name) {
                prop_assert!(wide.matches(&name));
            }
        }
    }
}
