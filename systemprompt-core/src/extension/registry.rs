use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use semver::Version;
use serde_json::Value;

use super::identity::{Dependency, Identity};
use super::nearest::nearest;
use super::{
    BasePath, Capability, ExtensionBuilder, ExtensionEntry, ExtensionError, ExtensionRouter,
    ExtensionSettings, SchemaOwner, Site,
};

/// The extensions of an application, in the one order that everything goes by: the same in every
/// build of the same sources. A plain value: two registries know nothing of each other.
#[derive(Debug, Clone)]
pub struct TypedExtensionRegistry {
    pub(super) extensions: Vec<RegisteredExtension>,
    pub(super) disabled: Vec<RegisteredExtension>,
}

impl TypedExtensionRegistry {
    /// All extensions that are linked into this binary.
    ///
    /// # Errors
    /// [`ExtensionError`] when they do not go together.
    pub fn discover() -> Result<Self, ExtensionError> {
        ExtensionBuilder::new().linked().build()
    }

    /// This registry without the extensions of these ids.
    ///
    /// # Errors
    /// [`ExtensionError`] when there is no extension of such an id, or another one requires it.
    pub fn disable<I>(self, ids: I) -> Result<Self, ExtensionError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let disabled: Vec<String> = self.disabled.iter().map(|one| one.id().to_owned()).collect();
        let all = self.extensions.into_iter().chain(self.disabled);
        ExtensionBuilder::from_entries(all.map(|extension| extension.entry))
            .disable(disabled)
            .disable(ids)
            .build()
    }

    /// Makes sure that these extensions are here. A crate that nothing in the binary names is not
    /// linked, and its extension is missing without a word; this gives it one.
    ///
    /// # Errors
    /// [`ExtensionError::NotLinked`] with all missing ids,
    /// [`ExtensionError::RequiredButDisabled`] for one that was disabled.
    pub fn require<I>(&self, ids: I) -> Result<(), ExtensionError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut missing = Vec::new();
        for id in ids {
            let id = id.as_ref();
            if self.get(id).is_some() {
                continue;
            }
            if self.disabled.iter().any(|extension| extension.id() == id) {
                return Err(ExtensionError::RequiredButDisabled { id: id.to_owned() });
            }
            missing.push(id.to_owned());
        }
        if missing.is_empty() { Ok(()) } else { Err(ExtensionError::NotLinked { ids: missing }) }
    }

    /// The extensions in order.
    #[must_use]
    pub fn extensions(&self) -> &[RegisteredExtension] {
        &self.extensions
    }

    /// The extensions that are in the binary but disabled, by id.
    #[must_use]
    pub fn disabled(&self) -> &[RegisteredExtension] {
        &self.disabled
    }

    /// The extensions in order.
    pub fn iter(&self) -> slice::Iter<'_, RegisteredExtension> {
        self.extensions.iter()
    }

    /// The extension of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&RegisteredExtension> {
        self.extensions.iter().find(|extension| extension.id() == id)
    }

    /// What the extensions keep in the database, in order; those that keep nothing are left out.
    #[must_use]
    pub fn schema_owners(&self) -> Vec<SchemaOwner> {
        let keeps_something = |owner: &&SchemaOwner| {
            !owner.definitions().is_empty() || !owner.migrations().is_empty()
        };
        self.iter().map(|extension| &extension.schema).filter(keeps_something).cloned().collect()
    }

    /// Reads the settings of all extensions out of the sections under `extensions.config`.
    ///
    /// # Errors
    /// [`ExtensionError`] naming the path of what is unknown or wrong.
    pub fn configure(
        &self,
        sections: &BTreeMap<String, Value>,
    ) -> Result<ExtensionSettings, ExtensionError> {
        for id in sections.keys() {
            if self.disabled.iter().any(|extension| extension.id() == id) {
                continue;
            }
            match self.get(id) {
                Some(extension) if extension.entry.settings.is_some() => {}
                Some(_) => return Err(ExtensionError::NoSettings { id: id.clone() }),
                None => {
                    let near = nearest(id, self.iter().map(RegisteredExtension::id));
                    return Err(ExtensionError::UnknownSettings {
                        id: id.clone(),
                        nearest: near.map(str::to_owned),
                    });
                }
            }
        }
        let mut settings = ExtensionSettings::default();
        for extension in self {
            if let Some(reader) = &extension.entry.settings {
                let value = reader.read(extension.id(), sections.get(extension.id()))?;
                settings.0.insert(reader.key(), value);
            }
        }
        Ok(settings)
    }
}

impl<'r> IntoIterator for &'r TypedExtensionRegistry {
    type Item = &'r RegisteredExtension;
    type IntoIter = slice::Iter<'r, RegisteredExtension>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// An extension as the registry knows it.
#[derive(Debug, Clone)]
pub struct RegisteredExtension {
    pub(super) identity: Identity,
    pub(super) order: i32,
    pub(super) description: String,
    pub(super) schema: SchemaOwner,
    /// The routes of `Extension::router`, taken once so that what was checked is what is mounted.
    pub(super) router: Option<(BasePath, ExtensionRouter)>,
    pub(super) api_base: Option<BasePath>,
    pub(super) prefix: Option<BasePath>,
    pub(super) entry: ExtensionEntry,
}

impl RegisteredExtension {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.identity.id
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.identity.version
    }

    /// What it says about itself, in a sentence; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its place in the order; lower comes first.
    #[must_use]
    pub fn order(&self) -> i32 {
        self.order
    }

    /// What it requires.
    #[must_use]
    pub fn requires(&self) -> &[Dependency] {
        &self.identity.requires
    }

    /// Where it was registered.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.entry.site
    }

    /// What it keeps in the database.
    #[must_use]
    pub fn schema(&self) -> &SchemaOwner {
        &self.schema
    }

    /// The paths it claims, each once.
    #[must_use]
    pub fn paths(&self) -> Vec<&BasePath> {
        let routes = self.router.as_ref().map(|(base, _)| base);
        let paths: BTreeSet<&BasePath> =
            routes.into_iter().chain(&self.api_base).chain(&self.prefix).collect();
        paths.into_iter().collect()
    }

    /// What it can do.
    #[must_use]
    pub fn capabilities(&self) -> Vec<Capability> {
        let keeps = !self.schema.definitions().is_empty() || !self.schema.migrations().is_empty();
        let has = [
            (Capability::Schema, keeps),
            (Capability::Api, self.router.is_some() || self.entry.api.is_some()),
            (Capability::Jobs, self.entry.jobs.is_some()),
            (Capability::Providers, self.entry.providers.is_some()),
            (Capability::Config, self.entry.settings.is_some()),
            (Capability::Checks, self.entry.checks.is_some()),
            (Capability::SecretRules, self.entry.secret_rules.is_some()),
        ];
        has.into_iter().filter(|(_, has)| *has).map(|(capability, _)| capability).collect()
    }

    pub(super) fn sort_key(&self) -> (i32, &str, &Site) {
        (self.order, self.id(), self.site())
    }
}
