//! Who claims what: owners, tables and migrations must be unique.

use std::collections::{BTreeMap, BTreeSet};

use super::SchemaError;
use crate::extension::SchemaOwner;

/// Checks that no owner, table or migration occurs twice and that tables have proper names.
pub(super) fn check(owners: &[SchemaOwner]) -> Result<(), SchemaError> {
    let mut names = BTreeSet::new();
    let mut tables: BTreeMap<String, &str> = BTreeMap::new();
    for owner in owners {
        if !names.insert(owner.name()) {
            return Err(SchemaError::DuplicateOwner { owner: owner.name().to_owned() });
        }
        for definition in owner.definitions() {
            let table = definition.table();
            if !is_table_name(table) {
                return Err(SchemaError::TableName {
                    owner: owner.name().to_owned(),
                    table: table.to_owned(),
                });
            }
            if let Some(first) = tables.insert(table.to_ascii_lowercase(), owner.name()) {
                return Err(SchemaError::TableOwnedTwice {
                    table: table.to_owned(),
                    first: first.to_owned(),
                    second: owner.name().to_owned(),
                });
            }
        }
        migrations(owner)?;
    }
    Ok(())
}

fn migrations(owner: &SchemaOwner) -> Result<(), SchemaError> {
    let mut names = BTreeSet::new();
    match owner.migrations().iter().find(|migration| !names.insert(migration.name())) {
        None => Ok(()),
        Some(twice) => Err(SchemaError::DuplicateMigration {
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
