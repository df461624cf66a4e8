//! Puts extensions into the one order that everything goes by.

use std::collections::{BTreeMap, BTreeSet};

use super::ExtensionError;
use super::nearest::nearest;
use super::registry::RegisteredExtension;

/// The id that stands for the family itself.
const FAMILY: &str = "systemprompt";

/// Sorts by order, id and place, and then so that what is required comes first; among those that are
/// free to go, the first of the sort goes.
pub(super) fn arrange(
    mut extensions: Vec<RegisteredExtension>,
    disabled: &BTreeSet<String>,
) -> Result<Vec<RegisteredExtension>, ExtensionError> {
    extensions.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    for extension in &extensions {
        check_dependencies(extension, &extensions, disabled)?;
    }
    let mut arranged: Vec<RegisteredExtension> = Vec::with_capacity(extensions.len());
    let mut placed = BTreeSet::from([FAMILY.to_owned()]);
    while !extensions.is_empty() {
        let free = extensions.iter().position(|extension| {
            extension.requires().iter().all(|dependency| placed.contains(dependency.id()))
        });
        let Some(free) = free else { return Err(cycle(&extensions)) };
        let extension = extensions.remove(free);
        placed.insert(extension.id().to_owned());
        arranged.push(extension);
    }
    Ok(arranged)
}

fn check_dependencies(
    extension: &RegisteredExtension,
    all: &[RegisteredExtension],
    disabled: &BTreeSet<String>,
) -> Result<(), ExtensionError> {
    for dependency in extension.requires() {
        let found = if dependency.id() == FAMILY {
            Some(env!("CARGO_PKG_VERSION").parse().unwrap_or(semver::Version::new(0, 0, 0)))
        } else {
            all.iter().find(|other| other.id() == dependency.id()).map(|o| o.version().clone())
        };
        let (id, requirement) = (extension.id().to_owned(), dependency.version().to_string());
        match found {
            Some(version) if dependency.version().matches(&version) => {}
            Some(version) => {
                return Err(ExtensionError::VersionMismatch {
                    id,
                    dependency: dependency.id().to_owned(),
                    requirement,
                    found: version.to_string(),
                });
            }
            None => {
                let is_disabled = disabled.contains(dependency.id());
                let others = all.iter().map(|other| other.id()).filter(|other| *other != id);
                let near = nearest(dependency.id(), others).filter(|_| !is_disabled);
                return Err(ExtensionError::MissingDependency {
                    dependency: dependency.id().to_owned(),
                    requirement,
                    disabled: is_disabled,
                    nearest: near.map(str::to_owned),
                    id,
                });
            }
        }
    }
    Ok(())
}

/// Names the ids along a cycle, given that none of `stuck` is free to go.
fn cycle(stuck: &[RegisteredExtension]) -> ExtensionError {
    let ids: BTreeSet<&str> = stuck.iter().map(RegisteredExtension::id).collect();
    // Every stuck extension requires another stuck one; following those comes around.
    let next: BTreeMap<&str, &str> = stuck
        .iter()
        .filter_map(|extension| {
            let needs = extension.requires().iter().map(|dependency| dependency.id());
            Some((extension.id(), needs.into_iter().find(|id| ids.contains(id))?))
        })
        .collect();
    let mut path: Vec<&str> = Vec::new();
    let mut at = stuck.first().map_or("", RegisteredExtension::id);
    while !path.contains(&at) {
        path.push(at);
        match next.get(at) {
            Some(id) => at = id,
            None => break,
        }
    }
    let ids = path.iter().skip_while(|id| **id != at).map(|id| (*id).to_owned());
    ExtensionError::Cycle { ids: ids.chain([at.to_owned()]).collect() }
}
