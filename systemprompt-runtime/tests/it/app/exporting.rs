//! The sinks of the profile.

use std::fs;
use std::path::Path;

use systemprompt_runtime::StartError;

use super::{Installation, key, until};
use crate::wire::ask;

/// A credential of the right form that is nobody's.
const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

/// A file that is written, and a receiver that is never there.
const SINKS: &str = "
export:
  host: gateway-1
  sinks:
    - id: archive
      format: ocsf
      to: {file: {path: export.jsonl}}
    - id: nowhere
      format: splunk_hec
      to: {http: {url: \"http://127.0.0.1:9/\"}}
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_go_to_the_sinks_and_planted_secrets_do_not() {
    let installation = Installation::new();
    installation.edit(|profile| profile + SINKS);
    let served = installation.serve().await;
    let body = format!(
        "{{\"tool\":\"Bash\",\"arguments\":{{\"command\":\"echo {SECRET}\"}},\"session_id\":\"{SECRET}\",\
          \"agent_id\":\"developer_agent\"}}"
    );
    let user_key = key(&installation.data(), "admin");
    let request = format!(
        "POST /api/v1/govern HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {user_key}\r\n\
         User-Agent: agent {SECRET}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = ask(served.addr, request).await.json();
    assert_eq!(answer["reason"]["code"], "secret_detected", "{answer}");
    until("a failure is counted", async || {
        let page = served.get("/metrics").await.body;
        page.contains("systemprompt_export_healthy{sink=\"nowhere\"} 0")
    })
    .await;
    served.stop().await;

    let archive = fs::read_to_string(installation.data().join("export.jsonl")).unwrap();
    assert!(archive.contains("\"secret_detected\""), "{archive}");
    // The very last event is there, too.
    assert!(archive.contains("\"server_stopped\""), "{archive}");
    let spool = everything_in(&installation.data().join("spool/nowhere"));
    assert!(spool.contains("\"secret_detected\""), "{spool}");
    for text in [&archive, &spool] {
        assert!(!text.contains(SECRET) && !text.contains(user_key.trim()), "{text}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_stops_the_start_and_is_named() {
    let installation = Installation::new();
    installation.edit(|profile| {
        profile
            + "
export:
  sinks:
    - id: siem
      format: datadog
      to: {http: {url: \"https://example.com\", token: {env: NOT_SET}}}
"
    });
    let Err(error) = installation.config() else { panic!("it is not there") };
    let StartError::Config(error) = error else { panic!("{error}") };
    let text = error.to_string();
    assert!(text.contains("export.sinks[0].to.http.token") && text.contains("NOT_SET"), "{text}");
}

fn everything_in(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}
