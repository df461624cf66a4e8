use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::SchemaError;
use super::statement::forbidden;
use crate::clock::Timestamp;
use crate::extension::{Backend, SchemaOwner};

/// What a step installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A table or view of its owner.
    Definition,
    /// A later change.
    Migration,
}

impl StepKind {
    /// `definition` or `migration`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Migration => "migration",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Definition, Self::Migration].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One definition or migration of one owner, and what has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchemaStep {
    /// The owner.
    pub owner: String,
    /// Definition or migration.
    pub kind: StepKind,
    /// The table, in lower case, or the migration.
    pub name: String,
    /// What has become of it.
    #[serde(flatten)]
    pub state: StepState,
}

/// What has become of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum StepState {
    /// Installed, with the text it still has.
    Applied {
        /// The how-manieth it was in this database, from 1.
        position: i64,
        /// When.
        applied_at: Timestamp,
    },
    /// Not installed yet.
    Pending,
    /// Installed with another text.
    Drifted,
    /// Installed, but its owner no longer brings it.
    Removed,
}

/// A step with the SQL that installs it.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) owner: String,
    pub(super) kind: StepKind,
    pub(super) name: String,
    pub(super) sql: String,
    /// What undoes it, where that is known.
    pub(super) down: Option<String>,
    pub(super) checksum: String,
}

/// The scripts of `owner`, definitions first.
pub(super) fn scripts(owner: &SchemaOwner, backend: Backend) -> Result<Vec<Script>, SchemaError> {
    let definitions = owner.definitions().iter().map(|definition| {
        let name = definition.table().to_ascii_lowercase();
        (StepKind::Definition, name, definition.sql(backend), None)
    });
    let migrations = owner.migrations().iter().map(|migration| {
        let (up, down) = (migration.sql(backend), migration.down_sql(backend));
        (StepKind::Migration, migration.name().to_owned(), up, down)
    });
    let script = |(kind, name, sql, down): (StepKind, String, Option<&str>, Option<&str>)| {
        let owner = owner.name().to_owned();
        let Some(sql) = sql else {
            let backend = backend.as_str();
            return Err(SchemaError::NoSqlForBackend { owner, kind, name, backend });
        };
        let found = [Some(sql), down].into_iter().flatten().find_map(|sql| forbidden(sql, backend));
        if let Some(statement) = found {
            return Err(SchemaError::Forbidden { owner, kind, name, statement });
        }
        let down = down.map(ToOwned::to_owned);
        Ok(Script { owner, kind, name, checksum: checksum(sql), sql: sql.to_owned(), down })
    };
    definitions.chain(migrations).map(script).collect()
}

/// SHA-256 over the text with `\n` line ends, so that a checkout with other line ends is no drift.
fn checksum(sql: &str) -> String {
    hex::encode(Sha256::digest(sql.replace("\r\n", "\n").as_bytes()))
}
