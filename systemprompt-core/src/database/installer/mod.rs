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

use self::ledger::Installed;
use self::step::Script;
use super::{DbPool, DbTransaction};
use crate::clock::Clock;
use crate::extension::claims::check_schemas;
use crate::extension::{Backend, SchemaOwner};

/// Installs the schemas of a list of owners.
#[derive(Debug, Clone)]
pub struct SchemaInstaller {
    owners: Vec<SchemaOwner>,
}

impl SchemaInstaller {
    /// An installer for `owners`, in this order.
    ///
    /// # Errors
    /// [`SchemaError`] when an owner, a table or a migration occurs twice, or a table has no proper
    /// name.
    pub fn new(owners: &[SchemaOwner]) -> Result<Self, SchemaError> {
        check_schemas(owners)?;
        Ok(Self { owners: owners.to_vec() })
    }

    /// Whether everything has SQL for `backend`, and none that leaves the transaction.
    ///
    /// # Errors
    /// [`SchemaError`] for the first that has not.
    pub fn check(&self, backend: Backend) -> Result<(), SchemaError> {
        Scripts::of(self, backend).map(|_| ())
    }

    /// Everything there is to install and everything that was installed, each with its state. Writes
    /// nothing; drift is a state here and no error.
    ///
    /// # Errors
    /// [`SchemaError`] when something has no SQL for the backend, or the database cannot be read.
    pub async fn status(&self, database: &DbPool) -> Result<Vec<SchemaStep>, SchemaError> {
        let scripts = Scripts::of(self, database.backend())?;
        let mut connection = database.connect().await?;
        let installed = ledger::read(connection.driver()).await?;
        connection.close().await?;
        Ok(scripts.compare(&installed))
    }

    /// What [`Self::apply`] would install. Writes nothing.
    ///
    /// # Errors
    /// [`SchemaError`] when something has no SQL for the backend, something installed has changed, a
    /// migration came out of order, or the database cannot be read.
    pub async fn plan(&self, database: &DbPool) -> Result<Vec<SchemaStep>, SchemaError> {
        let scripts = Scripts::of(self, database.backend())?;
        let mut connection = database.connect().await?;
        let installed = ledger::read(connection.driver()).await?;
        connection.close().await?;
        Ok(scripts.pending(&installed)?.into_iter().map(pending_step).collect())
    }

    /// Installs what is not installed yet, all or nothing, and returns it. Doing it twice does
    /// nothing the second time; of several processes that start together, one installs and the
    /// others wait for it.
    ///
    /// # Errors
    /// [`SchemaError`] when something has no SQL for the backend, something installed has changed, a
    /// migration came out of order, a script does not run, or the database fails.
    pub async fn apply(
        &self,
        database: &DbPool,
        clock: &dyn Clock,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        let scripts = Scripts::of(self, database.backend())?;
        let mut connection = database.connect().await?;
        // Without the lock first: a start that has nothing to install does not wait for a writer.
        let installed = ledger::read(connection.driver()).await?;
        let mut applied = Vec::new();
        if !scripts.pending(&installed)?.is_empty() {
            let transaction = ledger::lock(&mut connection).await?;
            applied = scripts.install(transaction, clock).await?;
        }
        connection.close().await?;
        Ok(applied)
    }

    /// Undoes the last `count` migrations of `owner`, the last first, all or nothing, and returns
    /// them. Definitions stay.
    ///
    /// # Errors
    /// [`SchemaError`] when there is no such owner, a migration has no SQL that undoes it or has
    /// changed, a script does not run, or the database fails.
    pub async fn down(
        &self,
        database: &DbPool,
        owner: &str,
        count: usize,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        let scripts = Scripts::of(self, database.backend())?;
        if !self.owners.iter().any(|known| known.name() == owner) {
            let known = self.owners.iter().map(|known| known.name().to_owned()).collect();
            return Err(SchemaError::UnknownOwner { owner: owner.to_owned(), known });
        }
        let mut connection = database.connect().await?;
        let transaction = ledger::lock(&mut connection).await?;
        let undone = scripts.undo(transaction, owner, count).await?;
        connection.close().await?;
        Ok(undone)
    }
}

/// What an installer brings, for one backend.
struct Scripts {
    backend: Backend,
    scripts: Vec<Script>,
}

impl Scripts {
    fn of(installer: &SchemaInstaller, backend: Backend) -> Result<Self, SchemaError> {
        let mut scripts = Vec::new();
        for owner in &installer.owners {
            scripts.extend(step::scripts(owner, backend)?);
        }
        Ok(Self { backend, scripts })
    }

    async fn install(
        &self,
        mut transaction: DbTransaction<'_>,
        clock: &dyn Clock,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        ledger::create(transaction.driver()).await?;
        let installed = ledger::read(transaction.driver()).await?;
        let pending = self.pending(&installed)?;
        let mut position = installed.iter().map(|row| row.position).max().unwrap_or(0);
        for script in &pending {
            position += 1;
            run(&mut transaction, script, &script.sql).await?;
            check_made(&mut transaction, script).await?;
            ledger::record(transaction.driver(), script, position, clock.now()).await?;
        }
        transaction.commit().await?;
        Ok(pending.into_iter().map(pending_step).collect())
    }

    async fn undo(
        &self,
        mut transaction: DbTransaction<'_>,
        owner: &str,
        count: usize,
    ) -> Result<Vec<SchemaStep>, SchemaError> {
        let installed = ledger::read(transaction.driver()).await?;
        let migrations = installed
            .iter()
            .rev()
            .filter(|row| row.owner == owner && row.kind == StepKind::Migration);
        let mut undone = Vec::new();
        for row in migrations.take(count) {
            let name = || row.name.clone();
            let script = self.scripts.iter().find(|script| row.is(script));
            let known = script.and_then(|script| Some((script, script.down.as_deref()?)));
            let Some((script, down)) = known else {
                let backend = self.backend.as_str();
                return Err(SchemaError::NoDown { owner: owner.to_owned(), name: name(), backend });
            };
            if row.checksum != script.checksum {
                return Err(drift(script));
            }
            run(&mut transaction, script, down).await?;
            ledger::remove(transaction.driver(), script).await?;
            undone.push(pending_step(script));
        }
        transaction.commit().await?;
        Ok(undone)
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
                return Err(drift(script));
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

fn drift(script: &Script) -> SchemaError {
    SchemaError::Drift { owner: script.owner.clone(), kind: script.kind, name: script.name.clone() }
}

async fn run(
    transaction: &mut DbTransaction<'_>,
    script: &Script,
    sql: &str,
) -> Result<(), SchemaError> {
    ledger::run(transaction.driver(), sql).await.map_err(|source| SchemaError::Script {
        owner: script.owner.clone(),
        kind: script.kind,
        name: script.name.clone(),
        source,
    })
}

/// A definition makes the table or view that it is named after.
async fn check_made(
    transaction: &mut DbTransaction<'_>,
    script: &Script,
) -> Result<(), SchemaError> {
    let made = script.kind != StepKind::Definition
        || ledger::has_relation(transaction.driver(), &script.name).await?;
    if made {
        return Ok(());
    }
    Err(SchemaError::TableNotMade { owner: script.owner.clone(), table: script.name.clone() })
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
