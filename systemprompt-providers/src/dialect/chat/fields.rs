use serde_json::{Map, Value};

use systemprompt_core::llm::{ErrorKind, ModelError};

pub(super) type Object = Map<String, Value>;

/// The members of a JSON object that were not read yet, with the path that errors name. A member that is
/// `null` counts as one that is not there.
pub(super) struct Fields {
    map: Object,
    path: String,
}

impl Fields {
    /// The members of a whole body.
    pub(super) fn body(body: &[u8]) -> Result<Self, ModelError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Ok(Self { map, path: String::new() }),
            Ok(_) => Err(ModelError::new(
                ErrorKind::InvalidRequest,
                "the body of the request must be a JSON object",
            )),
            Err(error) => Err(ModelError::new(
                ErrorKind::InvalidRequest,
                format!("the body of the request is not JSON: {error}"),
            )),
        }
    }

    /// The members of `value`, which stands at `path`.
    pub(super) fn object(value: Value, path: String) -> Result<Self, ModelError> {
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ => Err(wrong(path, "an object")),
        }
    }

    /// The path of a member.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn peek(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(self.at(name), "a string")),
        }
    }

    /// A string that must be there and say something.
    pub(super) fn word(&mut self, name: &str) -> Result<String, ModelError> {
        match self.string(name)? {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(missing(self.at(name))),
        }
    }

    /// A string that must be there; it may be empty.
    pub(super) fn text(&mut self, name: &str) -> Result<String, ModelError> {
        self.string(name)?.ok_or_else(|| missing(self.at(name)))
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(wrong(self.at(name), "true or false")),
        }
    }

    pub(super) fn unsigned(&mut self, name: &str) -> Result<Option<u64>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(self.at(name), "a whole number that is not negative")),
            },
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(self.at(name), "a whole number of 64 bits")),
            },
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_f64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(self.at(name), "a number")),
            },
        }
    }

    pub(super) fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(_) => Err(wrong(self.at(name), "an array")),
        }
    }

    pub(super) fn member(&mut self, name: &str) -> Result<Option<Self>, ModelError> {
        let path = self.at(name);
        self.take(name).map(|value| Self::object(value, path)).transpose()
    }

    /// An object that must be there.
    pub(super) fn inner(&mut self, name: &str) -> Result<Self, ModelError> {
        self.member(name)?.ok_or_else(|| missing(self.at(name)))
    }

    /// Keeps what was not read, by its path.
    pub(super) fn rest_into(mut self, rest: &mut Object) {
        for (name, value) in std::mem::take(&mut self.map) {
            if !value.is_null() {
                rest.insert(self.at(&name), value);
            }
        }
    }

    /// What was not read.
    pub(super) fn left(self) -> Object {
        self.map
    }
}

pub(super) fn missing(path: String) -> ModelError {
    ModelError::invalid(path.clone(), format!("`{path}` is missing"))
}

pub(super) fn wrong(path: String, expected: &str) -> ModelError {
    ModelError::invalid(path.clone(), format!("`{path}` must be {expected}"))
}
