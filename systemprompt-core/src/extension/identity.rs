//! Parses what an extension says about itself.

use semver::{Version, VersionReq};

use super::entry::Site;
use super::{ExtensionError, ExtensionMetadata};

/// An extension's metadata, checked.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) version: Version,
    pub(super) requires: Vec<Dependency>,
}

/// What an extension requires.
#[derive(Debug, Clone)]
pub struct Dependency {
    pub(super) id: String,
    pub(super) version: VersionReq,
}

impl Dependency {
    /// The id of the extension that is required.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The versions that do.
    #[must_use]
    pub fn version(&self) -> &VersionReq {
        &self.version
    }
}

impl Identity {
    pub(super) fn parse(metadata: &ExtensionMetadata, site: &Site) -> Result<Self, ExtensionError> {
        let id = metadata.id.to_string();
        if !is_id(&id) {
            return Err(ExtensionError::InvalidId { id, site: *site });
        }
        if id.starts_with("systemprompt") {
            return Err(ExtensionError::ReservedId { id, site: *site });
        }
        let version =
            Version::parse(&metadata.version).map_err(|source| ExtensionError::InvalidVersion {
                id: id.clone(),
                version: metadata.version.to_string(),
                site: *site,
                source,
            })?;
        let requires = metadata
            .requires
            .iter()
            .map(|requirement| match VersionReq::parse(&requirement.version) {
                Ok(version) => Ok(Dependency { id: requirement.id.to_string(), version }),
                Err(source) => Err(ExtensionError::InvalidRequirement {
                    id: id.clone(),
                    requirement: format!("{} {}", requirement.id, requirement.version),
                    site: *site,
                    source,
                }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { id, version, requires })
    }
}

fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && !id.ends_with('-')
}
