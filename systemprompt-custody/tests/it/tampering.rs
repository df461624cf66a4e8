//! What somebody does who can write to the database, and has no key.

use systemprompt_core::contract::SecretStoreError;
use systemprompt_core::event::EventKind;

use crate::support::{ENV, Home, OPS, name, on_both, secret, tenant};

on_both! {
    a_ciphertext_opens_in_its_own_row_alone;
    a_changed_row_opens_nothing;
    a_row_of_an_unknown_algorithm_opens_nothing;
}

async fn a_ciphertext_opens_in_its_own_row_alone(home: Home) {
    home.granted("token", "acme/token/1").await;
    home.granted("other", "acme/other/1").await;
    home.custody
        .rotate(&tenant("acme"), &name("token"), &secret("acme/token/2"), OPS)
        .await
        .unwrap();
    home.create_for("rival", "token", "rival/token/1").await.unwrap();
    // Everything that is encrypted of one row, put into another: tenant, name, version.
    for (moving, victim, back) in [
        (
            "UPDATE secret_versions SET (wrapped_dek, nonce, ciphertext) =
               (SELECT v.wrapped_dek, v.nonce, v.ciphertext FROM secret_versions AS v
                WHERE v.tenant_id = 'rival' AND v.name = 'token' AND v.version = 1)
             WHERE tenant_id = 'acme' AND name = 'token' AND version = 1",
            ("token", 1),
            "another tenant",
        ),
        (
            "UPDATE secret_versions SET (wrapped_dek, nonce, ciphertext) =
               (SELECT v.wrapped_dek, v.nonce, v.ciphertext FROM secret_versions AS v
                WHERE v.tenant_id = 'acme' AND v.name = 'token' AND v.version = 2)
             WHERE tenant_id = 'acme' AND name = 'other' AND version = 1",
            ("other", 1),
            "another name",
        ),
        (
            "UPDATE secret_versions SET (wrapped_dek, nonce, ciphertext) =
               (SELECT v.wrapped_dek, v.nonce, v.ciphertext FROM secret_versions AS v
                WHERE v.tenant_id = 'acme' AND v.name = 'token' AND v.version = 2)
             WHERE tenant_id = 'acme' AND name = 'token' AND version = 1",
            ("token", 1),
            "another version",
        ),
    ] {
        assert_eq!(home.run(moving).await, 1, "{back}");
        let refused = home.open(victim.0, Some(victim.1), ENV).await;
        assert!(matches!(refused, Err(SecretStoreError::Unavailable(_))), "{back}: {refused:?}");
    }
    // The row itself under another number.
    home.run(
        "DELETE FROM secret_versions WHERE tenant_id = 'acme' AND name = 'token' AND version = 1",
    )
    .await;
    let moved = home
        .run(
            "UPDATE secret_versions SET version = 1
             WHERE tenant_id = 'acme' AND name = 'token' AND version = 2",
        )
        .await;
    assert_eq!(moved, 1);
    let refused = home.open("token", None, ENV).await;
    assert!(matches!(refused, Err(SecretStoreError::Unavailable(_))), "{refused:?}");
    let denied = home.log.details(EventKind::SecretDenied);
    assert_eq!(denied.len(), 4);
    assert!(denied.iter().all(|detail| detail["reason"] == "damaged"), "{denied:?}");
}

async fn a_changed_row_opens_nothing(home: Home) {
    for (named, change) in [
        (
            "a",
            "UPDATE secret_versions SET nonce = (SELECT nonce FROM secret_versions WHERE name = 'z') WHERE name = 'a'",
        ),
        (
            "b",
            "UPDATE secret_versions SET ciphertext = (SELECT ciphertext FROM secret_versions WHERE name = 'z') WHERE name = 'b'",
        ),
        (
            "c",
            "UPDATE secret_versions SET wrapped_dek = (SELECT wrapped_dek FROM secret_versions WHERE name = 'z') WHERE name = 'c'",
        ),
    ] {
        if named == "a" {
            home.create("z", "something else").await;
        }
        home.granted(named, "value").await;
        assert_eq!(home.value(named).await, "value");
        assert_eq!(home.run(change).await, 1);
        let refused = home.open(named, None, ENV).await;
        assert!(matches!(refused, Err(SecretStoreError::Unavailable(_))), "{named}: {refused:?}");
    }
}

async fn a_row_of_an_unknown_algorithm_opens_nothing(home: Home) {
    home.granted("token", "value").await;
    assert_eq!(home.run("UPDATE secret_versions SET alg = 'none'").await, 1);
    let refused = home.open("token", None, ENV).await;
    assert!(matches!(refused, Err(SecretStoreError::Unavailable(_))), "{refused:?}");
}
