use serde::Serialize;
use serde::ser::Serializer;
use serde_json::{Map, Value};

/// An object under construction: members that have no value are left out.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// An object without members.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sets a member.
    pub(super) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Sets a member to the text of `value`.
    pub(super) fn text(self, name: &str, value: impl ToString) -> Self {
        self.set(name, value.to_string())
    }

    /// Sets a member if there is a value.
    pub(super) fn some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    /// Sets a member to the text of a value if there is one.
    pub(super) fn some_text(self, name: &str, value: Option<impl ToString>) -> Self {
        self.some(name, value.map(|value| value.to_string()))
    }

    /// Sets a member unless `fields` has none itself.
    pub(super) fn object(self, name: &str, fields: Self) -> Self {
        if fields.0.is_empty() { self } else { self.set(name, fields) }
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Object(fields.0)
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
