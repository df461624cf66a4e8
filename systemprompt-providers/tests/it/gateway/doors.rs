//! What else the doors answer: lists of models, counts, refusals.

use std::io::Write as _;

use axum::body::Body;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::house::{CALLER_KEY, House, Plan, request};
use super::wire::{FRONTS, Text, Wire};

fn packed(plain: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn models_are_listed_in_both_shapes() {
    let house = House::new().await;
    let get = |path: &str, version: bool| {
        let request = Request::builder().uri(path).header("x-api-key", CALLER_KEY);
        let request =
            if version { request.header("anthropic-version", "2023-06-01") } else { request };
        house.send(request.body(Body::empty()).unwrap())
    };
    let anthropic = get("/v1/models", true).await.json();
    let chat = get("/v1/models", false).await.json();
    let ids = |list: &Value| -> Vec<String> {
        let all = list["data"].as_array().unwrap().iter();
        all.map(|model| model["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&anthropic), ids(&chat));
    assert!(ids(&chat).contains(&"claude-opus-5".to_owned()), "{chat}");
    assert_eq!(
        (&anthropic["has_more"], &anthropic["data"][0]["type"]),
        (&false.into(), &"model".into())
    );
    assert_eq!((&chat["object"], &chat["data"][0]["object"]), (&"list".into(), &"model".into()));
    let one = get("/v1/models/claude-opus-5", true).await.json();
    assert_eq!((&one["type"], &one["id"]), (&"model".into(), &"claude-opus-5".into()));
    let none = get("/v1/models/nothing", false).await;
    assert_eq!(
        (none.status.as_u16(), &none.json()["error"]["code"]),
        (404, &"model_not_found".into())
    );
    let health = get("/api/v1/providers/health", false).await.json();
    assert!(health["providers"]["a"].is_array(), "{health}");
}

#[tokio::test]
async fn strangers_are_refused_in_their_dialect() {
    let house = House::new().await;
    for front in FRONTS {
        for header in [None, Some("wrong")] {
            let mut request = Request::builder().method("POST").uri(front.path());
            if let Some(key) = header {
                request = request.header("x-api-key", key);
            }
            let reply = house.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(reply.status, 401, "{}", reply.text());
            let answer = reply.json();
            if front == Wire::A {
                assert_eq!(answer["type"], "error");
                assert_eq!(answer["error"]["type"], "authentication_error");
                assert!(reply.header("request-id").is_some());
            } else {
                assert!(
                    answer["error"]["message"].is_string() && answer["error"]["code"].is_string(),
                    "{answer}"
                );
                assert!(reply.header("x-request-id").is_some());
            }
        }
    }
}

#[tokio::test]
async fn a_body_is_as_long_as_it_may_be() {
    let house = House::built(Plan { body_limit: 2000, ..Plan::default() }).await;
    for front in FRONTS {
        house.says(front, &[Text("hi")], false);
        let model = format!("same-{front:?}").to_lowercase();
        let asked = front.request(&model, false);
        assert_eq!(house.ask(front, &asked).await.status, 200);
        let seen = house.seen();

        let zipped = request(front).header("content-encoding", "gzip");
        let zipped = zipped.body(Body::from(packed(&asked.to_string()))).unwrap();
        let reply = house.send(zipped).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(house.seen().body, seen.body);
        assert_eq!(house.seen().header("content-encoding"), None);

        let long = format!("{}{}", asked, " ".repeat(3000));
        let reply = house.ask(front, &long).await;
        assert_eq!(reply.status, 413, "{}", reply.text());
        assert!(reply.json()["error"]["message"].as_str().unwrap().contains("2000"));
        let bomb = request(front).header("content-encoding", "gzip");
        let reply = house.send(bomb.body(Body::from(packed(&long))).unwrap()).await;
        assert_eq!(reply.status, 413, "{}", reply.text());
        for (encoding, body) in [("gzip", "{}"), ("br", "{}")] {
            let odd = request(front).header("content-encoding", encoding);
            let reply = house.send(odd.body(Body::from(body)).unwrap()).await;
            assert_eq!(reply.status, 400, "{}", reply.text());
        }
    }
    assert_eq!(house.upstream.requests(), 6);
}

#[tokio::test]
async fn a_model_that_there_is_not_is_named() {
    let house = House::new().await;
    for front in FRONTS {
        let reply = house.ask(front, front.request("claude-opus-6", false)).await;
        assert_eq!(reply.status, 404, "{}", reply.text());
        let text = reply.text();
        assert!(text.contains("claude-opus-6") && text.contains("claude-opus-5"), "{text}");
        for bad in ["", "[]", "{\"model\":", "{\"model\":\"a-x\",\"model\":\"c-x\"}", "{}"] {
            let reply = house.ask(front, bad).await;
            assert_eq!(reply.status, 400, "{front:?} {bad} {}", reply.text());
            assert!(reply.json()["error"]["message"].is_string());
        }
    }
    assert_eq!(house.upstream.requests(), 0);
}

#[tokio::test]
async fn the_model_that_is_built_in_answers() {
    let house = House::new().await;
    for (number, front) in (1..).zip(FRONTS) {
        let (got, reply) = house.got(front, "echo", true).await;
        assert!(got.text.contains("hello there"), "{got:?}");
        assert_eq!(reply.header("x-systemprompt-usage"), Some("estimated"));
        let record = house.record(number).await;
        assert_eq!(record.provider, "echo");
    }
    house.is_settled().await;
}
