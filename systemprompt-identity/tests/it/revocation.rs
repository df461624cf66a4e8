//! Revocation: at once here, within a second elsewhere.

use std::time::Duration;

use systemprompt_core::contract::TokenError;
use systemprompt_core::id::TokenId;
use systemprompt_identity::{CredentialVerifier, IdentityError, IdentityStore, TokenRevocation};
use tokio::time::{Instant, sleep};

use crate::support::{Home, ISSUER, Signer, claims, claims_with, issuer, on_both, verify};

/// Waits until `token` is refused as revoked; fails after a second.
async fn revoked_within_a_second(verifier: &CredentialVerifier, token: &str) {
    let start = Instant::now();
    loop {
        match verify(verifier, token).await {
            Err(error) => return assert_eq!(error, TokenError::Revoked),
            Ok(_) => assert!(start.elapsed() < Duration::from_secs(1), "still accepted"),
        }
        sleep(Duration::from_millis(10)).await;
    }
}

async fn revoke_token(store: &IdentityStore, issuer: Option<&str>, jti: &str) {
    let revocation = TokenRevocation {
        issuer: issuer.map(str::to_owned),
        jti: TokenId::parse(jti).unwrap(),
        until: store.clock().now().after(Duration::from_secs(3600)),
    };
    let mut tx = store.db().begin_write().await.unwrap();
    store.revoke_token(&mut tx, &revocation).await.unwrap();
    tx.commit().await.unwrap();
}

on_both! {
    #[tokio::test]
    a_key_revoked_elsewhere_is_refused_within_a_second;
    #[tokio::test]
    a_key_of_a_user_disabled_elsewhere_is_refused_within_a_second;
    #[tokio::test]
    a_key_revoked_here_is_refused_at_once;
    #[tokio::test]
    a_revocation_that_is_rolled_back_did_not_happen;
    #[tokio::test]
    t09_a_token_revoked_by_jti_is_refused_while_cached;
    #[tokio::test]
    a_revocation_names_its_issuer_or_all_of_them;
    #[tokio::test]
    a_token_without_jti_is_revoked_by_the_id_it_is_recorded_under;
    #[tokio::test]
    a_revocation_outlives_a_restart_and_is_forgotten_a_day_after_its_end;
}

async fn a_key_revoked_elsewhere_is_refused_within_a_second(home: Home) {
    let verifier = home.verifier().await;
    verify(&verifier, home.user_key()).await.unwrap();
    verify(&verifier, home.admin_key()).await.unwrap();
    let elsewhere = home.elsewhere().await;
    let mut tx = elsewhere.db().begin_write().await.unwrap();
    elsewhere.revoke_key(&mut tx, &home.seeded.user.key.id).await.unwrap();
    tx.commit().await.unwrap();
    revoked_within_a_second(&verifier, home.user_key()).await;
    verify(&verifier, home.admin_key()).await.unwrap();
}

async fn a_key_of_a_user_disabled_elsewhere_is_refused_within_a_second(home: Home) {
    let verifier = home.verifier().await;
    let principal = verify(&verifier, home.user_key()).await.unwrap();
    let elsewhere = home.elsewhere().await;
    let mut tx = elsewhere.db().begin_write().await.unwrap();
    let (tenant, user) = (principal.tenant(), &home.seeded.user.user);
    elsewhere.set_user_disabled(&mut tx, tenant, user, true).await.unwrap();
    tx.commit().await.unwrap();
    revoked_within_a_second(&verifier, home.user_key()).await;
}

async fn a_key_revoked_here_is_refused_at_once(home: Home) {
    let verifier = home.verifier().await;
    verify(&verifier, home.user_key()).await.unwrap();
    let key = &home.seeded.user.key.id;
    let mut tx = home.store.db().begin_write().await.unwrap();
    home.store.revoke_key(&mut tx, key).await.unwrap();
    tx.commit().await.unwrap();
    verifier.refresh().await.unwrap();
    assert_eq!(verify(&verifier, home.user_key()).await.unwrap_err(), TokenError::Revoked);

    let mut tx = home.store.db().begin_write().await.unwrap();
    let error = home.store.revoke_key(&mut tx, key).await.unwrap_err();
    assert!(matches!(error, IdentityError::AlreadyRevoked(_)));
    let error = home.store.revoke_key(&mut tx, &TokenId::parse("nobody").unwrap()).await;
    assert!(matches!(error.unwrap_err(), IdentityError::UnknownKey(_)));
}

async fn a_revocation_that_is_rolled_back_did_not_happen(home: Home) {
    let verifier = home.verifier().await;
    let mut tx = home.store.db().begin_write().await.unwrap();
    home.store.revoke_key(&mut tx, &home.seeded.user.key.id).await.unwrap();
    tx.rollback().await.unwrap();
    verifier.refresh().await.unwrap();
    verify(&verifier, home.user_key()).await.unwrap();
}

async fn t09_a_token_revoked_by_jti_is_refused_while_cached(home: Home) {
    let signer = Signer::ed();
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    let (first, second) =
        (signer.sign(&claims()), signer.sign(&claims_with("jti", "token-2".into())));
    verify(&verifier, &first).await.unwrap();
    verify(&verifier, &second).await.unwrap();
    verify(&verifier, &first).await.unwrap();
    assert!(verifier.stats().cache_hits >= 1);
    revoke_token(&home.elsewhere().await, Some(ISSUER), "token-1").await;
    revoked_within_a_second(&verifier, &first).await;
    verify(&verifier, &second).await.unwrap();
}

async fn a_revocation_names_its_issuer_or_all_of_them(home: Home) {
    let signer = Signer::ed();
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    let token = signer.sign(&claims());
    revoke_token(&home.store, Some("https://other.example"), "token-1").await;
    verifier.refresh().await.unwrap();
    verify(&verifier, &token).await.unwrap();
    revoke_token(&home.store, None, "token-1").await;
    verifier.refresh().await.unwrap();
    assert_eq!(verify(&verifier, &token).await.unwrap_err(), TokenError::Revoked);
}

async fn a_token_without_jti_is_revoked_by_the_id_it_is_recorded_under(home: Home) {
    let signer = Signer::ed();
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    let token = signer.sign(&claims_with("jti", serde_json::Value::Null));
    let id = verify(&verifier, &token).await.unwrap().claims().credential.clone();
    assert!(id.as_str().starts_with("sha256-"));
    revoke_token(&home.store, None, id.as_str()).await;
    verifier.refresh().await.unwrap();
    assert_eq!(verify(&verifier, &token).await.unwrap_err(), TokenError::Revoked);
}

async fn a_revocation_outlives_a_restart_and_is_forgotten_a_day_after_its_end(home: Home) {
    let signer = Signer::ed();
    revoke_token(&home.store, None, "token-1").await;
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    assert_eq!(verify(&verifier, &signer.sign(&claims())).await.unwrap_err(), TokenError::Revoked);
    let mut conn = home.store.db().begin_write().await.unwrap();
    assert_eq!(home.store.forget_expired_revocations(&mut conn).await.unwrap(), 0);
    home.clock.advance(Duration::from_secs(3600 + 86_401));
    assert_eq!(home.store.forget_expired_revocations(&mut conn).await.unwrap(), 1);
}
