use serde_json::{Map, Value};

use systemprompt_core::llm::ModelError;

/// The members of an object of a request, taken out one by one. `null` is the same as nothing, as it is at
/// OpenAI; a member of the wrong type is an error that names its path.
pub(super) struct Members {
    map: Map<String, Value>,
    path: String,
}

impl Members {
    /// The members of `value`, which stands at `path` (empty for the body).
    pub(super) fn of(value: Value, path: impl Into<String>) -> Result<Self, ModelError> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map, path }),
            _ if path.is_empty() => Err(ModelError::new(
                systemprompt_core::llm::ErrorKind::InvalidRequest,
                "the body must be a JSON object",
            )),
            _ => Err(wrong(&path, "an object")),
        }
    }

    /// The path of the member `name`.
    pub(super) fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(&self.at(name), "a string")),
        }
    }

    pub(super) fn need_string(&mut self, name: &str) -> Result<String, ModelError> {
        self.string(name)?.ok_or_else(|| missing(&self.at(name)))
    }

    pub(super) fn boolean(&mut self, name: &str) -> Result<Option<bool>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(value)),
            Some(_) => Err(wrong(&self.at(name), "true or false")),
        }
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<u64>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(&self.at(name), "a whole number that is not negative")),
            },
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_f64().filter(|number| number.is_finite()) {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(&self.at(name), "a number")),
            },
        }
    }

    pub(super) fn array(&mut self, name: &str) -> Result<Option<Vec<Value>>, ModelError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(values)) => Ok(Some(values)),
            Some(_) => Err(wrong(&self.at(name), "an array")),
        }
    }

    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, ModelError> {
        let path = self.at(name);
        self.take(name).map(|value| Self::of(value, path)).transpose()
    }

    /// Passes over members that say nothing new.
    pub(super) fn skip(&mut self, names: &[&str]) {
        for name in names {
            self.map.remove(*name);
        }
    }

    /// Writes what is left into `rest`, each member under its path.
    pub(super) fn leave(self, rest: &mut Map<String, Value>) {
        let prefix = if self.path.is_empty() { String::new() } else { format!("{}.", self.path) };
        for (name, value) in self.map {
            if !value.is_null() {
                rest.insert(format!("{prefix}{name}"), value);
            }
        }
    }
}

/// The error of a member of the wrong type.
pub(super) fn wrong(path: &str, expected: &str) -> ModelError {
    ModelError::invalid(path, format!("`{path}` must be {expected}"))
}

/// The error of a member that is not there.
pub(super) fn missing(path: &str) -> ModelError {
    ModelError::invalid(path, format!("`{path}` is missing"))
        .with_code("missing_required_parameter")
}
