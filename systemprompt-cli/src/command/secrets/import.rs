//! `secrets import`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_core::secret::Secret;
use systemprompt_custody::sops::{MAX_FILE_BYTES, SopsError, SopsFormat, decrypt};
use systemprompt_custody::{Custody, CustodyError, NewSecret, check_value};

use super::{actor, check_tenant, failure, usage};
use crate::args::ImportArgs;
use crate::command::users::cell;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// Most bytes of an identity.
const MAX_IDENTITY_BYTES: usize = 64 * 1024;

type Found = (SecretName, Secret<String>);

pub(super) async fn import(
    args: &ImportArgs,
    custody: &Custody,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let tenant = TenantId::parse(&args.tenant).map_err(usage)?;
    check_tenant(&tenant, session).await?;
    let found = read(args)?;
    let secrets = custody.secrets(Some(&tenant)).await.map_err(failure)?;
    let there = secrets.into_iter().filter(|secret| secret.revoked_at.is_none());
    let known: BTreeSet<SecretName> = there.map(|secret| secret.name).collect();
    let mut items: Vec<Value> = Vec::new();
    let all = found.len();
    for found in found {
        let name = found.0.clone();
        match keep(args, &tenant, found, known.contains(&name), custody).await {
            Ok(done) => items.push(json!({ "name": name, "done": done })),
            Err(error) => {
                let done = items.len();
                output.note(&format!("{done} of {all} values are done; the rest can be repeated"));
                return Err(failure(error));
            }
        }
    }
    if output.is_json() {
        let done = json!({ "tenant": tenant, "dry_run": args.dry_run, "secrets": items });
        return output.value(&done);
    }
    output.rows(&["name", "done"], &items, |item| {
        ["name", "done"].iter().map(|key| cell(item.get(key))).collect()
    })
}

/// Keeps one value, and says what was done with it, or would be.
async fn keep(
    args: &ImportArgs,
    tenant: &TenantId,
    (name, value): Found,
    known: bool,
    custody: &Custody,
) -> Result<&'static str, CustodyError> {
    let done = match (known, args.rotate) {
        (true, false) => return Ok("kept"),
        (true, true) => "rotated",
        (false, _) => "created",
    };
    if args.dry_run {
        return Ok(done);
    }
    if known {
        custody.rotate(tenant, &name, &value, actor(&args.by)).await?;
    } else {
        let description = String::new();
        let new = NewSecret { tenant: tenant.clone(), name, description, value };
        custody.create(&new, actor(&args.by)).await?;
    }
    Ok(done)
}

/// The secrets in the file, each under the name that its place gives it. All of them can be kept.
fn read(args: &ImportArgs) -> Result<Vec<Found>, Failure> {
    let format = SopsFormat::of(&args.sops).ok_or_else(|| {
        Failure::usage("the file's name must end in `.yaml`, `.yml`, `.json` or `.env`")
    })?;
    let file = bytes(&args.sops, MAX_FILE_BYTES)?;
    let identity = String::from_utf8(bytes(&args.identity, MAX_IDENTITY_BYTES)?);
    let identity = identity.map(Secret::new).map_err(|_| {
        Failure::usage(format!("`{}` is not an age identity", args.identity.display()))
    })?;
    let values = decrypt(&file, format, &identity).map_err(|error| unread(&args.sops, &error))?;
    let mut found: Vec<Found> = Vec::new();
    for value in values {
        let place = value.path.join(".");
        let refused =
            |why: String| Failure::usage(format!("`{place}`: {why}; nothing was imported"));
        let name = SecretName::parse(&place).map_err(|error| refused(error.to_string()))?;
        check_value(&value.value).map_err(|error| refused(error.to_string()))?;
        if found.iter().any(|(other, _)| *other == name) {
            return Err(refused("two values would have this name".to_owned()));
        }
        found.push((name, value.value));
    }
    Ok(found)
}

fn bytes(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path);
    match file.and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes)) {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::not_found(format!("there is no file `{}`", path.display())))
        }
        Err(error) => Err(Failure::usage(format!("`{}`: {error}", path.display()))),
    }
}

fn unread(path: &Path, error: &SopsError) -> Failure {
    Failure::usage(format!("`{}`: {error}; nothing was imported", path.display()))
}
