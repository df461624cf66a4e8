use systemprompt_core::config::{Diagnostic, LoadedProfile};
use systemprompt_core::extension::{ExtensionError, ExtensionSettings, TypedExtensionRegistry};

/// The extensions that a profile leaves on, and their settings.
pub(crate) struct Enabled {
    pub(crate) registry: TypedExtensionRegistry,
    pub(crate) settings: ExtensionSettings,
}

impl Enabled {
    /// Holds `extensions` against the section of a profile. With faults, what is at fault counts as if it
    /// were not written.
    pub(crate) fn of(
        loaded: &LoadedProfile,
        extensions: TypedExtensionRegistry,
        faults: &mut Vec<Diagnostic>,
    ) -> Self {
        let registry = disable(loaded, extensions, faults);
        let settings = configure(loaded, &registry, faults);
        Self { registry, settings }
    }
}

fn disable(
    loaded: &LoadedProfile,
    extensions: TypedExtensionRegistry,
    faults: &mut Vec<Diagnostic>,
) -> TypedExtensionRegistry {
    let mut known = Vec::new();
    for (at, id) in loaded.profile.extensions.disabled.iter().enumerate() {
        match extensions.clone().disable([id]) {
            Err(error @ ExtensionError::UnknownDisabled { .. }) => {
                let path = format!("extensions.disabled[{at}]");
                faults.push(loaded.diagnostic(path, &error.to_string()));
            }
            // Together they may do what one alone may not.
            _ => known.push(id),
        }
    }
    match extensions.clone().disable(known) {
        Ok(registry) => registry,
        Err(error) => {
            faults.push(loaded.diagnostic("extensions.disabled", &error.to_string()));
            extensions
        }
    }
}

fn configure(
    loaded: &LoadedProfile,
    registry: &TypedExtensionRegistry,
    faults: &mut Vec<Diagnostic>,
) -> ExtensionSettings {
    let mut sections = loaded.profile.extensions.config.clone();
    loop {
        let error = match registry.configure(&sections) {
            Ok(settings) => return settings,
            Err(error) => error,
        };
        let path = match &error {
            ExtensionError::UnknownSettings { id, .. } | ExtensionError::NoSettings { id } => {
                format!("extensions.config.{id}")
            }
            ExtensionError::Settings { path, .. } => path.clone(),
            _ => "extensions.config".to_owned(),
        };
        let text = error.to_string();
        let problem = text.strip_prefix(&format!("`{path}`: ")).unwrap_or(&text);
        faults.push(loaded.diagnostic(&path, problem));
        // The next one is found without the section of this one.
        let below = path.strip_prefix("extensions.config.").unwrap_or_default();
        let section = sections
            .keys()
            .filter(|id| {
                let rest = below.strip_prefix(id.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
            .max_by_key(|id| id.len())
            .cloned();
        if section.and_then(|id| sections.remove(&id)).is_none() {
            return ExtensionSettings::default();
        }
    }
}
