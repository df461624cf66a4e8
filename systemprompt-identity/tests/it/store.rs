//! The store.

use std::collections::BTreeSet;

use systemprompt_core::id::{DepartmentId, Email, RoleId, Scope, TenantId, UserId};
use systemprompt_identity::{IdentityError, NewKey, NewUser};

use crate::support::{Home, on_both};

fn alice(home: &Home) -> NewUser {
    NewUser {
        tenant: home.seeded.tenant.clone(),
        user: UserId::parse("alice").unwrap(),
        email: Some(Email::parse("alice@example.com").unwrap()),
        roles: [RoleId::parse("user").unwrap()].into(),
        department: None,
    }
}

on_both! {
    #[tokio::test]
    seeding_happens_once;
    #[tokio::test]
    what_is_created_is_listed;
    #[tokio::test]
    faults_are_named;
}

async fn seeding_happens_once(home: Home) {
    let mut tx = home.store.db().begin_write().await.unwrap();
    let error = home.store.seed(&mut tx).await.unwrap_err();
    assert_eq!(error.to_string(), "there is a tenant `default` already");
    tx.rollback().await.unwrap();
    assert_eq!(home.store.tenants().await.unwrap().len(), 1);
    assert_eq!(home.store.users(None).await.unwrap().len(), 2);
    assert_eq!(home.store.keys(None, None).await.unwrap().len(), 2);
}

async fn what_is_created_is_listed(home: Home) {
    let mut tx = home.store.db().begin_write().await.unwrap();
    let finance = DepartmentId::parse("finance").unwrap();
    home.store.ensure_department(&mut tx, &home.seeded.tenant, &finance).await.unwrap();
    home.store.ensure_department(&mut tx, &home.seeded.tenant, &finance).await.unwrap();
    let new = NewUser { department: Some(finance), ..alice(&home) };
    home.store.create_user(&mut tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    let users = home.store.users(Some(&home.seeded.tenant)).await.unwrap();
    let found = users.iter().find(|user| user.user == new.user).unwrap();
    assert_eq!((&found.email, &found.roles), (&new.email, &new.roles));
    assert_eq!(found.department, new.department);
    assert_eq!(found.disabled_at, None);
    let nobody = TenantId::parse("nobody").unwrap();
    assert!(home.store.users(Some(&nobody)).await.unwrap().is_empty());
}

async fn faults_are_named(home: Home) {
    let store = &home.store;
    let mut tx = store.db().begin_write().await.unwrap();
    store.create_user(&mut tx, &alice(&home)).await.unwrap();
    let bob = NewUser { user: UserId::parse("bob").unwrap(), email: None, ..alice(&home) };
    let ghost = TenantId::parse("ghost").unwrap();
    let pirate: BTreeSet<_> = [RoleId::parse("pirate").unwrap()].into();
    let nowhere = DepartmentId::parse("nowhere").unwrap();
    for (new, text) in [
        (
            NewUser { email: None, ..alice(&home) },
            "there is a user `alice` in the tenant `default` already",
        ),
        (
            NewUser { email: alice(&home).email, ..bob.clone() },
            "there is a user with the address `alice@example.com` already",
        ),
        (NewUser { tenant: ghost.clone(), ..bob.clone() }, "there is no tenant `ghost`"),
        (NewUser { roles: pirate, ..bob.clone() }, "there is no role `pirate`; create it first"),
        (
            NewUser { department: Some(nowhere), ..bob.clone() },
            "there is no department `nowhere` in the tenant `default`; create it first",
        ),
    ] {
        let error = store.create_user(&mut tx, &new).await.unwrap_err();
        assert_eq!(error.to_string(), text);
    }
    let key = NewKey {
        tenant: home.seeded.tenant.clone(),
        user: bob.user.clone(),
        name: "key".to_owned(),
        scopes: [Scope::parse("tools:use").unwrap()].into(),
        audiences: None,
        expires_at: None,
    };
    let error = store.create_key(&mut tx, &key).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no user `bob` in the tenant `default`");
    store.create_user(&mut tx, &bob).await.unwrap();
    let late = NewKey { expires_at: Some(store.clock().now()), ..key.clone() };
    assert!(matches!(store.create_key(&mut tx, &late).await, Err(IdentityError::ExpiryPassed)));
    for name in [String::new(), "x".repeat(256), "a\nb".to_owned()] {
        let error = store.create_key(&mut tx, &NewKey { name, ..key.clone() }).await.unwrap_err();
        assert!(matches!(error, IdentityError::Name));
    }
    // A fault leaves the rest of the transaction as it was.
    store.create_key(&mut tx, &key).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.users(None).await.unwrap().len(), 4);
    let keys = store.keys(Some(&home.seeded.tenant), Some(&bob.user)).await.unwrap();
    assert_eq!(keys.len(), 1);
}

#[tokio::test]
async fn no_secret_reaches_the_database() {
    let home = Home::new().await;
    let secrets = [home.admin_key(), home.user_key()].map(|key| key.rsplit('_').next().unwrap());
    home.store.db().close().await;
    for file in std::fs::read_dir(home.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in secrets {
            for part in [&secret[..16], &secret[48..]] {
                assert!(!bytes.windows(16).any(|window| window == part.as_bytes()));
            }
        }
    }
    let shown = format!("{:?}", home.seeded);
    assert!(secrets.iter().all(|secret| !shown.contains(secret)));
}
