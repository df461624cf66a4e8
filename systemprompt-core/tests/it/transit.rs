//! A key encryption key in the transit engine, against a server that does what the engine does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use systemprompt_core::encryption::{
    KeyEncryption as _, KeyEncryptionError, Transit, TransitOptions, TransitToken,
};
use systemprompt_core::secret::Secret;

/// Ciphertexts and what they stand for.
type Engine = Arc<Mutex<HashMap<String, String>>>;

async fn answer(
    State(engine): State<Engine>,
    Path((verb, key)): Path<(String, String)>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let refused = |status, why: &str| (status, Json(json!({ "errors": [why] })));
    if headers.get("x-vault-token").map(|token| token.as_bytes()) != Some(b"s.token") {
        return refused(StatusCode::FORBIDDEN, "permission denied");
    }
    let mut engine = engine.lock().unwrap();
    match (verb.as_str(), key.as_str()) {
        ("encrypt", "audit") => {
            let text = format!("vault:v1:{}", engine.len());
            engine.insert(text.clone(), body["plaintext"].as_str().unwrap().to_owned());
            (StatusCode::OK, Json(json!({ "data": { "ciphertext": text, "key_version": 1 } })))
        }
        ("decrypt", "audit") => match engine.get(body["ciphertext"].as_str().unwrap()) {
            Some(plain) => (StatusCode::OK, Json(json!({ "data": { "plaintext": plain } }))),
            None => refused(StatusCode::BAD_REQUEST, "cipher: message authentication failed"),
        },
        _ => refused(StatusCode::NOT_FOUND, "no such key"),
    }
}

async fn transit(address: std::net::SocketAddr, token: TransitToken, name: &str) -> Transit {
    Transit::new(TransitOptions {
        url: format!("http://{address}/").parse().unwrap(),
        mount: "transit/audit".to_owned(),
        name: name.to_owned(),
        token,
        timeout: Duration::from_millis(500),
    })
    .unwrap()
}

fn value(token: &str) -> TransitToken {
    TransitToken::Value(Secret::new(token.to_owned()))
}

#[tokio::test]
async fn it_wraps_and_unwraps_and_says_what_is_wrong_without_secrets() {
    let router = Router::new()
        .route("/v1/transit/audit/{verb}/{key}", post(answer))
        .with_state(Engine::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let key = transit(address, value("s.token"), "audit").await;
    let wrapped = key.wrap(b"\0data key\xff").await.unwrap();
    assert!(wrapped.starts_with("vault:v1:"));
    assert_eq!(key.unwrap(&wrapped).await.unwrap().as_slice(), b"\0data key\xff");
    assert_eq!(key.unwrap("vault:v1:none").await, Err(KeyEncryptionError::Foreign));
    // A token that is renewed in its file.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let renewed = transit(address, TransitToken::File(file.clone()), "audit").await;
    assert!(matches!(renewed.unwrap(&wrapped).await, Err(KeyEncryptionError::Unavailable(_))));
    std::fs::write(&file, "s.token\n").unwrap();
    assert!(renewed.unwrap(&wrapped).await.is_ok());
    for (token, name) in [("s.stranger", "audit"), ("s.token", "other")] {
        let refused = transit(address, value(token), name).await.wrap(b"secret").await.unwrap_err();
        assert!(matches!(refused, KeyEncryptionError::Unavailable(_)), "{refused}");
        assert!(!refused.to_string().contains(token), "{refused}");
    }
    server.abort();
    drop(server.await);
    assert!(matches!(key.wrap(b"secret").await, Err(KeyEncryptionError::Unavailable(_))));
}
