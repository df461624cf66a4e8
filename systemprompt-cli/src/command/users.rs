//! `users create`, `users list`.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use systemprompt_audit::append_sealed_in;
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::{DepartmentId, Email, IdError, RoleId, TenantId, UserId};
use systemprompt_identity::{NewUser, UserInfo};

use crate::args::UserCreateArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

pub(crate) async fn create(
    args: &UserCreateArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let new = new_user(args).map_err(|error| Failure::usage(error.to_string()))?;
    check_roles(&new, session)?;
    let identities = session.identities();
    let tenants = identities.tenants().await.map_err(Failure::database)?;
    let about = json!({
        "tenant": new.tenant, "user": new.user, "department": new.department,
    });
    let keys = session.ready_keys(EventKind::UserCreated, &about).await?;
    let mut change = session.database.begin_write().await.map_err(Failure::database)?;
    let mut events = Vec::new();
    let event = |kind, detail| AuditEvent::system(session.clock.now(), kind, detail);
    if tenants.iter().all(|known| known.tenant != new.tenant) {
        let name = new.tenant.as_str();
        identities.create_tenant(&mut change, &new.tenant, name).await.map_err(Failure::other)?;
        events.push(event(EventKind::TenantCreated, json!({ "tenant": new.tenant })));
    }
    for role in &new.roles {
        identities.ensure_role(&mut change, role).await.map_err(Failure::other)?;
    }
    if let Some(department) = &new.department {
        identities
            .ensure_department(&mut change, &new.tenant, department)
            .await
            .map_err(Failure::other)?;
    }
    identities.create_user(&mut change, &new).await.map_err(Failure::other)?;
    let detail = json!({
        "tenant": new.tenant, "user": new.user, "roles": new.roles, "department": new.department,
    });
    events.push(event(EventKind::UserCreated, detail.clone()));
    append_sealed_in(&mut change, keys.as_ref(), events).await.map_err(Failure::database)?;
    change.commit().await.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&detail);
    }
    output.text(&format!("created user {} of tenant {}\n", new.user, new.tenant))
}

pub(crate) async fn list(session: &Session, output: Output) -> Result<(), Failure> {
    let users = session.identities().users(None).await.map_err(Failure::database)?;
    let items: Vec<Value> = users.iter().map(item).collect();
    output.rows(
        &["tenant", "user", "roles", "department", "e-mail", "created", "disabled"],
        &items,
        |item| {
            let keys =
                ["tenant", "user", "roles", "department", "email", "created_at", "disabled_at"];
            keys.iter().map(|key| cell(item.get(key))).collect()
        },
    )
}

/// A JSON value as a table shows it.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(",")
        }
        Some(other) => other.to_string(),
    }
}

fn item(user: &UserInfo) -> Value {
    json!({
        "tenant": user.tenant,
        "user": user.user,
        "roles": user.roles,
        "department": user.department,
        "email": user.email,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
    })
}

/// A role that no rule can name would be a spelling mistake that nobody notices.
fn check_roles(new: &NewUser, session: &Session) -> Result<(), Failure> {
    let declared = &session.config.profile().governance.roles;
    let known: Vec<&str> =
        ["admin", "user"].into_iter().chain(declared.iter().map(String::as_str)).collect();
    match new.roles.iter().find(|role| !known.contains(&role.as_str())) {
        None => Ok(()),
        Some(stranger) => Err(Failure::usage(format!(
            "the profile does not declare the role `{stranger}`; it knows {}",
            known.join(", ")
        ))),
    }
}

fn new_user(args: &UserCreateArgs) -> Result<NewUser, IdError> {
    let roles: BTreeSet<RoleId> = match args.roles.as_slice() {
        [] => [RoleId::parse("user")?].into(),
        roles => roles.iter().map(|role| RoleId::parse(role)).collect::<Result<_, _>>()?,
    };
    Ok(NewUser {
        tenant: TenantId::parse(&args.tenant)?,
        user: UserId::parse(&args.id)?,
        email: args.email.as_deref().map(Email::parse).transpose()?,
        roles,
        department: args.department.as_deref().map(DepartmentId::parse).transpose()?,
    })
}
