//! `db status`, `db migrate`, `db rollback`.

use std::path::Path;

use systemprompt_audit::append_in;
use systemprompt_core::database::{SchemaStep, StepState};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::extension::TypedExtensionRegistry;

use crate::args::DbCommand;
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session::Session;

pub(crate) async fn run(
    command: DbCommand,
    profile: &Path,
    linked: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    match command {
        DbCommand::Status => status(profile, linked, output).await,
        DbCommand::Migrate { plan: true } => plan(profile, linked, output).await,
        DbCommand::Migrate { plan: false } => migrate(profile, linked, output).await,
        DbCommand::Rollback { owner, steps } => {
            rollback(&owner, steps, profile, linked, output).await
        }
    }
}

async fn status(
    profile: &Path,
    linked: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    let session = Session::connect(profile, linked, false).await?;
    let steps = session.installer()?.status(&session.database).await.map_err(Failure::database)?;
    print(&steps, output)?;
    let drifted: Vec<_> = steps
        .iter()
        .filter(|step| step.state == StepState::Drifted)
        .map(|step| format!("`{}` of `{}`", step.name, step.owner))
        .collect();
    if drifted.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Database,
        format!("installed with another text: {}", drifted.join(", ")),
    ))
}

async fn plan(
    profile: &Path,
    linked: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    let session = Session::connect(profile, linked, false).await?;
    let steps = session.installer()?.plan(&session.database).await.map_err(Failure::database)?;
    print(&steps, output)
}

async fn rollback(
    owner: &str,
    steps: u16,
    profile: &Path,
    linked: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    let session = Session::connect(profile, linked, false).await?;
    let undone = session.installer()?.down(&session.database, owner, usize::from(steps)).await;
    let undone = undone.map_err(Failure::database)?;
    record(&session, "undone", &undone).await?;
    if !output.is_json() {
        output.note(&format!("{} undone", undone.len()));
    }
    print(&undone, output)
}

/// Records what was done to the schemas.
async fn record(session: &Session, what: &str, steps: &[SchemaStep]) -> Result<(), Failure> {
    if steps.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = steps.iter().map(|s| format!("{}/{}", s.owner, s.name)).collect();
    let detail = serde_json::json!({ what: names });
    let event = AuditEvent::system(session.clock.now(), EventKind::SchemaMigrated, detail);
    let mut change = session.database.begin_write().await.map_err(Failure::database)?;
    append_in(&mut change, vec![event]).await.map_err(Failure::database)?;
    change.commit().await.map_err(Failure::database)
}

async fn migrate(
    profile: &Path,
    linked: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    let session = Session::connect(profile, linked, true).await?;
    let installer = session.installer()?;
    let steps =
        installer.apply(&session.database, &*session.clock).await.map_err(Failure::database)?;
    record(&session, "installed", &steps).await?;
    if !output.is_json() {
        output.note(&format!("{} installed", steps.len()));
    }
    let installed = installer.status(&session.database).await.map_err(Failure::database)?;
    let new = |step: &SchemaStep| {
        steps.iter().any(|new| (&new.owner, &new.name) == (&step.owner, &step.name))
    };
    print(&installed.into_iter().filter(new).collect::<Vec<_>>(), output)
}

fn print(steps: &[SchemaStep], output: Output) -> Result<(), Failure> {
    output.rows(&["owner", "kind", "name", "state", "position", "applied at"], steps, |step| {
        let (state, position, at) = match &step.state {
            StepState::Applied { position, applied_at } => {
                ("applied", position.to_string(), applied_at.to_string())
            }
            StepState::Pending => ("pending", String::new(), String::new()),
            StepState::Drifted => ("drifted", String::new(), String::new()),
            StepState::Removed => ("removed", String::new(), String::new()),
        };
        vec![
            step.owner.clone(),
            step.kind.to_string(),
            step.name.clone(),
            state.to_owned(),
            position,
            at,
        ]
    })
}
