//! Reading JSON objects whose members are known, once and without copying.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Doors;

/// The members of an object, by their place in the list of names. `null` counts as absent.
pub(super) struct Fields<'b, const N: usize> {
    names: &'static [&'static str; N],
    values: [Option<&'b RawValue>; N],
}

/// What to do with a member that is not in the list of names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    Refuse,
    Ignore,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FieldFault {
    NotJson {
        line: usize,
        column: usize,
    },
    NotAnObject,
    /// The name is the caller's own text.
    Unknown(String),
    Duplicate(&'static str),
    Missing(&'static str),
    Type {
        field: &'static str,
        expected: &'static str,
    },
}

impl FieldFault {
    /// The fault in words, safe to repeat and to record.
    pub(super) fn describe(&self, doors: &Doors) -> String {
        match self {
            Self::NotJson { line, column } => {
                format!("the body is not valid JSON at line {line} column {column}")
            }
            Self::NotAnObject => "the body is not a JSON object".to_owned(),
            Self::Unknown(name) => format!("`{}` is not a known field", doors.safe_text(name)),
            Self::Duplicate(field) => format!("`{field}` occurs twice"),
            Self::Missing(field) => format!("`{field}` is missing"),
            Self::Type { field, expected } => format!("`{field}` is not {expected}"),
        }
    }
}

impl<'b, const N: usize> Fields<'b, N> {
    /// Reads an object. A known member that occurs twice is refused either way: two readers could
    /// take different ones.
    pub(super) fn read(
        body: &'b [u8],
        names: &'static [&'static str; N],
        unknown: Unknown,
    ) -> Result<Self, FieldFault> {
        let text =
            std::str::from_utf8(body).map_err(|error| not_utf8(body, error.valid_up_to()))?;
        let mut fault = None;
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let values = ObjectVisitor { names, unknown, fault: &mut fault };
        let values = deserializer
            .deserialize_any(values)
            .and_then(|values| deserializer.end().map(|()| values))
            .map_err(|error| match (fault, error.classify()) {
                (Some(fault), _) => fault,
                (None, serde_json::error::Category::Data) => FieldFault::NotAnObject,
                (None, _) => FieldFault::NotJson { line: error.line(), column: error.column() },
            })?;
        Ok(Self { names, values })
    }

    /// The JSON text of a member; `null` counts as absent.
    pub(super) fn raw(&self, at: usize) -> Option<&'b str> {
        self.any(at).filter(|text| *text != "null")
    }

    /// The JSON text of a member, `null` included.
    pub(super) fn any(&self, at: usize) -> Option<&'b str> {
        self.values.get(at).copied().flatten().map(RawValue::get)
    }

    /// The JSON text of a member that must be there, `null` included.
    pub(super) fn required(&self, at: usize) -> Result<&'b str, FieldFault> {
        self.any(at).ok_or(FieldFault::Missing(self.name(at)))
    }

    /// A member that is a string, if it is there.
    pub(super) fn text(&self, at: usize) -> Result<Option<Cow<'b, str>>, FieldFault> {
        self.raw(at).map(|raw| string(raw).ok_or(self.mistyped(at, "a string"))).transpose()
    }

    /// A member that must be there and be a string.
    pub(super) fn required_text(&self, at: usize) -> Result<Cow<'b, str>, FieldFault> {
        self.text(at)?.ok_or(FieldFault::Missing(self.name(at)))
    }

    /// The fault of a member that is not what it should be.
    pub(super) fn mistyped(&self, at: usize, expected: &'static str) -> FieldFault {
        FieldFault::Type { field: self.name(at), expected }
    }

    fn name(&self, at: usize) -> &'static str {
        self.names.get(at).copied().unwrap_or_default()
    }
}

/// The string a JSON text stands for; borrowed unless it has escapes.
pub(super) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(raw).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

fn not_utf8(body: &[u8], at: usize) -> FieldFault {
    let before = body.get(..at).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    FieldFault::NotJson { line, column: at - line_start + 1 }
}

struct ObjectVisitor<'f, const N: usize> {
    names: &'static [&'static str; N],
    unknown: Unknown,
    fault: &'f mut Option<FieldFault>,
}

impl<'b, const N: usize> Visitor<'b> for ObjectVisitor<'_, N> {
    type Value = [Option<&'b RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = [None; N];
        let seed = NameSeed { names: self.names, keep_unknown: self.unknown == Unknown::Refuse };
        while let Some(name) = map.next_key_seed(seed)? {
            let fault = match name {
                Name::Known(at, name) => match values.get_mut(at) {
                    Some(slot @ None) => {
                        *slot = Some(map.next_value()?);
                        continue;
                    }
                    _ => FieldFault::Duplicate(name),
                },
                Name::Unknown(Some(name)) => FieldFault::Unknown(name),
                Name::Unknown(None) => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *self.fault = Some(fault);
            return Err(A::Error::custom("field"));
        }
        Ok(values)
    }
}

enum Name {
    Known(usize, &'static str),
    Unknown(Option<String>),
}

#[derive(Clone, Copy)]
struct NameSeed<const N: usize> {
    names: &'static [&'static str; N],
    keep_unknown: bool,
}

impl<'b, const N: usize> DeserializeSeed<'b> for NameSeed<N> {
    type Value = Name;
    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<Name, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for NameSeed<N> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name, E> {
        let known = self.names.iter().enumerate().find(|(_, name)| **name == text);
        Ok(match known {
            Some((at, name)) => Name::Known(at, name),
            None => Name::Unknown(self.keep_unknown.then(|| text.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const NAMES: [&str; 2] = ["a", "b"];

    proptest! {
        #[test]
        fn strings_read_as_serde_reads_them(text: String) {
            let raw = json!(text).to_string();
            prop_assert_eq!(string(&raw).map(Cow::into_owned), Some(text.clone()));
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let raw = format!("\"{escaped}\"");
            prop_assert_eq!(string(&raw).map(Cow::into_owned), Some(text.clone()));
        }

        #[test]
        fn any_bytes_are_read_or_refused(body: Vec<u8>) {
            for unknown in [Unknown::Refuse, Unknown::Ignore] {
                if let Ok(fields) = Fields::read(&body, &NAMES, unknown) {
                    prop_assert!(serde_json::from_slice::<Value>(&body).is_ok());
                    let _ = (fields.text(0), fields.raw(1));
                }
            }
        }

        #[test]
        fn the_text_of_a_member_is_kept(a in "[ -~]{0,20}", order: bool) {
            let a = json!({ "x": [a] }).to_string();
            let body = match order {
                true => format!("{{\"a\": {a} ,\"b\":null}}"),
                false => format!("{{\"b\":null,\"a\": {a} }}"),
            };
            let fields = Fields::read(body.as_bytes(), &NAMES, Unknown::Refuse).ok();
            let fields = fields.expect("an object");
            prop_assert_eq!(fields.any(0), Some(&*a));
            prop_assert_eq!((fields.any(1), fields.raw(1)), (Some("null"), None));
        }
    }
}
