//! Who claims what: owners, tables, migrations and paths must be unique.

use std::collections::{BTreeMap, BTreeSet};

use super::{BasePath, ExtensionError, SchemaOwner};

/// Two owners of schemas, or one with itself, do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaConflict {
    /// Two owners of the same name.
    #[error("the schema owner `{owner}` occurs twice")]
    DuplicateOwner {
        /// The owner.
        owner: String,
    },
    /// A table that two definitions claim; names are compared without regard to case.
    #[error("the table `{table}` is owned twice: by `{first}` and by `{second}`")]
    TableOwnedTwice {
        /// The table.
        table: String,
        /// The owner that comes first.
        first: String,
        /// The owner that comes later.
        second: String,
    },
    /// Two migrations of one owner with the same name.
    #[error("`{owner}` has two migrations named `{name}`")]
    DuplicateMigration {
        /// The owner.
        owner: String,
        /// The migration.
        name: String,
    },
    /// A table name that is not a plain SQL identifier.
    #[error(
        "`{owner}` names the table `{table}`; a table is a letter or `_` followed by letters, digits \
         and `_`, at most 63 in all, and does not start with `sqlite_` or `systemprompt_schema`"
    )]
    TableName {
        /// The owner.
        owner: String,
        /// The name as it was given.
        table: String,
    },
}

/// Checks that no owner, table or migration occurs twice and that tables have proper names.
pub(crate) fn check_schemas<'o>(
    owners: impl IntoIterator<Item = &'o SchemaOwner>,
) -> Result<(), SchemaConflict> {
    let mut names = BTreeSet::new();
    let mut tables: BTreeMap<String, &str> = BTreeMap::new();
    for owner in owners {
        if !names.insert(owner.name()) {
            return Err(SchemaConflict::DuplicateOwner { owner: owner.name().to_owned() });
        }
        for definition in owner.definitions() {
            let table = definition.table();
            if !is_table_name(table) {
                return Err(SchemaConflict::TableName {
                    owner: owner.name().to_owned(),
                    table: table.to_owned(),
                });
            }
            if let Some(first) = tables.insert(table.to_ascii_lowercase(), owner.name()) {
                return Err(SchemaConflict::TableOwnedTwice {
                    table: table.to_owned(),
                    first: first.to_owned(),
                    second: owner.name().to_owned(),
                });
            }
        }
        check_migrations(owner)?;
    }
    Ok(())
}

fn check_migrations(owner: &SchemaOwner) -> Result<(), SchemaConflict> {
    let mut names = BTreeSet::new();
    match owner.migrations().iter().find(|migration| !names.insert(migration.name())) {
        None => Ok(()),
        Some(twice) => Err(SchemaConflict::DuplicateMigration {
            owner: owner.name().to_owned(),
            name: twice.name().to_owned(),
        }),
    }
}

fn is_table_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !lower.starts_with("sqlite_")
        && !lower.starts_with("systemprompt_schema")
}

/// Checks that no path is claimed twice or belongs to the family. One extension may claim the same
/// path once as a prefix and once for its routes.
pub(super) fn check_paths(claims: &[(&str, &BasePath)]) -> Result<(), ExtensionError> {
    for (index, (extension, path)) in claims.iter().enumerate() {
        if let Some(reserved) = path.reserved() {
            return Err(ExtensionError::ReservedPath {
                id: (*extension).to_owned(),
                path: path.to_string(),
                reserved,
            });
        }
        let earlier = claims.iter().take(index).find(|(_, other)| path.overlaps(other.as_str()));
        if let Some((first, first_path)) = earlier {
            return Err(ExtensionError::OverlappingPaths {
                first: (*first).to_owned(),
                first_path: first_path.to_string(),
                second: (*extension).to_owned(),
                second_path: path.to_string(),
            });
        }
    }
    Ok(())
}
