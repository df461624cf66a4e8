//! Reads the settings of one extension out of the profile.

use std::any::{Any, TypeId};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ConfigExtensionTyped, ExtensionError};

/// [`ConfigExtensionTyped`] as an object.
#[doc(hidden)]
pub trait ReadSettings: Send + Sync + 'static {
    /// The type under which the settings are found again.
    fn key(&self) -> TypeId;

    /// Reads the section of the extension `id`; a missing one means the defaults.
    ///
    /// # Errors
    /// [`ExtensionError::Settings`] when the section is not what the extension understands.
    fn read(
        &self,
        id: &str,
        section: Option<&Value>,
    ) -> Result<Arc<dyn Any + Send + Sync>, ExtensionError>;
}

impl<T: ConfigExtensionTyped> ReadSettings for T {
    fn key(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn read(
        &self,
        id: &str,
        section: Option<&Value>,
    ) -> Result<Arc<dyn Any + Send + Sync>, ExtensionError> {
        let wrong = |path: &str, detail: String| ExtensionError::Settings {
            path: match path {
                "" | "." => format!("extensions.config.{id}"),
                below => format!("extensions.config.{id}.{below}"),
            },
            detail,
        };
        let config: T::Config = match section {
            None | Some(Value::Null) => T::Config::default(),
            Some(value) => parse(value).map_err(|(path, detail)| wrong(&path, detail))?,
        };
        self.validate(&config).map_err(|detail| wrong("", detail))?;
        Ok(Arc::new(config))
    }
}

/// Deserialises `value`; an error comes with the path to where it is.
fn parse<C: DeserializeOwned>(value: &Value) -> Result<C, (String, String)> {
    let mut unknown = None;
    let mut note = |path: serde_ignored::Path<'_>| {
        unknown.get_or_insert_with(|| path.to_string());
    };
    let tracked = serde_ignored::Deserializer::new(value, &mut note);
    let config = serde_path_to_error::deserialize(tracked)
        .map_err(|error| (error.path().to_string(), error.inner().to_string()))?;
    match unknown {
        None => Ok(config),
        Some(path) => Err((path, "there is no such setting".to_owned())),
    }
}
