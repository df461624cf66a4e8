use serde_json::{Value, json};
use systemprompt_providers::scripted::{Script, ScriptedUpstream};

use crate::profile::Profile;

const KEY: &str = "a-key-of-no-known-form";

fn profile(url: &str) -> Profile {
    Profile::new(&format!(
        "\
models:
  providers:
    claude:
      kind: anthropic
      base_url: {url}
      private_addresses: true
      key: {{env: CLAUDE_KEY}}
    local:
      kind: openai_chat
      base_url: {url}
      private_addresses: true
    echo:
      kind: echo
  routes:
    - match: \"claude-*-4-5\"
      provider: claude
    - match: \"any-*\"
      provider: local
      unpriced: allow
"
    ))
}

fn message() -> Script {
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": "H"}], "stop_reason": "max_tokens",
        "stop_sequence": null, "usage": {"input_tokens": 8, "output_tokens": 1},
    });
    Script::json(message.to_string())
}

fn of<'i>(items: &'i Value, name: &str) -> &'i Value {
    items.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap()
}

/// Runs the command beside the scripted server.
async fn run(it: Profile, args: &'static [&'static str]) -> (i32, String, String) {
    let args = [&["providers", "test"], args].concat();
    let ran = tokio::task::spawn_blocking(move || it.run(&args, &[("CLAUDE_KEY", KEY)]));
    ran.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cheapest_routed_model_is_asked_for_one_token() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.always("POST", "/v1/messages", message());
    upstream.always("GET", "/v1/models", Script::json(r#"{"object":"list","data":[]}"#));
    let (code, stdout, stderr) = run(profile(&upstream.url()), &["--json"]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    let items: Value = serde_json::from_str(&stdout).unwrap();
    let claude = of(&items, "claude");
    assert_eq!((&claude["ok"], &claude["status"]), (&json!(true), &json!(200)), "{claude}");
    assert_eq!(claude["asked"], "claude-haiku-4-5");
    assert!(claude["took_ms"].is_u64());
    assert_eq!(of(&items, "local")["asked"], "its models");
    assert_eq!(of(&items, "echo")["status"], json!(null));
    let seen = upstream.journal();
    let asked = seen.iter().find(|request| request.target == "/v1/messages").unwrap();
    assert_eq!(asked.header("x-api-key"), Some(KEY));
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!((&body["max_tokens"], &body["model"]), (&json!(1), &json!("claude-haiku-4-5")));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_fails_the_command_and_no_key_is_shown() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let error = json!({ "type": "error", "error": {
        "type": "authentication_error", "message": format!("invalid x-api-key {KEY}") } });
    let refusal = Script { status: 401, ..Script::json(error.to_string()) };
    upstream.always("*", "/", refusal);
    let (code, stdout, stderr) = run(profile(&upstream.url()), &["claude"]).await;
    assert_eq!(code, 1, "{stdout}{stderr}");
    assert!(stdout.contains("401") && stdout.contains("invalid x-api-key [key]"), "{stdout}");
    assert!(stderr.contains("1 of 1 providers did not answer well"), "{stderr}");
    assert!(!format!("{stdout}{stderr}").contains(KEY));
    assert_eq!(upstream.requests(), 1, "there is no second attempt");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_models_will_do_and_a_page_of_something_else_will_not() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.on("GET", "/v1/models", Script::json(r#"{"data":[],"has_more":false}"#));
    upstream.always("GET", "/v1/models", Script::json("<html>welcome</html>"));
    let url = upstream.url();
    let (code, stdout, stderr) = run(profile(&url), &["claude", "--list-models"]).await;
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert_eq!(upstream.journal()[0].header("anthropic-version"), Some("2023-06-01"));
    let (code, stdout, _) = run(profile(&url), &["claude", "--list-models"]).await;
    assert_eq!(code, 1);
    assert!(stdout.contains("no list of models"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_not_there_is_not_well_and_one_that_is_not_known_is_not_found() {
    let (code, stdout, _) = run(profile("http://127.0.0.1:1"), &["local"]).await;
    assert_eq!(code, 1);
    assert!(stdout.contains("the provider cannot be reached"), "{stdout}");
    let (code, _, stderr) = run(profile("http://127.0.0.1:1"), &["cloude"]).await;
    assert_eq!(code, 5);
    assert!(stderr.contains("did you mean `claude`?"), "{stderr}");
}
