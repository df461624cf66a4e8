//! Installs what the family and its extensions keep in the database, once and in order.
//!
//! Every owner hands in a [`SchemaOwner`]. What was installed is recorded in the table
//! `systemprompt_schema` with a SHA-256 of its text, so that a text that changed afterwards is
//! noticed instead of silently ignored.

mod error;
mod ledger;
mod statement;
mod step;

pub use error::SchemaError;
pub use step::{SchemaStep, StepKind, StepState};

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use self::ledger::Installed;
use self::step::Script;
use super::DbPool;
use crate::clock::Clock;
use crate::extension::claims::check_schemas;
use crate::extension::{Backend, SchemaOwner};

/// Installs the schemas of a list of owners.
#[derive(Debug, Clone)]
pub struct SchemaInstaller {
    scripts: Vec<Script>,
}

impl SchemaInstaller {
    /// An installer for `owners`, in this order.
    ///
    /// # Errors
    /// [`SchemaError`] when an owner, a table or a migration occurs twice, a table has no proper
    /// name, or something has no SQL for the backend or SQL that leaves the transaction.
    pub fn new(owners: &[SchemaOwner]) -> Result<Self, SchemaError> {
        check_schemas(owners)?;
        let mut scripts = Vec::new();
        for owner in owners {
            scripts.extend(step::scripts(owner, Backend::Sqlite)?);
        }
        Ok(Self { scripts })
    }

    /// Everything there is to install and everything that was installed, each with its state. Writes
    /// nothing; drift is a state here and no error.
    ///
    /// # Errors
    /// [`SchemaError`] when the database cannot be read.
    pub async fn status(&self, database: &DbPool) -> Result<Vec<SchemaStep>, SchemaError> {
        let mut connection = database.connect().await?;
        let installed = ledger::read(&mut connection).await?;
        connection.close().await?;
        Ok(self.compare(&installed))
    }

    /// What [`Self::apply`] would install. Writes nothing.
    ///
    /// # Errors
    /// [`SchemaError`] when something installed has changed, a migration came out of order, or the
    /// database cannot be read.
    pub async fn plan(&self, database: &DbPool) -> Result<Vec<SchemaStep>, SchemaError> {
        let mut connection = database.connect().await?;
        let installed = ledger::read(&mut connection).await?;
        connection.close().await?;
        Ok(self.pending(&installed)?.into_iter().map(pending_step).collect())
    }

    /// Installs what is not installed yet, all or nothing, and returns it. Doing it twice does
    /// nothing the second time; of several processes that start together, one installs and the
    /// others wait for it.
    ///
    /// # Errors
    /// [`SchemaError`] when something installed has changed, a migration came out of order, a script
    /// does not run, or the database fails.
    pub async fn apply(
        &self,
        database: &DbPool,
        clock: &dyn Clock,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        let mut connection = database.connect().await?;
        // Without the lock first: a start that has nothing to install does not wait for a writer.
        let installed = ledger::read(&mut connection).await?;
        let applied = if self.pending(&installed)?.is_empty() {
            Vec::new()
        } else {
            self.install(&mut connection, clock).await?
        };
        connection.close().await?;
        Ok(applied)
    }

    async fn install(
        &self,
        connection: &mut SqliteConnection,
        clock: &dyn Clock,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        // Another process may be installing, which may take longer than an ordinary write.
        sqlx::raw_sql("PRAGMA busy_timeout = 30000").execute(&mut *connection).await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        ledger::create(&mut transaction).await?;
        let installed = ledger::read(&mut transaction).await?;
        let pending = self.pending(&installed)?;
        let mut position = installed.iter().map(|row| row.position).max().unwrap_or(0);
        for script in &pending {
            position += 1;
            run(&mut transaction, script).await?;
            ledger::record(&mut transaction, script, position, clock.now()).await?;
        }
        transaction.commit().await?;
        Ok(pending.into_iter().map(pending_step).collect())
    }

    /// The scripts that are not installed, given that all that are have kept text and order.
    fn pending(&self, installed: &[Installed]) -> Result<Vec<&Script>, SchemaError> {
        let mut pending: Vec<&Script> = Vec::new();
        for script in &self.scripts {
            let Some(row) = installed.iter().find(|row| row.is(script)) else {
                pending.push(script);
                continue;
            };
            if row.checksum != script.checksum {
                return Err(SchemaError::Drift {
                    owner: script.owner.clone(),
                    kind: script.kind,
                    name: script.name.clone(),
                });
            }
            let skipped = pending.iter().find(|new| {
                new.owner == script.owner && (new.kind, script.kind) == MIGRATION_BEFORE_MIGRATION
            });
            if let Some(new) = skipped {
                return Err(SchemaError::OutOfOrder {
                    owner: script.owner.clone(),
                    name: new.name.clone(),
                    installed: script.name.clone(),
                });
            }
        }
        Ok(pending)
    }

    fn compare(&self, installed: &[Installed]) -> Vec<SchemaStep> {
        let wanted = self.scripts.iter().map(|script| SchemaStep {
            state: match installed.iter().find(|row| row.is(script)) {
                None => StepState::Pending,
                Some(row) if row.checksum != script.checksum => StepState::Drifted,
                Some(row) => {
                    StepState::Applied { position: row.position, applied_at: row.applied_at }
                }
            },
            ..pending_step(script)
        });
        let removed = installed
            .iter()
            .filter(|row| !self.scripts.iter().any(|script| row.is(script)))
            .map(|row| SchemaStep {
                owner: row.owner.clone(),
                kind: row.kind,
                name: row.name.clone(),
                state: StepState::Removed,
            });
        wanted.chain(removed).collect()
    }
}

const MIGRATION_BEFORE_MIGRATION: (StepKind, StepKind) = (StepKind::Migration, StepKind::Migration);

fn pending_step(script: &Script) -> SchemaStep {
    SchemaStep {
        owner: script.owner.clone(),
        kind: script.kind,
        name: script.name.clone(),
        state: StepState::Pending,
    }
}

async fn run(connection: &mut SqliteConnection, script: &Script) -> Result<(), SchemaError> {
    sqlx::raw_sql(AssertSqlSafe(script.sql.as_str())).execute(&mut *connection).await.map_err(
        |source| SchemaError::Script {
            owner: script.owner.clone(),
            kind: script.kind,
            name: script.name.clone(),
            source,
        },
    )?;
    let is_definition = script.kind == StepKind::Definition;
    if is_definition && !ledger::has_relation(connection, &script.name).await? {
        return Err(SchemaError::TableNotMade {
            owner: script.owner.clone(),
            table: script.name.clone(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
