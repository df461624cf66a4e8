//! `secrets set`, `list`, `rotate`, `retire`, `grant`, `revoke`, `rewrap`, `import`.

mod import;
mod listing;
mod value;

use std::sync::Arc;

use serde_json::json;
use systemprompt_audit::ChangeLog;
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError};
use systemprompt_core::id::{IdError, SecretName, ServerName, TenantId};
use systemprompt_custody::{Actor, Custody, CustodyError, CustodyParts, Grant, NewSecret, Place};

use crate::args::{PlaceArgs, RevokedPlaceArgs, SecretArgs, SecretsCommand, SetArgs};
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::policy;
use crate::session::Session;

pub(crate) async fn run(
    command: &SecretsCommand,
    session: &Session,
    encryption: Option<Arc<dyn KeyEncryption>>,
    output: Output,
) -> Result<(), Failure> {
    let custody = custody(session, encryption)?;
    match command {
        SecretsCommand::Set(args) => set(args, &custody, session, output).await,
        SecretsCommand::List { name, tenant } => {
            listing::list(name.as_deref(), tenant.as_deref(), &custody, session, output).await
        }
        SecretsCommand::Rotate(args) => rotate(args, &custody, output).await,
        SecretsCommand::Retire { secret, number } => {
            retire(secret, *number, &custody, output).await
        }
        SecretsCommand::Grant { secret, place } => grant(secret, place, &custody, output).await,
        SecretsCommand::Revoke { secret, server, place, yes } => {
            match grant_of(secret, server.as_deref(), place)? {
                Some(grant) => revoke_grant(&grant, actor(&secret.by), &custody, output).await,
                None => revoke(secret, *yes, &custody, output).await,
            }
        }
        SecretsCommand::Rewrap { by } => rewrap(by, &custody, output).await,
        SecretsCommand::Import(args) => import::import(args, &custody, session, output).await,
    }
}

/// The secrets of the profile's database.
pub(super) fn custody(
    session: &Session,
    encryption: Option<Arc<dyn KeyEncryption>>,
) -> Result<Custody, Failure> {
    let config = &session.config;
    let log = Arc::new(ChangeLog::new(session.database.clone(), session.subject_keys()?));
    Ok(Custody::new(CustodyParts {
        database: session.database.clone(),
        encryption: match encryption {
            Some(own) => own,
            None => systemprompt_runtime::custody_key(config).map_err(Failure::config)?,
        },
        uses: log.clone(),
        changes: log,
        redact: Arc::new(policy::scanner(session)?),
        clock: session.clock.clone(),
    }))
}

async fn set(
    args: &SetArgs,
    custody: &Custody,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let (tenant, name) = named(&args.secret)?;
    check_tenant(&tenant, session).await?;
    if policy::scanner(session)?.scan_text(name.as_str()).is_some() {
        return Err(Failure::usage(
            "the name is not repeated here because it looks like a secret. Names are kept and recorded in \
             clear; the value is read from standard input, or asked for when that is a terminal",
        ));
    }
    let value = value::read(&name)?;
    let new = NewSecret { tenant, name, description: args.description.clone(), value };
    let version = custody.create(&new, actor(&args.secret.by)).await.map_err(failure)?;
    let NewSecret { tenant, name, .. } = &new;
    if output.is_json() {
        return output.value(&json!({ "tenant": tenant, "name": name, "version": version }));
    }
    output.text(&format!("version {version} of `{name}` is in custody; nothing is granted yet\n"))
}

async fn rotate(args: &SecretArgs, custody: &Custody, output: Output) -> Result<(), Failure> {
    let (tenant, name) = named(args)?;
    let value = value::read(&name)?;
    let rotated = custody.rotate(&tenant, &name, &value, actor(&args.by)).await;
    let version = rotated.map_err(failure)?;
    if output.is_json() {
        return output.value(&json!({ "tenant": tenant, "name": name, "version": version }));
    }
    output.text(&format!("`{name}` has version {version} from here on\n"))
}

async fn retire(
    args: &SecretArgs,
    version: u32,
    custody: &Custody,
    output: Output,
) -> Result<(), Failure> {
    let (tenant, name) = named(args)?;
    custody.retire(&tenant, &name, version, actor(&args.by)).await.map_err(failure)?;
    if output.is_json() {
        return output.value(&json!({ "tenant": tenant, "name": name, "retired": version }));
    }
    output.text(&format!("version {version} of `{name}` is deleted\n"))
}

async fn grant(
    args: &SecretArgs,
    place: &PlaceArgs,
    custody: &Custody,
    output: Output,
) -> Result<(), Failure> {
    let PlaceArgs { server, host, header, env, tool, argument } = place;
    let place = self::place([host, header, env, tool, argument])?;
    let grant = of_server(args, server, place)?;
    custody.grant(&grant, actor(&args.by)).await.map_err(failure)?;
    said("granted", "to", &grant, output)
}

async fn revoke_grant(
    grant: &Grant,
    by: Actor<'_>,
    custody: &Custody,
    output: Output,
) -> Result<(), Failure> {
    custody.revoke_grant(grant, by).await.map_err(failure)?;
    said("revoked", "from", grant, output)
}

fn said(done: &str, preposition: &str, grant: &Grant, output: Output) -> Result<(), Failure> {
    let Grant { tenant, name, server, place } = grant;
    if output.is_json() {
        return output.value(&json!({
            "tenant": tenant, "name": name, "server": server, "sink": listing::sink(place),
            done: true,
        }));
    }
    output.text(&format!("{done} `{name}` {preposition} `{server}`: {place}\n"))
}

async fn revoke(
    args: &SecretArgs,
    yes: bool,
    custody: &Custody,
    output: Output,
) -> Result<(), Failure> {
    let (tenant, name) = named(args)?;
    if !yes {
        return Err(Failure::usage(format!(
            "this would delete every version of `{name}` and cannot be undone; repeat it with `--yes`, or \
             name a grant with `--server`"
        )));
    }
    let done = custody.revoke(&tenant, &name, actor(&args.by)).await.map_err(failure)?;
    let (versions, grants) = (done.versions, done.grants);
    if output.is_json() {
        let done = json!({
            "tenant": tenant, "name": name, "versions": versions, "grants": grants,
        });
        return output.value(&done);
    }
    output.text(&format!(
        "revoked `{name}`: {versions} versions are deleted, {grants} grants have ended\n"
    ))
}

async fn rewrap(by: &str, custody: &Custody, output: Output) -> Result<(), Failure> {
    let done = custody.rewrap(actor(by)).await.map_err(failure)?;
    if output.is_json() {
        let done = json!({ "keys": done.keys, "current": done.current, "left": done.left });
        return output.value(&done);
    }
    output.text(&format!(
        "{} data keys were encrypted anew, {} were current\n",
        done.keys, done.current
    ))
}

/// A tenant that nobody has would be a spelling mistake that nobody notices.
async fn check_tenant(tenant: &TenantId, session: &Session) -> Result<(), Failure> {
    let tenants = session.identities().tenants().await.map_err(Failure::database)?;
    match tenants.iter().any(|known| known.tenant == *tenant) {
        true => Ok(()),
        false => Err(Failure::not_found(format!("there is no tenant `{tenant}`"))),
    }
}

fn named(args: &SecretArgs) -> Result<(TenantId, SecretName), Failure> {
    let tenant = TenantId::parse(&args.tenant).map_err(usage)?;
    Ok((tenant, SecretName::parse(&args.name).map_err(usage)?))
}

fn of_server(args: &SecretArgs, server: &str, place: Place) -> Result<Grant, Failure> {
    let (tenant, name) = named(args)?;
    let server = ServerName::parse(server).map_err(usage)?;
    Ok(Grant { tenant, name, server, place })
}

/// The grant that is to be revoked; `None` when it is the secret.
fn grant_of(
    args: &SecretArgs,
    server: Option<&str>,
    place: &RevokedPlaceArgs,
) -> Result<Option<Grant>, Failure> {
    let Some(server) = server else { return Ok(None) };
    let RevokedPlaceArgs { host, header, env, tool, argument } = place;
    let place = self::place([host, header, env, tool, argument])?;
    of_server(args, server, place).map(Some)
}

/// A host with a header, a variable, or a tool with an argument.
fn place(of: [&Option<String>; 5]) -> Result<Place, Failure> {
    match of.map(Option::as_deref) {
        [Some(host), Some(header), None, None, None] => Place::header(host, header),
        [None, None, Some(variable), None, None] => Place::env(variable),
        [None, None, None, Some(tool), Some(argument)] => Place::argument(tool, argument),
        _ => {
            let ways = "give `--host` and `--header`, `--env`, or `--tool` and `--argument`";
            return Err(Failure::usage(ways));
        }
    }
    .map_err(|error| Failure::usage(error.to_string()))
}

fn actor(by: &str) -> Actor<'_> {
    Actor::Operator(by)
}

fn usage(error: IdError) -> Failure {
    Failure::usage(error.to_string())
}

/// None of these errors holds a value.
fn failure(error: CustodyError) -> Failure {
    match &error {
        CustodyError::Unknown { .. }
        | CustodyError::UnknownVersion { .. }
        | CustodyError::NotGranted { .. } => Failure::not_found(error.to_string()),
        CustodyError::Value(_)
        | CustodyError::Place(_)
        | CustodyError::Description
        | CustodyError::Actor => Failure::usage(error.to_string()),
        CustodyError::Key(KeyEncryptionError::Unavailable(_)) => Failure::other(error),
        CustodyError::Key(_) => Failure::new(
            FailureKind::Config,
            format!("the key in `custody.key` is not that of the secrets: {error}"),
        ),
        CustodyError::Database(_)
        | CustodyError::Audit(_)
        | CustodyError::Corrupt { .. }
        | CustodyError::Damaged { .. } => Failure::database(error),
        _ => Failure::other(error),
    }
}
