//! Keys of issuers: fetching, rotation, floods, hostile servers.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use systemprompt_core::contract::TokenError;
use systemprompt_identity::KeySource;

use crate::support::{Home, KeyServer, Signer, claims, issuer, verify};

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_overlaps() {
    let home = Home::new().await;
    let (old, new) = (Signer::ed(), Signer::other_ed());
    let server = KeyServer::start(&[old.jwk()]).await;
    let verifier = home.verifier_for(issuer(server.source())).await;
    verify(&verifier, &old.sign(&claims())).await.unwrap();
    assert_eq!(server.requests(), 1);

    server.publish(&[new.jwk()]);
    verify(&verifier, &new.sign(&claims())).await.unwrap();
    assert_eq!(server.requests(), 2);
    home.clock.advance(Duration::from_secs(61));
    verify(&verifier, &old.sign(&claims())).await.unwrap();
    home.clock.advance(Duration::from_secs(300));
    let error = verify(&verifier, &old.sign(&claims())).await.unwrap_err();
    assert_eq!(error, TokenError::Invalid);
}

#[tokio::test]
async fn t10_a_flood_of_unknown_kids_costs_one_fetch() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let server = KeyServer::start(&[signer.jwk()]).await;
    let verifier = home.verifier_for(issuer(server.source())).await;
    let good = signer.sign(&claims());
    let signature = good.rsplit('.').next().unwrap();
    let before = server.requests();
    let flood = (0..10_000).map(|n| {
        let mut header = signer.header();
        header["kid"] = format!("kid-{n}").into();
        let token =
            format!("{}.{signature}", crate::support::unsigned(&header, &claims().to_string()));
        let verifier = verifier.clone();
        tokio::spawn(async move { verify(&verifier, &token).await.unwrap_err() })
    });
    let flood: Vec<_> = flood.collect();
    verify(&verifier, &good).await.unwrap();
    for task in flood {
        assert_eq!(task.await.unwrap(), TokenError::Invalid);
    }
    assert_eq!(server.requests() - before, 1);

    home.clock.advance(Duration::from_secs(31));
    let mut header = signer.header();
    header["kid"] = "another".into();
    let another = signer.sign_raw(&header, &claims().to_string());
    for _ in 0..100 {
        verify(&verifier, &another).await.unwrap_err();
    }
    assert_eq!(server.requests() - before, 2, "one more per cool-down");
    assert_eq!(verifier.stats().issuers[0].fetches, 3);
}

#[tokio::test]
async fn keys_outlive_a_failing_server_for_a_while() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let server = KeyServer::start(&[signer.jwk()]).await;
    let mut settings = issuer(server.source());
    settings.max_stale = Duration::from_secs(3600);
    let verifier = home.verifier_for(settings).await;
    server.answer.lock().status = StatusCode::INTERNAL_SERVER_ERROR;
    let mut header = signer.header();
    header["kid"] = "unknown".into();
    let unknown = signer.sign_raw(&header, &claims().to_string());
    assert_eq!(verify(&verifier, &unknown).await.unwrap_err(), TokenError::Invalid);
    assert_eq!(verifier.stats().issuers[0].fetch_errors, 1);

    let mut late = claims();
    late["exp"] = (crate::support::NOW + 20_000).into();
    verify(&verifier, &signer.sign(&late)).await.unwrap();
    // An hour for which they may be used anyway, and one because nothing better is to be had.
    home.clock.advance(Duration::from_secs(7200));
    verify(&verifier, &signer.sign(&late)).await.unwrap();
    home.clock.advance(Duration::from_secs(61));
    let error = verify(&verifier, &signer.sign(&late)).await.unwrap_err();
    assert_eq!(error, TokenError::Unavailable);
    home.clock.advance(Duration::from_secs(31));
    server.answer.lock().status = StatusCode::OK;
    verify(&verifier, &signer.sign(&late)).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_is_down_at_start_is_unavailable_until_it_is_back() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let server = KeyServer::start(&[signer.jwk()]).await;
    server.answer.lock().status = StatusCode::SERVICE_UNAVAILABLE;
    let verifier = home.verifier_for(issuer(server.source())).await;
    let token = signer.sign(&claims());
    assert_eq!(verify(&verifier, &token).await.unwrap_err(), TokenError::Unavailable);
    server.answer.lock().status = StatusCode::OK;
    home.clock.advance(Duration::from_secs(30));
    verify(&verifier, &token).await.unwrap();
    verify(&verifier, home.user_key()).await.unwrap();
}

#[tokio::test]
async fn a_hostile_server_gets_nothing_through() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let elsewhere = KeyServer::start(&[signer.jwk()]).await;
    let many: Vec<Value> = (0..33).map(|_| signer.jwk()).collect();
    let padded = json!({ "keys": [signer.jwk()], "padding": "x".repeat(65_536) }).to_string();
    let bodies = [
        (StatusCode::OK, padded),
        (StatusCode::OK, json!({ "keys": many }).to_string()),
        (StatusCode::OK, json!({ "keys": [] }).to_string()),
        (StatusCode::OK, "<html>".to_owned()),
        (StatusCode::FOUND, json!({ "keys": [signer.jwk()] }).to_string()),
    ];
    for (status, body) in bodies {
        let server = KeyServer::start(&[]).await;
        {
            let mut answer = server.answer.lock();
            answer.status = status;
            answer.body = body;
            answer.headers.insert("location", elsewhere.url.parse().unwrap());
        }
        let verifier = home.verifier_for(issuer(server.source())).await;
        let error = verify(&verifier, &signer.sign(&claims())).await.unwrap_err();
        assert_eq!(error, TokenError::Unavailable);
    }
    assert_eq!(elsewhere.requests(), 0, "redirects are not followed");
}

#[tokio::test]
async fn keys_that_are_no_good_are_left_out() {
    let home = Home::new().await;
    let (ed, rsa) = (Signer::ed(), Signer::rsa());
    let weak = json!({ "kty": "RSA", "kid": "rsa-1", "e": "AQAB", "n": MODULUS_OF_1024_BITS });
    let with = |jwk: Value, name: &str, value: Value| {
        let mut jwk = jwk;
        jwk[name] = value;
        jwk
    };
    let useless = [
        weak.clone(),
        json!({ "kty": "oct", "kid": "ed-1", "k": "c2VjcmV0", "alg": "HS256" }),
        with(ed.jwk(), "use", "enc".into()),
        with(ed.jwk(), "key_ops", json!(["sign"])),
        with(ed.jwk(), "alg", "RS256".into()),
        with(ed.jwk(), "crv", "Ed448".into()),
        with(ed.jwk(), "x", "AAAA".into()),
        with(rsa.jwk(), "e", "AQ".into()),
        json!("key"),
    ];
    for jwk in useless {
        let keys = home.jwks_file(std::slice::from_ref(&jwk));
        let verifier = home.verifier_for(issuer(keys)).await;
        for signer in [&ed, &rsa] {
            let error = verify(&verifier, &signer.sign(&claims())).await.unwrap_err();
            assert_eq!(error, TokenError::Unavailable, "{jwk}");
        }
        assert_eq!(verifier.stats().issuers[0].keys, 0);
    }
    let keys = home.jwks_file(&[weak, json!(1), ed.jwk()]);
    let verifier = home.verifier_for(issuer(keys)).await;
    verify(&verifier, &ed.sign(&claims())).await.unwrap();
    let error = verify(&verifier, &rsa.sign(&claims())).await.unwrap_err();
    assert_eq!(error, TokenError::Invalid);
}

#[tokio::test]
async fn https_is_spoken_and_nothing_less_is_taken_for_it() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let server = KeyServer::start(&[signer.jwk()]).await;
    let url = server.url.replace("http://", "https://").parse().unwrap();
    let verifier = home.verifier_for(issuer(KeySource::Url(url))).await;
    let error = verify(&verifier, &signer.sign(&claims())).await.unwrap_err();
    assert_eq!(error, TokenError::Unavailable);
    assert_eq!(server.requests(), 0, "the handshake fails before a request is sent");
}

#[tokio::test]
async fn a_file_is_read_again_for_an_unknown_key() {
    let home = Home::new().await;
    let keys = home.jwks_file(&[Signer::ed().jwk()]);
    let verifier = home.verifier_for(issuer(keys)).await;
    let token = Signer::other_ed().sign(&claims());
    home.jwks_file(&[Signer::other_ed().jwk()]);
    verify(&verifier, &token).await.unwrap();
}

const MODULUS_OF_1024_BITS: &str = "sfcchY4Ssfh_eq3SD9XOXEbVwJDcfk9ZWAmO1kPz-N-ukJ8Q-WmrTMWWbxs5GpR1jtsl_-s_hlz0lEnBWzB_nNMQtp_g3NJsX8fb55gvmY4Vew473j20ylGgjPrMlc_CkqjilE6_5W4X0ZqsOCDpSmgoMnTuhVuruowiDe6JVnU";
