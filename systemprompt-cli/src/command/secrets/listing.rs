use serde_json::{Value, json};
use systemprompt_core::id::{SecretName, TenantId};
use systemprompt_custody::{Custody, Place, SecretInfo};

use super::{check_tenant, failure, usage};
use crate::command::users::cell;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn list(
    name: Option<&str>,
    tenant: Option<&str>,
    custody: &Custody,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let tenant = tenant.map(TenantId::parse).transpose().map_err(usage)?;
    let name = name.map(SecretName::parse).transpose().map_err(usage)?;
    let mut secrets = custody.secrets(tenant.as_ref()).await.map_err(failure)?;
    if let Some(tenant) = tenant.as_ref().filter(|_| secrets.is_empty()) {
        check_tenant(tenant, session).await?;
    }
    if let Some(name) = name {
        secrets.retain(|secret| secret.name == name);
        if secrets.is_empty() {
            return Err(Failure::not_found(format!("there is no secret `{name}`")));
        }
    }
    let items: Vec<Value> = secrets.iter().map(item).collect();
    output.rows(
        &["tenant", "name", "versions", "grants", "created", "last used", "revoked", "description"],
        &items,
        |item| {
            let of = |name: &str| cell(item.get(name));
            let all =
                |name: &str| item.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
            let versions = all("versions").iter().map(version).collect::<Vec<_>>().join(",");
            let grants = all("grants").iter().map(grant).collect::<Vec<_>>().join(" ");
            vec![
                of("tenant"),
                of("name"),
                versions,
                grants,
                of("created_at"),
                of("last_used_at"),
                of("revoked_at"),
                of("description"),
            ]
        },
    )
}

/// A place as programs read it.
pub(super) fn sink(place: &Place) -> Value {
    match place {
        Place::Header { host, header } => json!({ "host": host, "header": header }),
        Place::Env { variable } => json!({ "variable": variable }),
        Place::Argument { tool, argument } => json!({ "tool": tool, "argument": argument }),
    }
}

fn item(secret: &SecretInfo) -> Value {
    let versions: Vec<_> = secret
        .versions
        .iter()
        .map(|version| {
            json!({
                "version": version.version,
                "created_at": version.created_at,
                "created_by": version.created_by,
                "retired_at": version.retired_at,
            })
        })
        .collect();
    let grants: Vec<_> = secret
        .grants
        .iter()
        .map(|grant| {
            json!({
                "server": grant.server,
                "sink": sink(&grant.place),
                "created_at": grant.created_at,
                "created_by": grant.created_by,
            })
        })
        .collect();
    json!({
        "tenant": secret.tenant,
        "name": secret.name,
        "description": secret.description,
        "created_at": secret.created_at,
        "created_by": secret.created_by,
        "revoked_at": secret.revoked_at,
        "last_used_at": secret.last_used_at,
        "versions": versions,
        "grants": grants,
    })
}

/// A number; in brackets when the version was retired.
fn version(version: &Value) -> String {
    let number = cell(version.get("version"));
    match version.get("retired_at") {
        None | Some(Value::Null) => number,
        Some(_) => format!("({number})"),
    }
}

/// `server:VARIABLE`, `server:header@host` or `server:tool/argument`.
fn grant(grant: &Value) -> String {
    let of = |name: &str| cell(grant.get("sink").and_then(|sink| sink.get(name)));
    let place = match of("variable") {
        variable if variable.is_empty() && of("tool").is_empty() => {
            format!("{}@{}", of("header"), of("host"))
        }
        variable if variable.is_empty() => format!("{}{}", of("tool"), of("argument")),
        variable => variable,
    };
    format!("{}:{place}", cell(grant.get("server")))
}
