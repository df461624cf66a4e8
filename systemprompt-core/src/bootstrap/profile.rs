use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::more_models::add_models;
use crate::config::{
    self, ConfigError, DatabaseUrl, Environment, LoadedProfile, ModelsSection, Profile,
};

/// First stage: the profile is read and every value in it is valid.
#[derive(Debug, Clone)]
pub struct ProfileBootstrap {
    pub(super) loaded: LoadedProfile,
    pub(super) environment: Environment,
    pub(super) data_folder: Option<PathBuf>,
    pub(super) more_models: Option<Arc<ModelsSection>>,
}

impl ProfileBootstrap {
    /// Loads the profile in the file `path`.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong with it.
    pub fn load(path: impl AsRef<Path>, environment: Environment) -> Result<Self, ConfigError> {
        let loaded = config::load(path, &environment)?;
        Ok(Self { loaded, environment, data_folder: None, more_models: None })
    }

    /// Takes a profile that was made in code. Its relative paths are relative to the working folder.
    ///
    /// # Errors
    /// [`ConfigError`] with every value that is out of range.
    pub fn from_profile(profile: Profile, environment: Environment) -> Result<Self, ConfigError> {
        let loaded = LoadedProfile::in_memory(profile);
        loaded.check()?;
        Ok(Self { loaded, environment, data_folder: None, more_models: None })
    }

    /// Keeps generated files in `folder` (by default where the database is), and the database too
    /// unless the profile names its place.
    #[must_use]
    pub fn with_data_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        place_database(&mut self.loaded, &folder);
        self.data_folder = Some(folder);
        self
    }

    /// Adds providers of models that the host knows of, and the routes to them, behind those of the profile.
    ///
    /// The profile comes first: a provider that it has by the same name is not added, nor a route whose
    /// requests all go elsewhere already, nor a provider that no route is left for. Aliases, prices and
    /// budgets are the profile's alone.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong with what was added.
    pub fn with_models(mut self, more: ModelsSection) -> Result<Self, ConfigError> {
        add_models(&mut self.loaded.profile.models, &more);
        self.loaded.check()?;
        self.more_models = Some(Arc::new(more));
        Ok(self)
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.loaded.profile
    }

    /// The variables that were filled in.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The profile and where its parts were written.
    #[must_use]
    pub fn loaded(&self) -> &LoadedProfile {
        &self.loaded
    }
}

/// Puts the database into `folder`, unless the profile names its place.
pub(super) fn place_database(loaded: &mut LoadedProfile, folder: &Path) {
    let url = &mut loaded.profile.database.url;
    let named = loaded.sources.find("database.url").is_some();
    let name = |url: &DatabaseUrl| url.path().and_then(Path::file_name).map(ToOwned::to_owned);
    if !named && name(url) == name(&DatabaseUrl::default()) {
        *url = DatabaseUrl::default().within(folder);
    }
}
