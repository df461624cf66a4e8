//! Tokens of issuers: what is accepted and every way in which it is not.

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use systemprompt_core::contract::{TokenError, TokenVerifier as _};
use systemprompt_core::id::Audience;
use systemprompt_identity::{CredentialVerifier, TokenTypes};

use crate::support::{
    Home, ISSUER, NOW, Signer, api, claims, claims_with, hook, issuer, unsigned, verify,
};

async fn start() -> (Home, CredentialVerifier) {
    let home = Home::new().await;
    let keys = home.jwks_file(&[Signer::rsa().jwk(), Signer::ec().jwk(), Signer::ed().jwk()]);
    let verifier = home.verifier_for(issuer(keys)).await;
    (home, verifier)
}

async fn refused(verifier: &CredentialVerifier, token: &str) -> TokenError {
    verify(verifier, token).await.expect_err("the token must be refused")
}

#[tokio::test]
async fn good_tokens_of_every_algorithm_are_accepted() {
    let (_home, verifier) = start().await;
    for signer in [Signer::rsa(), Signer::ec(), Signer::ed()] {
        let principal = verify(&verifier, &signer.sign(&claims())).await.unwrap();
        assert_eq!(principal.tenant().as_str(), "default");
        assert_eq!(principal.user().as_str(), "alice");
        assert!(principal.has_scope("tools:use") && principal.has_scope("audit:read"));
        assert!(!principal.has_scope("admin"));
        assert_eq!(principal.claims().credential.as_str(), "token-1");
        assert_eq!(principal.claims().audience, api());
        assert!(principal.claims().roles.is_empty());
    }
    assert_eq!(verifier.stats().tokens_verified, 3);
}

#[tokio::test]
async fn t01_alg_none_is_refused() {
    let (_home, verifier) = start().await;
    for alg in ["none", "None", "NONE", "", "nOnE"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": "rsa-1" });
        let message = unsigned(&header, &claims().to_string());
        let signature = Signer::rsa().sign(&claims());
        let signature = signature.rsplit('.').next().unwrap();
        for token in [format!("{message}."), message.clone(), format!("{message}.{signature}")] {
            refused(&verifier, &token).await;
        }
    }
}

#[tokio::test]
async fn t02_a_public_key_is_no_hmac_secret() {
    let (_home, verifier) = start().await;
    let jwk = Signer::rsa().jwk();
    let secrets = [jwk["n"].as_str().unwrap().to_owned(), jwk.to_string(), String::new()];
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        for secret in &secrets {
            let header =
                json!({ "alg": format!("{algorithm:?}"), "typ": "at+jwt", "kid": "rsa-1" });
            let message = unsigned(&header, &claims().to_string());
            let key = EncodingKey::from_secret(secret.as_bytes());
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
            let error = refused(&verifier, &format!("{message}.{signature}")).await;
            assert_eq!(error, TokenError::Invalid);
        }
    }
}

#[tokio::test]
async fn t02_a_key_serves_its_own_algorithm_alone() {
    let (_home, verifier) = start().await;
    let (rsa, ed) = (Signer::rsa(), Signer::ed());
    for (signer, alg, kid) in [
        (&rsa, "RS512", "rsa-1"),
        (&rsa, "PS256", "rsa-1"),
        (&ed, "EdDSA", "rsa-1"),
        (&rsa, "EdDSA", "ed-1"),
    ] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let token = signer.sign_raw(&header, &claims().to_string());
        assert_eq!(refused(&verifier, &token).await, TokenError::Invalid, "{alg} {kid}");
    }
    let home = Home::new().await;
    let mut only_ec = issuer(home.jwks_file(&[rsa.jwk(), Signer::ec().jwk()]));
    only_ec.algorithms = [systemprompt_identity::SigningAlgorithm::Es256].into();
    let verifier = home.verifier_for(only_ec).await;
    assert_eq!(refused(&verifier, &rsa.sign(&claims())).await, TokenError::Invalid);
    verify(&verifier, &Signer::ec().sign(&claims())).await.unwrap();
}

#[tokio::test]
async fn t03_keys_in_the_header_are_ignored() {
    let (_home, verifier) = start().await;
    let attacker = Signer::other_rsa();
    let server = crate::support::KeyServer::start(&[attacker.jwk()]).await;
    for (name, value) in [
        ("jwk", attacker.jwk()),
        ("jku", server.url.clone().into()),
        ("x5u", server.url.clone().into()),
        ("x5c", json!(["AAAA"])),
    ] {
        for kid in ["rsa-1", "evil"] {
            let mut header = attacker.header();
            header["kid"] = kid.into();
            header[name] = value.clone();
            let token = attacker.sign_raw(&header, &claims().to_string());
            assert_eq!(refused(&verifier, &token).await, TokenError::Invalid, "{name}");
        }
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn t03_critical_extensions_are_refused() {
    let (_home, verifier) = start().await;
    let signer = Signer::ed();
    for crit in [json!(["b64"]), json!([]), json!("exp")] {
        let mut header = signer.header();
        header["crit"] = crit;
        let token = signer.sign_raw(&header, &claims().to_string());
        assert_eq!(refused(&verifier, &token).await, TokenError::Invalid);
    }
}

#[tokio::test]
async fn t04_a_hostile_kid_is_only_a_name() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let server = crate::support::KeyServer::start(&[signer.jwk(), Signer::ec().jwk()]).await;
    let verifier = home.verifier_for(issuer(server.source())).await;
    assert_eq!(server.requests(), 1);
    let kids = [
        "../../dev/null".to_owned(),
        "' OR 1=1--".to_owned(),
        "x".repeat(10_000),
        "\u{0}".to_owned(),
        server.url.clone(),
    ];
    for kid in kids {
        let mut header = signer.header();
        header["kid"] = kid.into();
        let error = refused(&verifier, &signer.sign_raw(&header, &claims().to_string())).await;
        assert!(matches!(error, TokenError::Invalid | TokenError::Malformed), "{error:?}");
    }
    assert_eq!(server.requests(), 2, "all of them together cost one refresh");
    let mut header = signer.header();
    header.as_object_mut().unwrap().remove("kid");
    let unnamed = signer.sign_raw(&header, &claims().to_string());
    assert_eq!(refused(&verifier, &unnamed).await, TokenError::Invalid);
}

#[tokio::test]
async fn a_token_without_kid_is_taken_when_there_is_one_key() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let verifier = home.verifier_for(issuer(home.jwks_file(&[signer.jwk()]))).await;
    let mut header = signer.header();
    header.as_object_mut().unwrap().remove("kid");
    verify(&verifier, &signer.sign_raw(&header, &claims().to_string())).await.unwrap();
}

#[tokio::test]
async fn t05_a_token_for_another_surface_is_refused() {
    let (_home, verifier) = start().await;
    let signer = Signer::ed();
    let for_hook = signer.sign(&claims_with("aud", "systemprompt-hook".into()));
    assert_eq!(refused(&verifier, &for_hook).await, TokenError::Audience);
    verifier.verify(&for_hook, &hook()).await.unwrap();
    // Now that it is cached for the hook, it is still not good for the API.
    assert_eq!(refused(&verifier, &for_hook).await, TokenError::Audience);
    let unlisted = Audience::parse("https://mcp.example/other").unwrap();
    let error = verifier.verify(&signer.sign(&claims()), &unlisted).await.unwrap_err();
    assert_eq!(error, TokenError::Audience);
    for aud in ["Systemprompt-api", "systemprompt-api ", "systemprompt", "*", ""] {
        let error = refused(&verifier, &signer.sign(&claims_with("aud", aud.into()))).await;
        assert_eq!(error, TokenError::Audience, "{aud:?}");
    }
}

#[tokio::test]
async fn t06_audience_is_required_and_lists_are_a_choice() {
    let (home, verifier) = start().await;
    let signer = Signer::ed();
    let several = json!(["other", "systemprompt-api"]);
    for aud in [Value::Null, several.clone(), json!([]), json!(1), json!({})] {
        let error = refused(&verifier, &signer.sign(&claims_with("aud", aud.clone()))).await;
        assert_eq!(error, TokenError::Audience, "{aud}");
    }
    let alone = json!(["systemprompt-api"]);
    verify(&verifier, &signer.sign(&claims_with("aud", alone))).await.unwrap();
    let mut lenient = issuer(home.jwks_file(&[signer.jwk()]));
    lenient.audience_arrays = true;
    let verifier = home.verifier_for(lenient).await;
    verify(&verifier, &signer.sign(&claims_with("aud", several))).await.unwrap();
    for aud in [json!(["other"]), json!([]), json!(["systemprompt-api", 1])] {
        let error = refused(&verifier, &signer.sign(&claims_with("aud", aud.clone()))).await;
        assert_eq!(error, TokenError::Audience, "{aud}");
    }
}

#[tokio::test]
async fn t07_times_must_be_sensible_numbers() {
    let (_home, verifier) = start().await;
    let signer = Signer::ed();
    for claim in ["exp", "nbf", "iat"] {
        for wrong in ["\"1795349400\"", "1e400", "-1", "-1e3", "1e300", "{}", "[]", "true", "null"]
        {
            let text = claims_with(claim, json!(0)).to_string();
            let text = text.replace(&format!("\"{claim}\":0"), &format!("\"{claim}\":{wrong}"));
            assert!(text.contains(wrong));
            let error = refused(&verifier, &signer.sign_raw(&signer.header(), &text)).await;
            assert_eq!(error, TokenError::Malformed, "{claim}: {wrong}");
        }
    }
    let missing = signer.sign(&claims_with("exp", Value::Null));
    assert_eq!(refused(&verifier, &missing).await, TokenError::Malformed);
    let fraction = signer.sign(&claims_with("exp", json!(NOW as f64 + 0.5)));
    verify(&verifier, &fraction).await.unwrap();
}

#[tokio::test]
async fn t08_expiry_counts_with_leeway_also_when_cached() {
    let (home, verifier) = start().await;
    let signer = Signer::ed();
    let late = |seconds: i64| signer.sign(&claims_with("exp", (NOW - seconds).into()));
    // Issued at NOW but expired before: iat is left alone on purpose.
    assert_eq!(refused(&verifier, &late(31)).await, TokenError::Expired);
    verify(&verifier, &late(29)).await.unwrap();

    let token = signer.sign(&claims_with("exp", (NOW + 5).into()));
    verify(&verifier, &token).await.unwrap();
    home.clock.advance(Duration::from_secs(34));
    verify(&verifier, &token).await.unwrap();
    assert!(verifier.stats().cache_hits >= 1);
    home.clock.advance(Duration::from_secs(2));
    assert_eq!(refused(&verifier, &token).await, TokenError::Expired);
}

#[tokio::test]
async fn tokens_of_the_future_and_of_eternity_are_refused() {
    let (home, verifier) = start().await;
    let signer = Signer::ed();
    for claim in ["nbf", "iat"] {
        let early = signer.sign(&claims_with(claim, (NOW + 31).into()));
        assert_eq!(refused(&verifier, &early).await, TokenError::Expired, "{claim}");
        verify(&verifier, &signer.sign(&claims_with(claim, (NOW + 29).into()))).await.unwrap();
    }
    let eternal = signer.sign(&claims_with("exp", (NOW + 86_401).into()));
    assert_eq!(refused(&verifier, &eternal).await, TokenError::Invalid);
    verify(&verifier, &signer.sign(&claims_with("exp", (NOW + 86_400).into()))).await.unwrap();
    let mut claims = claims_with("iat", Value::Null);
    claims["exp"] = (NOW + 86_500).into();
    assert_eq!(refused(&verifier, &signer.sign(&claims)).await, TokenError::Invalid);
    home.clock.advance(Duration::from_secs(100));
    verify(&verifier, &signer.sign(&claims)).await.unwrap();
}

#[tokio::test]
async fn t12_an_id_token_opens_no_door() {
    let (home, verifier) = start().await;
    let signer = Signer::ed();
    let plain = |claims: &Value| {
        let mut header = signer.header();
        header["typ"] = "JWT".into();
        signer.sign_raw(&header, &claims.to_string())
    };
    verify(&verifier, &plain(&claims())).await.unwrap();
    assert_eq!(
        refused(&verifier, &plain(&claims_with("scope", Value::Null))).await,
        TokenError::Invalid
    );
    assert_eq!(
        refused(&verifier, &plain(&claims_with("scope", "".into()))).await,
        TokenError::Invalid
    );
    for claim in ["nonce", "at_hash", "c_hash"] {
        let error = refused(&verifier, &plain(&claims_with(claim, "x".into()))).await;
        assert_eq!(error, TokenError::Invalid, "{claim}");
    }
    for typ in ["ID", "Refresh"] {
        let error = refused(&verifier, &plain(&claims_with("typ", typ.into()))).await;
        assert_eq!(error, TokenError::Invalid, "{typ}");
    }
    for typ in ["dpop+jwt", "logout+jwt", "secevent+jwt", "JOSE", ""] {
        let mut header = signer.header();
        header["typ"] = typ.into();
        let error = refused(&verifier, &signer.sign_raw(&header, &claims().to_string())).await;
        assert_eq!(error, TokenError::Invalid, "{typ}");
    }
    let mut strict = issuer(home.jwks_file(&[signer.jwk()]));
    strict.token_types = TokenTypes::AtJwt;
    let verifier = home.verifier_for(strict).await;
    assert_eq!(refused(&verifier, &plain(&claims())).await, TokenError::Invalid);
    let mut header = signer.header();
    header["typ"] = "application/AT+JWT".into();
    verify(&verifier, &signer.sign_raw(&header, &claims().to_string())).await.unwrap();
}

#[tokio::test]
async fn the_issuer_is_compared_exactly() {
    let (_home, verifier) = start().await;
    let signer = Signer::ed();
    for iss in [format!("{ISSUER}/"), ISSUER.to_uppercase(), "https://evil.example".to_owned()] {
        let error = refused(&verifier, &signer.sign(&claims_with("iss", iss.into()))).await;
        assert_eq!(error, TokenError::Issuer);
    }
    for iss in [Value::Null, json!([ISSUER]), json!(1)] {
        let error = refused(&verifier, &signer.sign(&claims_with("iss", iss))).await;
        assert_eq!(error, TokenError::Malformed);
    }
}

#[tokio::test]
async fn a_signature_by_another_key_is_refused() {
    let (_home, verifier) = start().await;
    assert_eq!(refused(&verifier, &Signer::other_rsa().sign(&claims())).await, TokenError::Invalid);
    let mut header = Signer::other_ed().header();
    header["kid"] = "ed-1".into();
    let forged = Signer::other_ed().sign_raw(&header, &claims().to_string());
    assert_eq!(refused(&verifier, &forged).await, TokenError::Invalid);
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let (_home, verifier) = start().await;
    let good = Signer::ed().sign(&claims());
    for wrong in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        format!("{good}."),
        format!("{good}.x"),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        "x".repeat(1_000_000),
        "' OR 1=1--".to_owned(),
    ] {
        assert_eq!(refused(&verifier, &wrong).await, TokenError::Malformed);
    }
}

#[tokio::test]
async fn actors_form_a_bounded_chain() {
    let (_home, verifier) = start().await;
    let signer = Signer::ed();
    let chain = |names: &[&str]| {
        names.iter().rev().fold(Value::Null, |inner, name| match inner {
            Value::Null => json!({ "sub": name }),
            inner => json!({ "sub": name, "act": inner }),
        })
    };
    let act = chain(&["bot-a", "bot-b"]);
    let principal = verify(&verifier, &signer.sign(&claims_with("act", act))).await.unwrap();
    let actors: Vec<_> = principal.claims().actors.iter().map(|a| a.as_str()).collect();
    assert_eq!(actors, ["bot-a", "bot-b"]);
    let long: Vec<String> = (0..9).map(|n| format!("bot-{n}")).collect();
    let long: Vec<&str> = long.iter().map(String::as_str).collect();
    for wrong in [chain(&long), chain(&["bot", "bot"]), chain(&["alice"]), chain(&["a", "alice"])] {
        let error = refused(&verifier, &signer.sign(&claims_with("act", wrong))).await;
        assert_eq!(error, TokenError::Invalid);
    }
    for wrong in [json!("bot"), json!({}), json!({ "sub": 1 }), json!({ "sub": "a", "act": 1 })] {
        let error = refused(&verifier, &signer.sign(&claims_with("act", wrong))).await;
        assert_eq!(error, TokenError::Malformed);
    }
}

#[tokio::test]
async fn roles_and_department_come_from_the_claims_that_are_named() {
    let home = Home::new().await;
    let signer = Signer::ed();
    let mut settings = issuer(home.jwks_file(&[signer.jwk()]));
    let mut claims = claims_with("groups", json!(["dev", "ops", "not a role"]));
    claims["dept"] = "finance".into();
    claims["sub"] = "admin".into();
    let token = signer.sign(&claims);
    // A user of the same id in the store lends the token nothing.
    let plain = verify(&home.verifier_for(settings.clone()).await, &token).await.unwrap();
    assert!(plain.claims().roles.is_empty() && plain.department().is_none());
    settings.claims.roles = Some("groups".to_owned());
    settings.claims.department = Some("dept".to_owned());
    let named = verify(&home.verifier_for(settings).await, &token).await.unwrap();
    assert!(named.has_role("dev") && named.has_role("ops") && !named.has_role("admin"));
    assert_eq!(named.claims().roles.len(), 2);
    assert_eq!(named.department().unwrap().as_str(), "finance");
}

#[tokio::test]
async fn a_disabled_user_is_locked_out_of_every_issuer() {
    let (home, verifier) = start().await;
    let token = Signer::ed().sign(&claims_with("sub", "user".into()));
    verify(&verifier, &token).await.unwrap();
    let mut conn = home.store.db().begin_write().await.unwrap();
    let seeded = &home.seeded;
    home.store.set_user_disabled(&mut conn, &seeded.tenant, &seeded.user.user, true).await.unwrap();
    conn.commit().await.unwrap();
    verifier.refresh().await.unwrap();
    assert_eq!(refused(&verifier, &token).await, TokenError::Revoked);
    assert_eq!(refused(&verifier, home.user_key()).await, TokenError::Revoked);
    verify(&verifier, home.admin_key()).await.unwrap();
}

#[tokio::test]
async fn settings_that_make_no_sense_stop_the_start() {
    let home = Home::new().await;
    let source = home.jwks_file(&[Signer::ed().jwk()]);
    let good = issuer(source.clone());
    let mut wrong = vec![];
    for change in 0..5 {
        let mut settings = good.clone();
        match change {
            0 => settings.algorithms.clear(),
            1 => settings.audiences.clear(),
            2 => settings.leeway = Duration::from_secs(31),
            3 => settings.max_lifetime = Duration::ZERO,
            _ => {
                let url = "http://issuer.example/jwks".parse().unwrap();
                settings.keys = systemprompt_identity::KeySource::Url(url);
            }
        }
        wrong.push(vec![settings]);
    }
    wrong.push(vec![good.clone(), good.clone()]);
    for issuers in wrong {
        let settings = systemprompt_identity::VerifierSettings { issuers, ..Default::default() };
        let error = CredentialVerifier::start(&home.store, settings).await.unwrap_err();
        assert!(error.to_string().contains(ISSUER), "{error}");
    }
}
