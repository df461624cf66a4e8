use super::super::DatabaseError;
use super::StepKind;
use crate::extension::SchemaConflict;

/// Why a schema was not installed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// What the owners claim does not go together.
    #[error(transparent)]
    Conflict(#[from] SchemaConflict),
    /// A definition or migration that has no SQL for the database in use.
    #[error("the {kind} `{name}` of `{owner}` has no SQL for {backend}")]
    NoSqlForBackend {
        /// The owner.
        owner: String,
        /// What it is.
        kind: StepKind,
        /// Its name.
        name: String,
        /// The backend.
        backend: &'static str,
    },
    /// A script with a statement that would leave the installer's transaction.
    #[error(
        "the {kind} `{name}` of `{owner}` has a `{statement}` statement; everything is installed in \
         one transaction, which no script may leave"
    )]
    Forbidden {
        /// The owner.
        owner: String,
        /// What it is.
        kind: StepKind,
        /// Its name.
        name: String,
        /// The statement, by its keyword.
        statement: &'static str,
    },
    /// The text of something installed is not the text that was installed.
    #[error("the {kind} `{name}` of `{owner}` {}", drift(owner))]
    Drift {
        /// The owner.
        owner: String,
        /// What it is.
        kind: StepKind,
        /// Its name.
        name: String,
    },
    /// A new migration that stands before one that is installed already.
    #[error(
        "the migration `{name}` of `{owner}` is new but stands before `{installed}`, which is \
         installed; new migrations go to the end"
    )]
    OutOfOrder {
        /// The owner.
        owner: String,
        /// The new migration.
        name: String,
        /// The installed one.
        installed: String,
    },
    /// A migration that is to be undone and cannot be.
    #[error("the migration `{name}` of `{owner}` has no SQL for {backend} that undoes it")]
    NoDown {
        /// The owner.
        owner: String,
        /// The migration.
        name: String,
        /// The backend.
        backend: &'static str,
    },
    /// An owner that brings no schema.
    #[error("`{owner}` brings no schema; those that do are {}", quoted(known))]
    UnknownOwner {
        /// The owner.
        owner: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// The database refused the SQL.
    #[error("the {kind} `{name}` of `{owner}` does not run")]
    Script {
        /// The owner.
        owner: String,
        /// What it is.
        kind: StepKind,
        /// Its name.
        name: String,
        /// What the database said.
        source: sqlx::Error,
    },
    /// The SQL of a definition ran but its table is not there.
    #[error("the definition `{table}` of `{owner}` does not make a table or view of that name")]
    TableNotMade {
        /// The owner.
        owner: String,
        /// The table.
        table: String,
    },
    /// The record of what is installed holds something it cannot.
    #[error(
        "the table `systemprompt_schema` is damaged: `{owner}` has an entry of unknown kind `{kind}`"
    )]
    Ledger {
        /// The owner of the entry.
        owner: String,
        /// The kind found.
        kind: String,
    },
    /// The database itself failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl From<sqlx::Error> for SchemaError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What is wrong, and what whoever reads this can do: the family's own schema is changed by nobody but
/// another version of it.
fn drift(owner: &str) -> &'static str {
    if owner.starts_with("systemprompt-") {
        "is not the one in this database, which another version of systemprompt has made and this one \
         cannot migrate; keep it with that version, or start with a new data folder"
    } else {
        "was changed after it was installed; restore its text and put the change into a new migration"
    }
}
