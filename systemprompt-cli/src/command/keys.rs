//! `keys create`, `keys list`, `keys revoke`.

use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_audit::{append_in, append_sealed_in};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::{IdError, Scope, TenantId, TokenId, UserId};
use systemprompt_identity::{IdentityError, KEY_PREFIX, KeyInfo, NewKey, TokenRevocation};

use super::users::cell;
use crate::args::{KeyCreateArgs, RevokeArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

const DAY: Duration = Duration::from_secs(86_400);

/// How long the revocation of a token is remembered: longer than any token may live.
const REMEMBERED_DAYS: u32 = 366;

const BUILT_IN_SCOPES: [&str; 3] = ["admin", "tools:use", "audit:read"];

pub(crate) async fn create(
    args: &KeyCreateArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    check_scopes(args, session)?;
    let new = new_key(args, session).map_err(|error| Failure::usage(error.to_string()))?;
    let about = json!({ "tenant": new.tenant, "user": new.user });
    let keys = session.ready_keys(EventKind::KeyCreated, &about).await?;
    let mut change = session.database.begin_write().await.map_err(Failure::database)?;
    let issued = session.identities().create_key(&mut change, &new).await.map_err(failure)?;
    let detail = json!({
        "key": issued.id, "tenant": new.tenant, "user": new.user, "scopes": new.scopes,
        "expires_at": new.expires_at,
    });
    let event = AuditEvent::system(session.clock.now(), EventKind::KeyCreated, detail);
    append_sealed_in(&mut change, keys.as_ref(), vec![event]).await.map_err(Failure::database)?;
    change.commit().await.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({ "id": issued.id, "key": issued.token.expose() }));
    }
    output.note(&format!("created key {}; it is shown this once:", issued.id));
    output.text(&format!("{}\n", issued.token.expose()))
}

pub(crate) async fn list(
    user: Option<&str>,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let user = user.map(UserId::parse).transpose().map_err(|e| Failure::usage(e.to_string()))?;
    let keys = session.identities().keys(None, user.as_ref()).await.map_err(Failure::database)?;
    let items: Vec<Value> = keys.iter().map(item).collect();
    let keys =
        ["id", "user", "name", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"];
    output.rows(
        &["id", "user", "name", "scopes", "created", "expires", "last used", "revoked"],
        &items,
        |item| keys.iter().map(|key| cell(item.get(key))).collect(),
    )
}

pub(crate) async fn revoke(
    args: &RevokeArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let identities = session.identities();
    let usage = |error: IdError| Failure::usage(error.to_string());
    let mut change = session.database.begin_write().await.map_err(Failure::database)?;
    let (kind, detail) = match (&args.target.key, &args.target.jti) {
        (Some(key), _) => {
            let key = TokenId::parse(key_id(key)).map_err(usage)?;
            identities.revoke_key(&mut change, &key).await.map_err(failure)?;
            (EventKind::KeyRevoked, json!({ "key": key }))
        }
        (None, jti) => {
            let jti = TokenId::parse(jti.as_deref().unwrap_or_default()).map_err(usage)?;
            let until = session.clock.now().after(DAY * REMEMBERED_DAYS);
            let issuer = args.issuer.clone();
            let revocation = TokenRevocation { issuer: issuer.clone(), jti: jti.clone(), until };
            identities.revoke_token(&mut change, &revocation).await.map_err(failure)?;
            (EventKind::TokenRevoked, json!({ "jti": jti, "issuer": issuer }))
        }
    };
    let event = AuditEvent::system(session.clock.now(), kind, detail.clone());
    append_in(&mut change, vec![event]).await.map_err(Failure::database)?;
    change.commit().await.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({ "revoked": detail }));
    }
    output.text("revoked; running servers refuse it within one second\n")
}

/// The id, also of somebody who pastes the whole key; its secret must not come back in a message.
fn key_id(text: &str) -> &str {
    let inner = text.strip_prefix(KEY_PREFIX).unwrap_or(text);
    inner.split('_').next().unwrap_or(inner)
}

/// A scope that no rule can name would be a spelling mistake that nobody notices.
fn check_scopes(args: &KeyCreateArgs, session: &Session) -> Result<(), Failure> {
    let declared = &session.config.profile().governance.scopes;
    let known =
        |scope: &str| BUILT_IN_SCOPES.contains(&scope) || declared.iter().any(|d| d == scope);
    match args.scopes.iter().find(|scope| !known(scope)) {
        None => Ok(()),
        Some(stranger) => Err(Failure::usage(format!(
            "the profile does not declare the scope `{stranger}`; it knows {}",
            BUILT_IN_SCOPES
                .iter()
                .copied()
                .chain(declared.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

fn new_key(args: &KeyCreateArgs, session: &Session) -> Result<NewKey, IdError> {
    Ok(NewKey {
        tenant: TenantId::parse(&args.tenant)?,
        user: UserId::parse(&args.user)?,
        name: args.name.clone().unwrap_or_else(|| "command line".to_owned()),
        scopes: args.scopes.iter().map(|scope| Scope::parse(scope)).collect::<Result<_, _>>()?,
        audiences: None,
        expires_at: args.expires_in.map(|days| session.clock.now().after(DAY * days)),
    })
}

fn failure(error: IdentityError) -> Failure {
    match error {
        IdentityError::UnknownKey(_) | IdentityError::UnknownUser { .. } => {
            Failure::not_found(error.to_string())
        }
        other => Failure::other(other),
    }
}

fn item(key: &KeyInfo) -> Value {
    json!({
        "id": key.id,
        "tenant": key.tenant,
        "user": key.user,
        "name": key.name,
        "scopes": key.scopes,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_key_is_cut_down_to_its_id() {
        assert_eq!(key_id("abc"), "abc");
        assert_eq!(key_id(&format!("{KEY_PREFIX}abc_0123")), "abc");
    }
}
