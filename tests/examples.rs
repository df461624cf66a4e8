//! Every example does what its first lines say. (The gateway has a folder of tests of its own.)

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::harness::{answer, built};

fn output(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(built("examples", name)).args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// An example that serves; killed when this is dropped.
struct Serving {
    child: Child,
    base: String,
}

impl Serving {
    fn start(name: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(built("examples", name))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let at = line.find("http://").unwrap_or_else(|| panic!("{name} says {line:?}"));
        Self { base: line[at..].trim().to_owned(), child }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key(data: &Path) -> String {
    std::fs::read_to_string(data.join("user.key")).unwrap()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[test]
fn the_governor_alone_decides() {
    let text = output("governor", &[]);
    let starts: Vec<_> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(starts, ["allowed", "denied", "denied", "allowed", "denied"], "{text}");
}

#[test]
fn a_secret_reaches_the_service_and_not_the_model() {
    let text = output("inject_secret", &[]);
    assert!(text.contains("the service got: 26 bytes of credential\n"), "{text}");
    let seen = text.lines().find(|line| line.starts_with("the model sees: ")).expect("a result");
    let told =
        r#"rain, for {"city": "Bern"}, says the owner of Bearer [redacted:secret://weather-key]"#;
    assert_eq!(seen, format!("the model sees: {told}"));
}

#[test]
fn a_check_of_ones_own_denies() {
    let text = output("custom_check", &[]);
    assert!(text.contains("  allowed\n") && text.contains("/workspace only"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_of_ones_own_is_governed() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serving = Serving::start("embed_in_axum", &["127.0.0.1:0", data.to_str().unwrap()]);
    let post = |text: &str| {
        client().post(format!("{}/notes", serving.base)).json(&json!({ "text": text }))
    };
    let (status, body) = answer(post("buy milk").bearer_auth(key(&data))).await;
    assert_eq!((status.as_u16(), body), (200, json!({ "added": "buy milk" })));
    let secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n";
    let (status, body) = answer(post(secret).bearer_auth(key(&data))).await;
    assert_eq!((status.as_u16(), body["code"].as_str()), (403, Some("secret_detected")));
    assert_eq!(answer(post("buy milk")).await.0, 401);
    let doors = client().post(format!("{}/api/v1/govern", serving.base)).bearer_auth(key(&data));
    let (_, body) = answer(doors.json(&json!({ "tool": "Read", "arguments": {} }))).await;
    assert_eq!(body["decision"], "allow", "the family's own routes are beside it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_of_ones_own_is_asked_in_any_dialect() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serving = Serving::start("custom_provider", &["127.0.0.1:0", data.to_str().unwrap()]);
    let post = |path: &str, stream: bool| {
        let hello = json!([{ "role": "user", "content": "hello" }]);
        let body = json!({
            "model": "shout", "max_tokens": 100, "messages": hello, "stream": stream,
        });
        client().post(format!("{}{path}", serving.base)).bearer_auth(key(&data)).json(&body)
    };
    let (status, body) = answer(post("/v1/messages", false)).await;
    assert_eq!(
        (status.as_u16(), body["content"][0]["text"].as_str()),
        (200, Some("HELLO")),
        "{body}"
    );
    let (status, body) = answer(post("/v1/chat/completions", false)).await;
    let said = body["choices"][0]["message"]["content"].as_str();
    assert_eq!((status.as_u16(), said), (200, Some("HELLO")), "{body}");
    let stream = post("/v1/messages", true).send().await.unwrap().text().await.unwrap();
    assert!(stream.contains("HELLO") && stream.contains("message_stop"), "{stream}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_joins_the_command_line_and_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // Any first start will do.
    drop(Serving::start("embed_in_axum", &["127.0.0.1:0", data.to_str().unwrap()]));
    let profile = data.join("profile.yaml");
    let profile = ["--config", profile.to_str().unwrap()];
    let listed = output("extension", &[&profile[..], &["plugins", "list"]].concat());
    assert!(listed.contains("guestbook"), "{listed}");
    let serve = [&profile[..], &["serve", "--addr", "127.0.0.1:0"]].concat();
    let serving = Serving::start("extension", &serve);
    let entries = format!("{}/guestbook/entries", serving.base);
    let added = client().post(&entries).body("Ada was here").send().await.unwrap();
    assert_eq!(added.status(), 201);
    let (_, list) = answer(client().get(&entries)).await;
    assert_eq!(list, json!(["Ada was here"]));
}
