//! The log as it grows: over HTTP, and on the command line.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use crate::harness::{Gateway, answer, built, verdict};

const STREAM: &str = "/api/v1/stream/audit";

/// A client of a stream.
struct Stream {
    response: Response,
    text: String,
    id: String,
}

impl Stream {
    async fn open(gateway: &Gateway, query: &str, last: Option<&str>) -> Self {
        let mut request = gateway.get(&format!("{STREAM}{query}"), "admin");
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new(), id: String::new() }
    }

    /// The next message with its type; `None` at the end.
    async fn message(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
                if let Some(id) = field("id: ") {
                    self.id = id.to_owned();
                }
                if let Some(data) = field("data: ") {
                    let event = field("event: ").unwrap_or("message").to_owned();
                    return Some((event, serde_json::from_str(data).unwrap()));
                }
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.response.chunk()).await;
            let piece = piece.expect("a stream says something").unwrap()?;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

/// `systemprompt` beside a running gateway.
fn systemprompt(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(built("", "systemprompt"));
    command.arg("--config").arg(data.join("profile.yaml")).args(arguments);
    command
}

/// A command that goes on, and the lines it prints.
struct Tail(Child, Receiver<String>);

impl Tail {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = systemprompt(data, &["audit", "tail", "-f"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (lines, received) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        thread::spawn(move || {
            out.lines().map_while(Result::ok).try_for_each(|line| lines.send(line))
        });
        Self(child, received)
    }

    fn line(&self) -> String {
        self.1.recv_timeout(Duration::from_secs(20)).expect("a line")
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_for_those_who_may_read_the_log() {
    let gateway = Gateway::fresh();
    let (status, body) = answer(gateway.get(STREAM, "user")).await;
    assert_eq!((status.as_u16(), &body["code"]), (403, &json!("insufficient_scope")));
    let nobody = gateway.client().get(format!("{}{STREAM}", gateway.base()));
    assert_eq!(answer(nobody).await.0, 401);
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(Stream::open(&gateway, "", None).await);
    }
    let (status, body) = answer(gateway.get(STREAM, "admin")).await;
    assert_eq!((status.as_u16(), &body["code"]), (429, &json!("too_many_streams")));
    let metrics = gateway.get("/metrics", "user").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("systemprompt_audit_streams 8\n"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_after_the_server_was_stopped_and_killed() {
    let mut gateway = Gateway::fresh();
    let data = gateway.data().to_owned();
    let mut stream = Stream::open(&gateway, "?kind=decision", None).await;
    gateway.ask("user", "Read", json!({})).await;
    let (event, data_of) = stream.message().await.unwrap();
    assert_eq!((&*event, &data_of["tool"]), ("message", &json!("Read")));
    // An orderly stop ends the stream, and does not wait for it.
    let start = Instant::now();
    gateway.stop();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let (event, end) = stream.message().await.unwrap();
    assert_eq!((&*event, &end["code"]), ("end", &json!("shutting_down")));
    assert!(stream.message().await.is_none());

    let mut gateway2 = Gateway::on(&data);
    for tool in ["Glob", "Grep", "Read"] {
        gateway2.ask("user", tool, json!({})).await;
    }
    let mut resumed = Stream::open(&gateway2, "?kind=decision", Some(&stream.id)).await;
    assert_eq!(resumed.message().await.unwrap().1["tool"], "Glob");
    gateway2.kill();
    let gateway3 = Gateway::on(&data);
    let mut again = Stream::open(&gateway3, "?kind=decision", Some(&resumed.id)).await;
    assert_eq!(again.message().await.unwrap().1["tool"], "Grep");
    assert_eq!(again.message().await.unwrap().1["tool"], "Read");
    gateway3.ask("user", "delete_everything", json!({})).await;
    assert_eq!(again.message().await.unwrap().1["decision"], "deny");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_key_is_revoked() {
    let gateway = Gateway::fresh();
    let mut stream = Stream::open(&gateway, "?decision=allow", None).await;
    let key = gateway.key("admin");
    let id = key.split('_').nth(2).unwrap();
    let revoked = systemprompt(gateway.data(), &["keys", "revoke", id]).output().unwrap();
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    let start = Instant::now();
    let (event, end) = stream.message().await.unwrap();
    assert_eq!((&*event, &end["code"]), ("end", &json!("unauthenticated")));
    // About a second; a loaded machine may take longer.
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert!(stream.message().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_holds_up_nobody() {
    let gateway = Gateway::edited(|text| {
        text.replace("limit: 300", "limit: 1000000").replace("burst: 300", "burst: 1000000")
    });
    let mut stalled = Stream::open(&gateway, "?kind=decision", None).await;
    let calls: Vec<_> = (0..100).map(|_| json!({ "tool": "Read", "arguments": {} })).collect();
    let batch = json!({ "calls": calls });
    for _ in 0..100 {
        let (status, _) = answer(gateway.post("/api/v1/govern/batch", "user").json(&batch)).await;
        assert_eq!(status, 200);
    }
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..10_000 {
        let (_, event) = stalled.message().await.unwrap();
        assert_eq!(event["tool"], "Read");
        assert!(seen.insert(event["seq"].as_i64().unwrap()), "twice");
    }
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_follows_the_log_through_a_restart() {
    let mut gateway = Gateway::fresh();
    let data = gateway.data().to_owned();
    gateway.ask("user", "Read", json!({})).await;
    let people = Tail::start(&data, &["-n", "1", "--kind", "decision", "--user", "user"]);
    let programs = Tail::start(&data, &["--json", "--tool", "Grep", "--from", "1h"]);
    let denials = Tail::start(&data, &["-n", "0", "--decision", "deny"]);
    assert!(people.line().contains("Read"));
    // It has begun, so what comes now is new.
    thread::sleep(Duration::from_millis(500));
    gateway.ask("user", "Grep", json!({})).await;
    assert!(people.line().contains("Grep"));
    gateway.stop();
    let mut gateway = Gateway::on(&data);
    gateway.ask("user", "Grep", json!({})).await;
    gateway.kill();
    let gateway = Gateway::on(&data);
    gateway.ask("user", "delete_everything", json!({})).await;
    assert!(people.line().contains("Grep"));
    let line = people.line();
    assert!(line.contains("deny") && line.contains("blocked"), "{line}");
    assert_eq!(denials.line(), line);
    let events = [programs.line(), programs.line()];
    let seqs = events.map(|line| serde_json::from_str::<Value>(&line).unwrap()["seq"].as_i64());
    assert!(seqs[0] < seqs[1], "{seqs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tail_ends_when_nobody_reads_and_prints_what_was_asked_for() {
    let gateway = Gateway::fresh();
    for tool in ["Read", "Glob", "Grep"] {
        gateway.ask("user", tool, json!({})).await;
    }
    let lines = |arguments: &[&str]| {
        let output = systemprompt(gateway.data(), &["audit", "tail"]).args(arguments).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().count()
    };
    assert_eq!(lines(&["--kind", "decision"]), 3);
    assert_eq!(lines(&["--kind", "decision", "-n", "2"]), 2);
    assert_eq!(lines(&["-n", "0"]), 0);
    assert_eq!(lines(&["--from", "1h", "--tool", "Glob"]), 1);
    let wrong = systemprompt(gateway.data(), &["audit", "tail", "--kind", "wish"]).output();
    assert_eq!(wrong.unwrap().status.code(), Some(2));

    let mut tail = Tail::start(gateway.data(), &["-n", "1"]);
    tail.line();
    // The reader goes away with the receiver.
    tail.1 = channel().1;
    let start = Instant::now();
    while tail.0.try_wait().unwrap().is_none() {
        gateway.ask("user", "Read", json!({})).await;
        assert!(start.elapsed() < Duration::from_secs(20), "it goes on for nobody");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
