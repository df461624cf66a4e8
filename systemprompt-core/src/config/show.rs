mod ordered;

use serde_json::Value;

use ordered::Ordered;

use super::yaml::Plain;
use super::{ConfigError, LoadedProfile, SourceMap};
use crate::extension::Backend;

impl LoadedProfile {
    /// The profile in force, defaults filled in, as JSON. Secrets appear as references; settings of
    /// extensions into which variables were filled appear as they were written.
    ///
    /// # Errors
    /// [`ConfigError`] when a path is not UTF-8.
    pub fn to_json(&self) -> Result<Value, ConfigError> {
        let mut value =
            serde_json::to_value(&self.profile).map_err(|error| self.unshowable(&error))?;
        for (pointer, path) in [("/extensions/config", EXTENSIONS), ("/database/url", DATABASE)] {
            if let Some(value) =
                value.pointer_mut(pointer).filter(|_| self.is_shown_as_written(path))
            {
                as_written(value, path, &self.sources);
            }
        }
        Ok(value)
    }

    /// The same as YAML, in the order of the reference; it can be loaded again.
    ///
    /// # Errors
    /// [`ConfigError`] when a path is not UTF-8.
    pub fn to_yaml(&self) -> Result<String, ConfigError> {
        let text = serde_json::to_string(&self.profile).map_err(|error| self.unshowable(&error))?;
        let ordered: Ordered =
            serde_json::from_str(&text).map_err(|error| self.unshowable(&error))?;
        let mut shown = String::new();
        match block(&ordered, "", self) {
            Block::Inline(line) => shown.push_str(&line),
            Block::Lines(lines) => lines.iter().for_each(|line| {
                shown.push_str(line);
                shown.push('\n');
            }),
        }
        Ok(shown)
    }

    /// Whether a value is shown as it was written, because it may hold a secret.
    fn is_shown_as_written(&self, path: &str) -> bool {
        path.starts_with(EXTENSIONS)
            || (path == DATABASE && self.profile.database.url.backend() == Backend::Postgres)
    }

    fn unshowable(&self, error: &serde_json::Error) -> ConfigError {
        self.diagnostic("", &format!("cannot be shown: {error}")).into()
    }
}

/// Where values come from extensions, which may put secrets where we do not know of.
const EXTENSIONS: &str = "extensions.config";

/// Where a password may have been filled in.
const DATABASE: &str = "database.url";

fn as_written(value: &mut Value, path: &str, sources: &SourceMap) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                as_written(item, &format!("{path}[{index}]"), sources);
            }
        }
        Value::Object(entries) => {
            for (key, value) in entries {
                as_written(value, &format!("{path}.{key}"), sources);
            }
        }
        scalar => {
            if let Some(written) = sources.written(path) {
                *scalar = Value::String(written.to_owned());
            }
        }
    }
}

/// A value in YAML: what follows its key on the same line, or lines below it.
enum Block {
    Inline(String),
    Lines(Vec<String>),
}

fn block(value: &Ordered, path: &str, profile: &LoadedProfile) -> Block {
    match value {
        Ordered::List(items) if items.is_empty() => Block::Inline("[]".to_owned()),
        Ordered::Map(entries) if entries.is_empty() => Block::Inline("{}".to_owned()),
        Ordered::Scalar(value) => Block::Inline(scalar(value, path, profile)),
        Ordered::List(items) => {
            let mut lines = Vec::new();
            for (index, item) in items.iter().enumerate() {
                match block(item, &format!("{path}[{index}]"), profile) {
                    Block::Inline(text) => lines.push(format!("- {text}")),
                    Block::Lines(inner) => {
                        lines.extend(inner.iter().enumerate().map(|(nth, line)| {
                            format!("{}{line}", if nth == 0 { "- " } else { "  " })
                        }))
                    }
                }
            }
            Block::Lines(lines)
        }
        Ordered::Map(entries) => {
            let mut lines = Vec::new();
            let joint = if path.is_empty() { "" } else { "." };
            for (key, value) in entries {
                let name = text(key);
                match block(value, &format!("{path}{joint}{key}"), profile) {
                    Block::Inline(text) => lines.push(format!("{name}: {text}")),
                    Block::Lines(inner) => {
                        lines.push(format!("{name}:"));
                        lines.extend(inner.iter().map(|line| format!("  {line}")));
                    }
                }
            }
            Block::Lines(lines)
        }
    }
}

fn scalar(value: &Value, path: &str, profile: &LoadedProfile) -> String {
    let as_written = profile.is_shown_as_written(path);
    let written = as_written.then(|| profile.sources.written(path)).flatten();
    match (written, value) {
        (Some(written), Value::String(_)) => quoted(written),
        (Some(written), _) => written.to_owned(),
        (None, Value::String(value)) => text(&value.replace("${", "$${")),
        (None, value) => value.to_string(),
    }
}

/// A text, quoted only where YAML (or an older reader of it) would take it for something else.
fn text(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_'))
        && !text.ends_with(':')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./:@+".contains(&b))
        && matches!(Plain::of(text), Plain::Text(_))
        && !matches!(text.to_ascii_lowercase().as_str(), "yes" | "no" | "on" | "off" | "y" | "n");
    if plain { text.to_owned() } else { quoted(text) }
}

/// A JSON string is a double-quoted YAML scalar.
fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}
