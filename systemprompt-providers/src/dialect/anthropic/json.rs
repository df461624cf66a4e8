//! Objects read member by member, with the path of each for errors, and objects written in order.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use systemprompt_core::llm::{ErrorKind, ModelError};

/// The members of an object that were not taken yet, each as its bytes.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: String,
    members: BTreeMap<Cow<'a, str>, &'a RawValue>,
}

impl<'a> Members<'a> {
    /// Reads the object at `path`.
    pub(super) fn read(raw: &'a RawValue, path: impl Into<String>) -> Result<Self, ModelError> {
        Self::parse(raw.get(), path)
    }

    /// Reads the object `text` at `path`; the empty path is the body itself.
    pub(super) fn parse(text: &'a str, path: impl Into<String>) -> Result<Self, ModelError> {
        let path = path.into();
        match serde_json::from_str::<Object<'a>>(text) {
            Ok(Object(members)) => Ok(Self { path, members }),
            Err(error) if error.to_string().starts_with(TWICE) => {
                let text = error.to_string();
                let name = text.get(TWICE.len()..).and_then(|rest| rest.split('`').next());
                let field = join(&path, name.unwrap_or_default());
                let message = format!("`{field}` is given twice");
                Err(ModelError::invalid(field, message))
            }
            Err(error) if path.is_empty() => Err(unreadable(error)),
            Err(_) => Err(wrong(path, "an object")),
        }
    }

    /// The path of a member.
    pub(super) fn field(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Takes a member; `null` is as good as none.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        self.members.remove(name).filter(|raw| raw.get() != "null")
    }

    /// Takes a member that must be there.
    pub(super) fn require(&mut self, name: &str) -> Result<&'a RawValue, ModelError> {
        self.take(name).ok_or_else(|| self.missing(name))
    }

    /// The error of a member that is not there.
    pub(super) fn missing(&self, name: &str) -> ModelError {
        let field = self.field(name);
        let message = format!("`{field}` is required");
        ModelError::invalid(field, message)
    }

    /// Takes a string.
    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ModelError> {
        self.typed(name, "a string")
    }

    /// Takes a string that must be there.
    pub(super) fn required_string(&mut self, name: &str) -> Result<String, ModelError> {
        self.string(name)?.ok_or_else(|| self.missing(name))
    }

    /// Takes `true` or `false`.
    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ModelError> {
        self.typed(name, "true or false")
    }

    /// Takes a number of something.
    pub(super) fn count(&mut self, name: &str) -> Result<Option<u64>, ModelError> {
        self.typed(name, "a whole number, 0 or more")
    }

    /// Takes a number.
    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, ModelError> {
        self.typed(name, "a number")
    }

    /// Takes any value.
    pub(super) fn value(&mut self, name: &str) -> Result<Option<Value>, ModelError> {
        self.typed(name, "JSON that is not nested too deep")
    }

    /// Takes an object as members of its own.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, ModelError> {
        let field = self.field(name);
        self.take(name).map(|raw| Self::read(raw, field)).transpose()
    }

    /// Takes the items of an array.
    pub(super) fn items(&mut self, name: &str) -> Result<Option<Vec<&'a RawValue>>, ModelError> {
        let field = self.field(name);
        self.take(name).map(|raw| items(raw, &field)).transpose()
    }

    /// Keeps what was not taken, by its path.
    pub(super) fn rest(self, into: &mut Map<String, Value>) -> Result<(), ModelError> {
        for (name, raw) in self.members {
            if raw.get() == "null" {
                continue;
            }
            let field = join(&self.path, &name);
            let value = serde_json::from_str(raw.get())
                .map_err(|_| wrong(field.clone(), "JSON that is not nested too deep"))?;
            into.insert(field, value);
        }
        Ok(())
    }

    fn typed<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        what: &str,
    ) -> Result<Option<T>, ModelError> {
        let Some(raw) = self.take(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| wrong(self.field(name), what))
    }
}

/// The items of the array `raw` at `field`.
pub(super) fn items<'a>(raw: &'a RawValue, field: &str) -> Result<Vec<&'a RawValue>, ModelError> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(field, "an array"))
}

/// Whether `raw` is a string.
pub(super) fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// The error of a body that is no JSON object.
pub(super) fn unreadable(why: impl fmt::Display) -> ModelError {
    let message = format!("the body is no JSON object that can be read: {why}");
    ModelError::new(ErrorKind::InvalidRequest, message)
}

/// The error of a field that is no `what`.
pub(super) fn wrong(field: impl Into<String>, what: &str) -> ModelError {
    let field = field.into();
    let message = format!("`{field}` must be {what}");
    ModelError::invalid(field, message)
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

const TWICE: &str = "twice `";

struct Object<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = BTreeMap<Cow<'de, str>, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((Text(name), raw)) = map.next_entry::<Text<'de>, &'de RawValue>()? {
                    // Two readers may each take another one of them.
                    if members.insert(name.clone(), raw).is_some() {
                        return Err(A::Error::custom(format_args!("{TWICE}{name}`")));
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Entries).map(Object)
    }
}

/// A string that borrows where it has no escapes, also inside an `Option`.
#[derive(Debug, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// An object that is written in the order its members were put in.
#[derive(Debug, Default)]
pub(super) struct ObjectOut {
    members: Vec<(String, Box<RawValue>)>,
}

impl ObjectOut {
    /// An object with a `type`.
    pub(super) fn of(kind: &str) -> Self {
        let mut object = Self::default();
        object.put("type", kind);
        object
    }

    /// The members of `value` as they stood; of what is no object, none.
    pub(super) fn as_it_stood(value: &Value) -> Self {
        let mut object = Self::default();
        for (name, value) in value.as_object().into_iter().flatten() {
            object.put(name, value);
        }
        object
    }

    /// Puts a member in.
    pub(super) fn put(&mut self, name: &str, value: impl Serialize) {
        self.members.push((name.to_owned(), raw(value)));
    }

    /// Puts a member in unless there is one of that name.
    pub(super) fn put_new(&mut self, name: &str, value: impl Serialize) {
        if !self.has(name) {
            self.put(name, value);
        }
    }

    /// Whether there is a member of that name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(other, _)| other == name)
    }

    /// Whether it has no members.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl Serialize for ObjectOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.members.len()))?;
        for (name, value) in &self.members {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A value as JSON. What is put in here has string keys and always can be written.
pub(super) fn raw(value: impl Serialize) -> Box<RawValue> {
    to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
