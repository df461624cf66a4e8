//! The providers of models that the gateway example has, and the request to a model that it prints.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::harness::{Gateway, answer, built};

/// Variables that stand in the environment of whoever runs the tests are not for the gateways in them.
const VARIABLES: [&str; 6] = [
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "MOONSHOT_API_KEY",
    "DASHSCOPE_API_KEY",
    "MINIMAX_API_KEY",
];

fn gateway(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(built("examples", "gateway"));
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    command
}

async fn models(gateway: &Gateway) -> Vec<String> {
    let (status, body) = answer(gateway.get("/v1/models", "user")).await;
    assert_eq!(status, 200, "{body}");
    let models = body["data"].as_array().unwrap().iter();
    models.map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_come_with_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut first = Gateway::started(gateway(&[("OPENAI_API_KEY", " ")]), &data).unwrap();
    assert_eq!(models(&first).await, ["echo"]);
    first.stop();
    let keys = [("ANTHROPIC_API_KEY", "a-key"), ("MINIMAX_API_KEY", "another")];
    let second = Gateway::started(gateway(&keys), &data).unwrap();
    let listed = models(&second).await;
    let has = |prefix: &str| listed.iter().any(|model| model.starts_with(prefix));
    assert!(has("claude-") && has("MiniMax-") && has("echo"), "{listed:?}");
    assert!(!has("gpt-") && !has("gemini-"), "{listed:?}");
    // The policy is reloaded beside them.
    let profile = std::fs::read_to_string(data.join("profile.yaml")).unwrap();
    std::fs::write(data.join("profile.yaml"), profile.replace("purge, ", "")).unwrap();
    crate::harness::eventually("a reload", || async {
        second.log().contains("the policy was loaded")
    })
    .await;
    let log = second.log();
    assert!(!log.contains("take effect at the next start"), "nothing else has changed:\n{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_profile_says_of_a_provider_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Gateway::started(gateway(&[]), &data).unwrap());
    let path = data.join("profile.yaml");
    let own = std::fs::read_to_string(&path).unwrap().replace(
        "    - match: echo\n",
        "    - match: \"claude-*\"\n      provider: echo\n    - match: echo\n",
    );
    std::fs::write(&path, own).unwrap();
    let gateway = Gateway::started(gateway(&[("ANTHROPIC_API_KEY", "a-key")]), &data).unwrap();
    let body = json!({
        "model": "claude-opus-5", "max_tokens": 9,
        "messages": [{ "role": "user", "content": "hello" }],
    });
    let (status, body) = answer(gateway.post("/v1/messages", "user").json(&body)).await;
    assert_eq!(status, 200, "{body}");
}

/// What a shell makes of a printed `curl` line: its arguments.
fn arguments(line: &str) -> Vec<String> {
    let script = format!("curl() {{ for each; do printf '%s\\n' \"$each\"; done; }}\n{line}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_request_to_a_model_works_as_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("it's a folder");
    let (_serving, line) = Serving::start(&data);
    let arguments = arguments(&line);
    let mut request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(arguments.iter().find(|argument| argument.starts_with("http://")).unwrap());
    for pair in arguments.windows(2) {
        match (pair[0].as_str(), pair[1].as_str()) {
            ("-H", header) => {
                let (name, value) = header.split_once(": ").unwrap();
                request = request.header(name, value);
            }
            ("-d", body) => request = request.body(body.to_owned()),
            _ => {}
        }
    }
    let (status, body) = answer(request).await;
    assert_eq!((status.as_u16(), &body["content"][0]["text"]), (200, &json!("hello")), "{body}");
}

/// A gateway whose greeting is read; killed when this is dropped.
struct Serving(Child);

impl Serving {
    /// The gateway, and the line for a model that it prints.
    fn start(data: &Path) -> (Self, String) {
        let mut child = gateway(&[])
            .args(["--addr", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines = stdout.lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("/v1/messages"));
        (Self(child), line.expect("a line for a model"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
