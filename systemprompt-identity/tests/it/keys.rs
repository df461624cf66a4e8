//! API keys.

use std::time::Duration;

use systemprompt_core::contract::{TokenError, TokenVerifier as _};
use systemprompt_core::id::Scope;
use systemprompt_identity::{KEY_PREFIX, NewKey};

use crate::support::{Home, api, hook, on_both, verify};

fn new_key(home: &Home) -> NewKey {
    NewKey {
        tenant: home.seeded.tenant.clone(),
        user: home.seeded.user.user.clone(),
        name: "laptop".to_owned(),
        scopes: [Scope::parse("tools:use").unwrap()].into(),
        audiences: None,
        expires_at: None,
    }
}

on_both! {
    #[tokio::test]
    seeded_keys_are_who_they_should_be;
    #[tokio::test]
    a_wrong_secret_or_id_is_refused;
    #[tokio::test]
    a_key_is_good_at_once_wherever_it_was_made;
    #[tokio::test]
    expiry_and_surfaces_of_a_key_count;
    #[tokio::test]
    the_last_use_is_written_once_a_minute_and_not_by_the_request;
    #[tokio::test]
    a_store_that_cannot_be_read_for_a_second_is_unavailable_even_for_cached_keys;
    #[tokio::test]
    a_writer_that_holds_the_lock_stops_no_verification;
    #[tokio::test]
    a_row_that_cannot_be_read_counts_as_absent_and_costs_nobody_else_anything;
}

async fn seeded_keys_are_who_they_should_be(home: Home) {
    let verifier = home.verifier().await;
    let admin = verify(&verifier, home.admin_key()).await.unwrap();
    assert_eq!((admin.tenant().as_str(), admin.user().as_str()), ("default", "admin"));
    assert!(admin.has_role("admin") && admin.has_scope("admin"));
    assert!(admin.has_scope("tools:use") && admin.has_scope("audit:read"));
    let user = verify(&verifier, home.user_key()).await.unwrap();
    assert!(user.has_role("user") && user.has_scope("tools:use"));
    assert!(!user.has_scope("admin") && !user.has_role("admin") && !user.has_scope("audit:read"));
    assert_eq!(user.claims().credential, home.seeded.user.key.id);
    verifier.verify(home.user_key(), &hook()).await.unwrap();
}

async fn a_wrong_secret_or_id_is_refused(home: Home) {
    let verifier = home.verifier().await;
    let (admin, user) = (home.admin_key(), home.user_key());
    let (admin_id, _) = admin.rsplit_once('_').unwrap();
    let (_, user_secret) = user.rsplit_once('_').unwrap();
    for wrong in [
        format!("{admin_id}_{user_secret}"),
        format!("{admin_id}_{}", "0".repeat(64)),
        format!("{KEY_PREFIX}{}_{user_secret}", "a".repeat(16)),
    ] {
        assert_eq!(verify(&verifier, &wrong).await.unwrap_err(), TokenError::Invalid);
    }
    for wrong in [admin.to_uppercase(), format!("{admin}x"), admin_id.to_owned()] {
        assert_eq!(verify(&verifier, &wrong).await.unwrap_err(), TokenError::Malformed);
    }
}

async fn a_key_is_good_at_once_wherever_it_was_made(home: Home) {
    let verifier = home.verifier().await;
    let elsewhere = home.elsewhere().await;
    let mut tx = elsewhere.db().begin_write().await.unwrap();
    let issued = elsewhere.create_key(&mut tx, &new_key(&home)).await.unwrap();
    assert_eq!(verify(&verifier, issued.token.expose()).await.unwrap_err(), TokenError::Invalid);
    tx.commit().await.unwrap();
    verify(&verifier, issued.token.expose()).await.unwrap();
}

async fn expiry_and_surfaces_of_a_key_count(home: Home) {
    let verifier = home.verifier().await;
    let mut new = new_key(&home);
    new.audiences = Some([hook()].into());
    new.expires_at = Some(home.store.clock().now().after(Duration::from_secs(30)));
    let mut tx = home.store.db().begin_write().await.unwrap();
    let key = home.store.create_key(&mut tx, &new).await.unwrap().token;
    tx.commit().await.unwrap();
    assert_eq!(verifier.verify(key.expose(), &api()).await.unwrap_err(), TokenError::Audience);
    verifier.verify(key.expose(), &hook()).await.unwrap();
    home.clock.advance(Duration::from_secs(29));
    verifier.verify(key.expose(), &hook()).await.unwrap();
    home.clock.advance(Duration::from_secs(1));
    assert_eq!(verifier.verify(key.expose(), &hook()).await.unwrap_err(), TokenError::Expired);
}

async fn the_last_use_is_written_once_a_minute_and_not_by_the_request(home: Home) {
    let verifier = home.verifier().await;
    let last_used = async || {
        let user = &home.seeded.user;
        let keys = home.store.keys(None, Some(&user.user)).await.unwrap();
        keys.into_iter().find(|key| key.id == user.key.id).unwrap().last_used_at
    };
    verify(&verifier, home.user_key()).await.unwrap();
    let first = home.store.clock().now();
    home.clock.advance(Duration::from_secs(59));
    verify(&verifier, home.user_key()).await.unwrap();
    verifier.close().await.unwrap();
    assert_eq!(last_used().await, Some(first));
    home.clock.advance(Duration::from_secs(1));
    verify(&verifier, home.user_key()).await.unwrap();
    verifier.close().await.unwrap();
    assert_eq!(last_used().await, Some(home.store.clock().now()));
}

async fn a_store_that_cannot_be_read_for_a_second_is_unavailable_even_for_cached_keys(home: Home) {
    let verifier = home.verifier().await;
    verify(&verifier, home.user_key()).await.unwrap();
    // The background task is gone.
    verifier.close().await.unwrap();
    home.run("ALTER TABLE identity_generation RENAME TO gone").await;
    home.clock.advance(Duration::from_millis(800));
    verify(&verifier, home.user_key()).await.unwrap();
    home.clock.advance(Duration::from_millis(200));
    for key in [home.user_key(), home.admin_key()] {
        assert_eq!(verify(&verifier, key).await.unwrap_err(), TokenError::Unavailable);
    }
    assert!(verifier.stats().store_errors >= 2);
    home.run("ALTER TABLE gone RENAME TO identity_generation").await;
    verify(&verifier, home.user_key()).await.unwrap();
}

async fn a_writer_that_holds_the_lock_stops_no_verification(home: Home) {
    let verifier = home.verifier().await;
    let _locked = home.store.db().begin_write().await.unwrap();
    for _ in 0..3 {
        home.clock.advance(Duration::from_secs(1));
        verify(&verifier, home.user_key()).await.unwrap();
    }
}

async fn a_row_that_cannot_be_read_counts_as_absent_and_costs_nobody_else_anything(home: Home) {
    let verifier = home.verifier().await;
    verify(&verifier, home.user_key()).await.unwrap();
    home.run(
        "BEGIN;
         UPDATE identity_generation SET value = value + 1;
         UPDATE users SET roles = '[1]', generation = (SELECT value FROM identity_generation)
         WHERE id = 'user';
         COMMIT",
    )
    .await;
    verifier.refresh().await.unwrap();
    assert_eq!(verify(&verifier, home.user_key()).await.unwrap_err(), TokenError::Invalid);
    verify(&verifier, home.admin_key()).await.unwrap();
    let anew = home.verifier().await;
    assert_eq!(verify(&anew, home.user_key()).await.unwrap_err(), TokenError::Invalid);
    verify(&anew, home.admin_key()).await.unwrap();
}
