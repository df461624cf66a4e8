use std::fmt;

use serde::de;

use super::node::excerpt;
use super::{Node, Trail, Value};
use crate::config::hide;
use crate::config::nearest::nearest;

/// Why a node is not what its type asks for.
#[derive(Debug)]
pub(super) enum Fault {
    /// Written down already; the node at fault is left out.
    Reported,
    Custom(String),
    Type {
        found: &'static str,
        expected: String,
    },
    Value {
        expected: String,
    },
    UnknownField {
        name: String,
        expected: &'static [&'static str],
    },
    UnknownVariant {
        name: String,
        expected: &'static [&'static str],
    },
    Missing(&'static str),
}

impl Fault {
    /// The fault in words. The value of a node is repeated only when it is a misspelt word that was
    /// written in the file itself.
    pub(super) fn message(&self, node: &Node, trail: &Trail<'_>) -> String {
        let place = if trail.is_root() { "the profile".to_owned() } else { format!("`{trail}`") };
        match self {
            Self::Reported => String::new(),
            Self::Custom(problem) => match &node.value {
                Value::Scalar(scalar) if scalar.written.is_some() => {
                    format!("{place}: {}", hide::itself(problem, &scalar.text))
                }
                _ => format!("{place}: {problem}"),
            },
            Self::Type { found, expected } => {
                format!("{place}: expected {expected}, found {found}")
            }
            Self::Value { expected } => format!("{place}: expected {expected}"),
            Self::UnknownField { name, expected } => {
                let within = if trail.is_root() { String::new() } else { format!(" in {place}") };
                format!("unknown key `{}`{within}; {}", excerpt(name), hint(name, expected))
            }
            Self::UnknownVariant { expected, .. } if is_filled_in(node) => {
                format!("{place}: unknown value; {}", one_of(expected))
            }
            Self::UnknownVariant { name, expected } => {
                format!("{place}: unknown value `{}`; {}", excerpt(name), hint(name, expected))
            }
            Self::Missing(key) if trail.is_root() => format!("missing key `{key}`"),
            Self::Missing(key) => format!("missing key `{key}` in {place}"),
        }
    }
}

fn is_filled_in(node: &Node) -> bool {
    matches!(&node.value, Value::Scalar(scalar) if scalar.written.is_some())
}

fn hint(name: &str, expected: &[&str]) -> String {
    match nearest(name, expected.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => one_of(expected),
    }
}

fn one_of(expected: &[&str]) -> String {
    match expected {
        [] => "nothing is expected here".to_owned(),
        [only] => format!("expected `{only}`"),
        [first, rest @ ..] => {
            let rest: String = rest.iter().map(|name| format!(", `{name}`")).collect();
            format!("expected one of `{first}`{rest}")
        }
    }
}

impl fmt::Display for Fault {
    /// Serde asks for it; what is shown is [`Fault::message`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Type { found: kind(found), expected: in_words(&expected.to_string()) }
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Value { expected: in_words(&expected.to_string()) }
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        Self::Value { expected: in_words(&expected.to_string()) }
    }

    fn unknown_variant(name: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownVariant { name: name.to_owned(), expected }
    }

    fn unknown_field(name: &str, expected: &'static [&'static str]) -> Self {
        Self::UnknownField { name: name.to_owned(), expected }
    }

    fn missing_field(key: &'static str) -> Self {
        Self::Missing(key)
    }
}

/// The kind of what was found, without its value: it may be a secret.
fn kind(found: de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "a boolean",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) => "a whole number",
        de::Unexpected::Float(_) => "a number",
        de::Unexpected::Char(_) | de::Unexpected::Str(_) => "a text",
        de::Unexpected::Unit | de::Unexpected::Option => "nothing",
        de::Unexpected::Seq => "a list",
        de::Unexpected::Map => "a mapping",
        _ => "something else",
    }
}

/// What was expected, without the names of Rust types.
fn in_words(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "bool" | "a boolean" => "`true` or `false`",
        "a string" | "string" | "str" => "a text",
        "path string" => "a path",
        "a sequence" => "a list",
        "a map" | "map" => "a mapping",
        _ if expected.starts_with("struct ") => "a mapping",
        _ if expected.starts_with("unit variant") => "the name alone, without a value",
        _ if expected.starts_with("newtype variant") => "a mapping with one key",
        _ if expected.starts_with("enum ") || expected.starts_with("variant identifier") => {
            "one of the known names"
        }
        _ => expected,
    };
    words.to_owned()
}
