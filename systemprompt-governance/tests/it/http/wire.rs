//! Over a real connection: what a client gets to see when it is refused in the middle of sending, and
//! the hook script of the guide.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::{HOOK, World};

async fn serve() -> (SocketAddr, JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = World::new().router;
    (address, tokio::spawn(async move { axum::serve(listener, router).await }))
}

async fn exchange(head: &str, body: &[u8]) -> String {
    let (address, server) = serve().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    server.abort();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn whoever_is_refused_after_a_large_event_still_reads_the_deny() {
    let body = vec![b' '; 4 * 1024 * 1024];
    for authorization in ["", "Authorization: Bearer ada\r\n"] {
        let head = format!(
            "POST {HOOK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\
             Content-Length: {}\r\n\r\n",
            body.len()
        );
        let answer = exchange(&head, &body).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(r#""permissionDecision":"deny""#), "{answer}");
        assert!(answer.contains("x-trace-id: "), "{answer}");
    }
}

/// The script of `docs/claude-code.md`.
fn script() -> String {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/claude-code.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let (_, rest) = guide.split_once("```sh\n").expect("a script");
    rest.split_once("```").unwrap().0.to_owned()
}

/// Runs the script; its exit code, standard output and standard error.
async fn run(door: &str, url: &str, key: &Path, event: &Value) -> (i32, String, String) {
    let mut child = std::process::Command::new("sh")
        .args(["-c", &script(), "hook.sh", door])
        .env("SYSTEMPROMPT_URL", url)
        .env("SYSTEMPROMPT_KEY_FILE", key)
        .env("no_proxy", "*")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The script may give up before it reads its input.
    let _ =
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), event.to_string().as_bytes());
    let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_of_the_guide_passes_decisions_on_and_fails_closed() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "ada\n").unwrap();
    let (address, server) = serve().await;
    let url = format!("http://{address}");
    let event = |tool: &str| json!({ "hook_event_name": "PreToolUse", "tool_name": tool, "tool_input": {} });

    let (code, out, _) = run("govern", &url, &key, &event("Read")).await;
    assert_eq!(code, 0);
    assert!(out.contains(r#""permissionDecision":"allow""#), "{out}");
    let (code, out, _) = run("govern", &url, &key, &event("delete_all")).await;
    assert_eq!(code, 0);
    assert!(out.contains(r#""permissionDecision":"deny""#), "{out}");
    let (code, out, _) = run("track", &url, &key, &json!({ "hook_event_name": "Stop" })).await;
    assert_eq!((code, out.trim()), (0, "{}"));

    let (code, out, error) = run("govern", &format!("{url}/nowhere"), &key, &event("Read")).await;
    assert_eq!((code, &*out), (2, ""), "{error}");
    let (code, _, error) = run("govern", &url, &folder.path().join("none"), &event("Read")).await;
    assert_eq!(code, 2, "{error}");
    server.abort();
    let _ = server.await;
    let (code, out, error) = run("govern", &url, &key, &event("Read")).await;
    assert_eq!((code, &*out), (2, ""));
    assert!(error.contains("blocked"), "{error}");
    let (code, ..) = run("track", &url, &key, &json!({ "hook_event_name": "Stop" })).await;
    assert_eq!(code, 1);
}
