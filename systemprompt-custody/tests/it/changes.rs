//! Creating, rotating, retiring, revoking and listing.

use std::time::Duration;

use systemprompt_core::call::CallContext;
use systemprompt_core::event::EventKind;
use systemprompt_custody::{Actor, CustodyError, MAX_VALUE_BYTES, NewSecret, Revoked, ValueError};

use crate::support::{ENV, Home, OPS, call, name, on_both, secret, tenant};

on_both! {
    a_name_is_taken_once_by_each_tenant;
    a_value_that_cannot_be_kept_is_refused;
    rotations_at_the_same_time_make_a_version_each;
    a_version_is_retired_once_and_the_last_one_never;
    a_revoked_secret_is_deleted_and_its_name_goes_on;
    secrets_are_listed_without_values;
    changes_say_who_made_them;
    descriptions_and_names_of_people_are_checked;
}

async fn a_name_is_taken_once_by_each_tenant(home: Home) {
    assert_eq!(home.create("token", "one").await, 1);
    let again = home.create_for("acme", "token", "two").await;
    assert!(matches!(again, Err(CustodyError::Exists { .. })), "{again:?}");
    assert_eq!(home.create_for("rival", "token", "three").await.unwrap(), 1);
    assert_eq!(home.create("Token", "names have case").await, 1);
    let unknown = home.custody.rotate(&tenant("acme"), &name("nope"), &secret("x"), OPS).await;
    assert!(matches!(unknown, Err(CustodyError::Unknown { .. })), "{unknown:?}");
}

async fn a_value_that_cannot_be_kept_is_refused(home: Home) {
    home.granted("token", "value").await;
    let longest = "x".repeat(MAX_VALUE_BYTES);
    let long = format!("{longest}x");
    for (text, why) in
        [("", ValueError::Empty), ("a\0b", ValueError::Nul), (&*long, ValueError::TooLong)]
    {
        let refused = home.create_for("acme", "new", text).await;
        assert!(
            matches!(&refused, Err(CustodyError::Value(error)) if *error == why),
            "{refused:?}"
        );
        let rotated =
            home.custody.rotate(&tenant("acme"), &name("token"), &secret(text), OPS).await;
        assert!(matches!(&rotated, Err(CustodyError::Value(error)) if *error == why));
    }
    assert_eq!(home.value("token").await, "value");
    home.custody.rotate(&tenant("acme"), &name("token"), &secret(&longest), OPS).await.unwrap();
    assert_eq!(home.value("token").await, longest);
}

async fn rotations_at_the_same_time_make_a_version_each(home: Home) {
    home.granted("token", "v1").await;
    let rotations: Vec<_> = (0..8)
        .map(|number| {
            let custody = home.custody.clone();
            tokio::spawn(async move {
                let value = secret(&format!("value {number}"));
                let rotated = custody.rotate(&tenant("acme"), &name("token"), &value, OPS).await;
                (rotated.unwrap(), value)
            })
        })
        .collect();
    let mut versions = Vec::new();
    for rotation in rotations {
        let (version, value) = rotation.await.unwrap();
        let opened = home.open("token", Some(version), ENV).await.unwrap();
        assert_eq!(opened.value.expose(), value.expose());
        versions.push(version);
    }
    versions.sort_unstable();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(home.open("token", None, ENV).await.unwrap().version, 9);
}

async fn a_version_is_retired_once_and_the_last_one_never(home: Home) {
    home.granted("token", "one").await;
    let (acme, token) = (tenant("acme"), name("token"));
    let last = home.custody.retire(&acme, &token, 1, OPS).await;
    assert!(matches!(last, Err(CustodyError::LastVersion { version: 1, .. })), "{last:?}");
    home.custody.rotate(&acme, &token, &secret("two"), OPS).await.unwrap();
    // Back to the value before: the newest one goes.
    home.custody.retire(&acme, &token, 2, OPS).await.unwrap();
    assert_eq!(home.value("token").await, "one");
    for version in [2, 3, 0] {
        let refused = home.custody.retire(&acme, &token, version, OPS).await;
        assert!(matches!(refused, Err(CustodyError::UnknownVersion { .. })), "{refused:?}");
    }
    assert_eq!(home.custody.rotate(&acme, &token, &secret("three"), OPS).await.unwrap(), 3);
    let retired = &home.log.details(EventKind::SecretRotated)[1];
    assert_eq!((&retired["retired"], &retired["version"]), (&2.into(), &serde_json::Value::Null));
    let left = home
        .run("UPDATE secret_versions SET alg = alg WHERE state = 'retired' AND wrapped_dek IS NULL")
        .await;
    assert_eq!(left, 1, "nothing of it is kept");
}

async fn a_revoked_secret_is_deleted_and_its_name_goes_on(home: Home) {
    home.granted("token", "one").await;
    let (acme, token) = (tenant("acme"), name("token"));
    home.custody.rotate(&acme, &token, &secret("two"), OPS).await.unwrap();
    let revoked = home.custody.revoke(&acme, &token, OPS).await.unwrap();
    assert_eq!(revoked, Revoked { versions: 2, grants: 1 });
    let again = home.custody.revoke(&acme, &token, OPS).await;
    assert!(matches!(again, Err(CustodyError::Revoked { .. })), "{again:?}");
    let rotated = home.custody.rotate(&acme, &token, &secret("x"), OPS).await;
    assert!(matches!(rotated, Err(CustodyError::Revoked { .. })), "{rotated:?}");
    let kept = home.run("UPDATE secret_versions SET alg = alg WHERE ciphertext IS NOT NULL").await;
    assert_eq!(kept, 0);
    // The name is free, the numbers go on, and nothing is granted any more.
    assert_eq!(home.create("token", "three").await, 3);
    home.open("token", None, ENV).await.unwrap_err();
    let listed = home.custody.secrets(None).await.unwrap();
    assert_eq!((listed.len(), listed[0].revoked_at, listed[0].grants.len()), (1, None, 0));
    let expected = serde_json::json!({
        "tenant": "acme", "name": "token", "revoked": "secret", "versions": 2, "grants": 1,
        "by": "ops",
    });
    assert_eq!(home.log.details(EventKind::SecretRevoked), [expected]);
}

async fn secrets_are_listed_without_values(home: Home) {
    home.create_for("rival", "a", "value-a").await.unwrap();
    home.granted("b", "value-b").await;
    home.create("a", "value-c").await;
    home.clock.advance(Duration::from_secs(60));
    home.custody.rotate(&tenant("acme"), &name("b"), &secret("value-d"), OPS).await.unwrap();
    home.custody.retire(&tenant("acme"), &name("b"), 1, OPS).await.unwrap();
    let listed = home.custody.secrets(None).await.unwrap();
    let names: Vec<_> = listed.iter().map(|it| (it.tenant.as_str(), it.name.as_str())).collect();
    assert_eq!(names, [("acme", "a"), ("acme", "b"), ("rival", "a")]);
    let b = &listed[1];
    assert_eq!((b.created_by.as_str(), b.description.as_str()), ("ops", "a test"));
    assert_eq!((b.versions.len(), b.grants.len()), (2, 1));
    assert_eq!(b.versions[0].retired_at, Some(b.versions[1].created_at));
    assert_eq!((b.versions[1].version, b.versions[1].retired_at), (2, None));
    assert!(listed[0].versions[0].created_at < b.versions[1].created_at);
    assert!(!format!("{listed:?}").contains("value"));
    let rival = home.custody.secrets(Some(&tenant("rival"))).await.unwrap();
    assert_eq!(rival.as_slice(), &listed[2..]);
}

async fn changes_say_who_made_them(home: Home) {
    let call = call("acme", "ada", CallContext::default());
    let new = NewSecret {
        tenant: tenant("acme"),
        name: name("token"),
        description: String::new(),
        value: secret("value"),
    };
    home.custody.create(&new, Actor::Principal(call.principal())).await.unwrap();
    let event = home.log.events().pop().unwrap();
    assert_eq!(event.subject.unwrap().user.as_str(), "ada");
    assert_eq!(home.custody.secrets(None).await.unwrap()[0].created_by, "ada");
    home.custody.rotate(&tenant("acme"), &name("token"), &secret("x"), OPS).await.unwrap();
    assert_eq!(home.log.details(EventKind::SecretRotated)[0]["by"], "ops");
}

async fn descriptions_and_names_of_people_are_checked(home: Home) {
    for (description, by) in [("a\nb", "ops"), (&*"x".repeat(1001), "ops")] {
        let new = NewSecret {
            tenant: tenant("acme"),
            name: name("token"),
            description: description.to_owned(),
            value: secret("value"),
        };
        let refused = home.custody.create(&new, Actor::Operator(by)).await;
        assert!(matches!(refused, Err(CustodyError::Description)), "{refused:?}");
    }
    for by in ["", "a\nb", &*"x".repeat(256)] {
        let (acme, token, by) = (tenant("acme"), name("token"), Actor::Operator(by));
        let refused = home.custody.rotate(&acme, &token, &secret("x"), by).await;
        assert!(matches!(refused, Err(CustodyError::Actor)), "{refused:?}");
    }
}
