use std::collections::{BTreeMap, BTreeSet};

use super::identity::Identity;
use super::nearest::nearest;
use super::register::Registration;
use super::registry::{RegisteredExtension, TypedExtensionRegistry};
use super::{BasePath, ExtensionEntry, ExtensionError, SchemaOwner, Site, claims, order};

/// Makes a registry: of what is linked, of what is named here, or of both.
#[derive(Debug, Clone, Default)]
pub struct ExtensionBuilder {
    entries: Vec<ExtensionEntry>,
    disabled: BTreeSet<String>,
}

impl ExtensionBuilder {
    /// A builder without extensions.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn from_entries(entries: impl IntoIterator<Item = ExtensionEntry>) -> Self {
        Self { entries: entries.into_iter().collect(), disabled: BTreeSet::new() }
    }

    /// Adds all extensions that are linked into this binary and registered by
    /// [`register_extension!`](crate::register_extension).
    #[must_use]
    pub fn linked(mut self) -> Self {
        let linked = inventory::iter::<Registration>();
        self.entries.extend(linked.map(Registration::entry));
        self
    }

    /// Adds an extension: `extension_entry!(MyExtension)` with everything it can do, or
    /// `ExtensionEntry::of(my_extension)` with the capabilities that are named there.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "a builder adds; it is no number")]
    pub fn add(mut self, entry: impl Into<ExtensionEntry>) -> Self {
        self.entries.push(entry.into());
        self
    }

    /// Leaves out the extensions of these ids.
    #[must_use]
    pub fn disable<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.disabled.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Checks that all extensions go together and puts them into their order.
    ///
    /// # Errors
    /// [`ExtensionError`] when ids, versions, dependencies, paths or tables do not go together, or a
    /// disabled id is unknown.
    pub fn build(self) -> Result<TypedExtensionRegistry, ExtensionError> {
        let mut known = self.entries.into_iter().map(register).collect::<Result<Vec<_>, _>>()?;
        known.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        check_ids(&known)?;
        check_disabled(&known, &self.disabled)?;
        let (disabled, enabled): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|extension| self.disabled.contains(extension.id()));
        let extensions = order::arrange(enabled, &self.disabled)?;
        claims::check_schemas(extensions.iter().map(RegisteredExtension::schema))?;
        check_paths(&extensions)?;
        Ok(TypedExtensionRegistry { extensions, disabled })
    }
}

fn register(entry: ExtensionEntry) -> Result<RegisteredExtension, ExtensionError> {
    let metadata = entry.extension.metadata();
    let identity = Identity::parse(&metadata, &entry.site)?;
    let id = identity.id.clone();
    let path = |text: &str| {
        BasePath::parse(text).map_err(|problem| ExtensionError::InvalidPath {
            id: id.clone(),
            path: text.to_owned(),
            problem,
        })
    };
    let prefix = metadata.route_prefix.as_deref().map(&path).transpose()?;
    let router = match entry.extension.router() {
        None => None,
        Some(router) => {
            let base = match (router.base(), &prefix) {
                (Some(base), _) => path(base)?,
                (None, Some(prefix)) => prefix.clone(),
                (None, None) => path(&format!("/ext/{id}"))?,
            };
            Some((base, router))
        }
    };
    let api_base = entry.api.as_ref().map(|api| path(api.base_path())).transpose()?;
    let schema = schema_of(&id, &entry);
    Ok(RegisteredExtension {
        order: metadata.order,
        description: metadata.description.into_owned(),
        identity,
        schema,
        router,
        api_base,
        prefix,
        entry,
    })
}

fn schema_of(id: &str, entry: &ExtensionEntry) -> SchemaOwner {
    let mut owner = SchemaOwner::new(id.to_owned());
    for definition in entry.extension.schemas() {
        owner = owner.definition(definition);
    }
    if let Some(schema) = &entry.schema {
        for definition in schema.definitions() {
            owner = owner.definition(definition);
        }
        for migration in schema.migrations() {
            owner = owner.migration(migration);
        }
    }
    owner
}

fn check_ids(known: &[RegisteredExtension]) -> Result<(), ExtensionError> {
    let mut sites: BTreeMap<&str, Site> = BTreeMap::new();
    for extension in known {
        let site = *extension.site();
        if let Some(other) = sites.insert(extension.id(), site) {
            return Err(ExtensionError::DuplicateId {
                id: extension.id().to_owned(),
                first: other.min(site),
                second: other.max(site),
            });
        }
    }
    Ok(())
}

fn check_disabled(
    known: &[RegisteredExtension],
    disabled: &BTreeSet<String>,
) -> Result<(), ExtensionError> {
    let ids: BTreeSet<&str> = known.iter().map(RegisteredExtension::id).collect();
    match disabled.iter().find(|id| !ids.contains(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(ExtensionError::UnknownDisabled {
            id: id.clone(),
            nearest: nearest(id, ids).map(str::to_owned),
        }),
    }
}

/// Checks the paths of all extensions. The two routers of one extension must not share a path, but
/// its claimed prefix may lie above its routes.
fn check_paths(extensions: &[RegisteredExtension]) -> Result<(), ExtensionError> {
    let mut claimed = Vec::new();
    for extension in extensions {
        let routes = extension.router.as_ref().map(|(base, _)| base);
        let routes: Vec<&BasePath> = routes.into_iter().chain(&extension.api_base).collect();
        let within: Vec<(&str, &BasePath)> =
            routes.iter().map(|base| (extension.id(), *base)).collect();
        claims::check_paths(&within)?;
        // A prefix stands for the routes below it; those outside of it count on their own.
        let covered = |base: &BasePath| {
            extension.prefix.as_ref().is_some_and(|prefix| base.lies_below(prefix))
        };
        claimed.extend(extension.prefix.iter().map(|prefix| (extension.id(), prefix)));
        claimed.extend(within.into_iter().filter(|(_, base)| !covered(base)));
    }
    claims::check_paths(&claimed)
}
