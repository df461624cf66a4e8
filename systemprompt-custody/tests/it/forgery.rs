//! Grants that custody has not made: what whoever can write to the database, and has no key, may try.

use systemprompt_core::contract::{SecretStoreError, Sink};
use systemprompt_core::event::EventKind;
use systemprompt_custody::{CustodyError, Place};

use crate::support::{API, ENV, Home, OPS, grant, name, on_both, secret, tenant};

on_both! {
    a_grant_that_was_written_into_the_table_is_refused;
    a_grant_that_was_edited_is_refused;
    a_grant_of_another_secret_or_tenant_is_refused;
    a_revoked_grant_gets_no_value_that_came_after_it;
    a_revoked_grant_that_was_put_in_force_again_is_refused;
    a_whole_copy_of_a_grant_that_was_put_back_in_time_counts;
    grants_follow_new_versions_and_forged_ones_do_not;
    a_forged_grant_is_replaced_by_a_true_one;
}

/// The use is refused as forged, and the record says so.
async fn refused(home: &Home, whose: (&str, &str, &str), sink: Sink<'_>) {
    let before = home.log.details(EventKind::SecretDenied).len();
    let refused = home.open_for(whose, None, sink, None).await;
    assert!(matches!(refused, Err(SecretStoreError::ForgedGrant { .. })), "{whose:?}: {refused:?}");
    let said = refused.unwrap_err().to_string();
    assert!(said.contains("was not made here") && said.contains(whose.1), "{said}");
    let denied = home.log.details(EventKind::SecretDenied);
    assert_eq!(denied.len(), before + 1);
    assert_eq!(denied[before]["reason"], "forged_grant");
    assert_eq!(denied[before]["server"], whose.2);
    assert!(home.log.details(EventKind::SecretUsed).is_empty());
}

async fn a_grant_that_was_written_into_the_table_is_refused(home: Home) {
    home.create("token", "value").await;
    let written = home
        .run(
            "INSERT INTO secret_grants (id, tenant_id, name, server, sink, field, created_at, created_by)
             VALUES ('x', 'acme', 'token', 'evil', 'env', 'GITHUB_TOKEN', 0, 'ops')",
        )
        .await;
    assert_eq!(written, 1);
    refused(&home, ("acme", "token", "evil"), ENV).await;
    // With a tag that is none, and with that of a true grant of the same secret.
    home.run(
        "INSERT INTO secret_grant_tags (grant_id, version, tag)
           SELECT 'x', 1, v.ciphertext FROM secret_versions AS v",
    )
    .await;
    refused(&home, ("acme", "token", "evil"), ENV).await;
    home.grant("token", Place::env("GITHUB_TOKEN").unwrap()).await.unwrap();
    let copied = home
        .run(
            "UPDATE secret_grant_tags SET tag =
               (SELECT t.tag FROM secret_grant_tags AS t WHERE t.grant_id <> 'x') WHERE grant_id = 'x'",
        )
        .await;
    assert_eq!(copied, 1);
    refused(&home, ("acme", "token", "evil"), ENV).await;
    assert_eq!(home.value("token").await, "value");
}

async fn a_grant_that_was_edited_is_refused(home: Home) {
    home.granted("token", "value").await;
    let argument = Sink::Argument { tool: "call", argument: "/x" };
    let other = Sink::Env { variable: "OTHER" };
    for (edit, server, sink) in [
        ("UPDATE secret_grants SET server = 'evil'", "evil", ENV),
        ("UPDATE secret_grants SET server = 'github', field = 'OTHER'", "github", other),
        (
            "UPDATE secret_grants SET sink = 'header', target = 'api.github.com', field = 'authorization'",
            "github",
            API,
        ),
        (
            "UPDATE secret_grants SET sink = 'argument', target = 'call', field = '/x'",
            "github",
            argument,
        ),
        (
            "UPDATE secret_grants SET sink = 'env', target = NULL, field = 'GITHUB_TOKEN', created_by = 'eve'",
            "github",
            ENV,
        ),
        ("UPDATE secret_grants SET created_by = 'ops', created_at = 1", "github", ENV),
    ] {
        assert_eq!(home.run(edit).await, 1, "{edit}");
        refused(&home, ("acme", "token", server), sink).await;
    }
}

async fn a_grant_of_another_secret_or_tenant_is_refused(home: Home) {
    home.granted("token", "value").await;
    home.create("other", "more").await;
    home.create_for("rival", "token", "value").await.unwrap();
    assert_eq!(home.run("UPDATE secret_grants SET name = 'other'").await, 1);
    refused(&home, ("acme", "other", "github"), ENV).await;
    let moved = "UPDATE secret_grants SET tenant_id = 'rival', name = 'token'";
    assert_eq!(home.run(moved).await, 1);
    refused(&home, ("rival", "token", "github"), ENV).await;
    assert_eq!(home.run("UPDATE secret_grants SET tenant_id = 'acme'").await, 1);
    assert_eq!(home.value("token").await, "value", "back in its place it is true again");
}

async fn a_revoked_grant_gets_no_value_that_came_after_it(home: Home) {
    home.granted("token", "first").await;
    // Somebody keeps a copy of everything.
    for copy in [
        "CREATE TABLE kept_grants AS SELECT * FROM secret_grants",
        "CREATE TABLE kept_tags AS SELECT * FROM secret_grant_tags",
    ] {
        home.run(copy).await;
    }
    let variable = Place::env("GITHUB_TOKEN").unwrap();
    home.custody.revoke_grant(&grant("token", variable), OPS).await.unwrap();
    home.custody.rotate(&tenant("acme"), &name("token"), &secret("second"), OPS).await.unwrap();
    home.run("DELETE FROM secret_grant_tags").await;
    home.run("DELETE FROM secret_grants").await;
    assert_eq!(home.run("INSERT INTO secret_grants SELECT * FROM kept_grants").await, 1);
    assert_eq!(home.run("INSERT INTO secret_grant_tags SELECT * FROM kept_tags").await, 1);
    refused(&home, ("acme", "token", "github"), ENV).await;
    // Nor under the number of the new version.
    assert_eq!(home.run("UPDATE secret_grant_tags SET version = 2").await, 1);
    refused(&home, ("acme", "token", "github"), ENV).await;
}

async fn a_revoked_grant_that_was_put_in_force_again_is_refused(home: Home) {
    home.granted("token", "value").await;
    let variable = Place::env("GITHUB_TOKEN").unwrap();
    home.custody.revoke_grant(&grant("token", variable), OPS).await.unwrap();
    assert_eq!(home.run("UPDATE secret_grants SET revoked_at = NULL").await, 1);
    refused(&home, ("acme", "token", "github"), ENV).await;
    // The same with all grants of a secret whose name was taken again.
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    home.create("token", "another").await;
    assert_eq!(home.run("UPDATE secret_grants SET revoked_at = NULL").await, 1);
    refused(&home, ("acme", "token", "github"), ENV).await;
}

async fn grants_follow_new_versions_and_forged_ones_do_not(home: Home) {
    home.granted("token", "first").await;
    home.run(
        "INSERT INTO secret_grants (id, tenant_id, name, server, sink, field, created_at, created_by)
         VALUES ('x', 'acme', 'token', 'evil', 'env', 'GITHUB_TOKEN', 0, 'ops')",
    )
    .await;
    let (acme, token) = (tenant("acme"), name("token"));
    for value in ["second", "third"] {
        home.custody.rotate(&acme, &token, &secret(value), OPS).await.unwrap();
        refused(&home, ("acme", "token", "evil"), ENV).await;
    }
    assert_eq!(home.value("token").await, "third");
    for (version, value) in [(1, "first"), (2, "second")] {
        assert_eq!(home.open("token", Some(version), ENV).await.unwrap().value.expose(), value);
    }
    // A grant is one of every version there is when it is made.
    home.grant("token", Place::env("LATER").unwrap()).await.unwrap();
    let later = Sink::Env { variable: "LATER" };
    assert_eq!(home.open("token", Some(1), later).await.unwrap().value.expose(), "first");
    // Back to the version before, by retiring the newest.
    home.custody.retire(&acme, &token, 3, OPS).await.unwrap();
    assert_eq!(home.value("token").await, "second");
}

async fn a_forged_grant_is_replaced_by_a_true_one(home: Home) {
    home.granted("token", "value").await;
    assert_eq!(home.run("UPDATE secret_grants SET created_by = 'eve'").await, 1);
    refused(&home, ("acme", "token", "github"), ENV).await;
    let variable = || Place::env("GITHUB_TOKEN").unwrap();
    home.grant("token", variable()).await.unwrap();
    assert_eq!(home.value("token").await, "value");
    let again = home.grant("token", variable()).await;
    assert!(matches!(again, Err(CustodyError::AlreadyGranted { .. })), "{again:?}");
    assert_eq!(home.custody.secrets(None).await.unwrap()[0].grants.len(), 1);
}

/// What is not protected, as the guide says: there is nothing but the database that could tell an older state of
/// it from the present one. The list and the log show it.
async fn a_whole_copy_of_a_grant_that_was_put_back_in_time_counts(home: Home) {
    home.granted("token", "value").await;
    home.run("CREATE TABLE kept_tags AS SELECT * FROM secret_grant_tags").await;
    let variable = Place::env("GITHUB_TOKEN").unwrap();
    home.custody.revoke_grant(&grant("token", variable), OPS).await.unwrap();
    home.run("UPDATE secret_grants SET revoked_at = NULL").await;
    assert_eq!(home.run("INSERT INTO secret_grant_tags SELECT * FROM kept_tags").await, 1);
    assert_eq!(home.value("token").await, "value");
    assert_eq!(home.custody.secrets(None).await.unwrap()[0].grants.len(), 1);
    // It ends with the secret.
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    home.create("token", "another").await;
    home.run("UPDATE secret_grants SET revoked_at = NULL").await;
    home.run("INSERT INTO secret_grant_tags SELECT * FROM kept_tags").await;
    let gone = home.open("token", None, ENV).await;
    assert!(matches!(gone, Err(SecretStoreError::ForgedGrant { .. })), "{gone:?}");
}
