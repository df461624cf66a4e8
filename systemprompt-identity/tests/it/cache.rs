//! The cache of verified credentials.

use std::time::Duration;

use systemprompt_identity::{CredentialVerifier, VerifierSettings};

use crate::support::{Home, Signer, claims, issuer, verify};

#[tokio::test]
async fn a_verification_is_believed_for_a_minute() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    let token = signer.sign(&claims());
    for _ in 0..3 {
        verify(&verifier, &token).await.unwrap();
    }
    let stats = verifier.stats();
    assert_eq!((stats.tokens_verified, stats.cache_hits, stats.cached), (1, 2, 1));
    home.clock.advance(Duration::from_secs(61));
    verify(&verifier, &token).await.unwrap();
    assert_eq!(verifier.stats().tokens_verified, 2);
    // A step of the wall clock neither lengthens that nor shortens it.
    home.clock.step_wall(-30_000_000);
    verify(&verifier, &token).await.unwrap();
    assert_eq!(verifier.stats().tokens_verified, 2);
}

#[tokio::test]
async fn a_verification_at_one_surface_says_nothing_about_another() {
    let home = Home::new().await;
    let verifier = home.verifier().await;
    verify(&verifier, home.user_key()).await.unwrap();
    assert_eq!(verifier.stats().cached, 1);
    use systemprompt_core::contract::TokenVerifier as _;
    let principal = verifier.verify(home.user_key(), &crate::support::hook()).await.unwrap();
    assert_eq!(principal.claims().audience, crate::support::hook());
    assert_eq!(verifier.stats().cached, 2);
}

#[tokio::test]
async fn the_cache_is_bounded_and_can_be_turned_off() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let keys = home.jwks_file(&[signer.jwk()]);
    for (entries, most) in [(0, 0), (50, 64)] {
        let settings = VerifierSettings {
            cache_entries: entries,
            issuers: vec![issuer(keys.clone())],
            ..VerifierSettings::default()
        };
        let verifier = CredentialVerifier::start(&home.store, settings).await.unwrap();
        for n in 0..500 {
            let mut claims = claims();
            claims["jti"] = format!("token-{n}").into();
            verify(&verifier, &signer.sign(&claims)).await.unwrap();
        }
        assert!(verifier.stats().cached <= most, "{}", verifier.stats().cached);
        assert_eq!(verifier.stats().tokens_verified, 500);
    }
}

#[tokio::test]
async fn refusals_are_not_cached() {
    let home = Home::new().await;
    let verifier = home.verifier().await;
    let wrong = format!("{}{}", &home.user_key()[..home.user_key().len() - 1], "x");
    for _ in 0..10 {
        verify(&verifier, &wrong).await.unwrap_err();
    }
    assert_eq!(verifier.stats().cached, 0);
    assert_eq!(verifier.stats().refused.iter().map(|(_, n)| n).sum::<u64>(), 10);
}
