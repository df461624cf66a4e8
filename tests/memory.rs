//! What waits for the audit writer holds no secret: a process is made to hold nothing but the writer and its
//! full queue, and its memory is searched from outside.
//!
//! The process is this test binary itself, started again. Its allocator wipes what is freed, so that what
//! is found is held by somebody and no leftover of the requests.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics; the process reports on its standard output"
)]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use systemprompt::audit::AuditLog;
use systemprompt::runtime::{App, starter_profile};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// The variable with the data folder of the process that is looked into.
const DATA: &str = "SYSTEMPROMPT_TEST_DATA";

/// What is written instead of a secret where the process is told of it.
const MASK: u8 = 0x55;

/// Requests with each secret of each kind.
const REPEATS: usize = 20;

/// Test credentials, put together so that no scanner of the source takes them for real ones.
fn secrets() -> [String; 3] {
    let rsa = "MIIEpAIBAAKCAQEA3Tz2mr7SZiAMfQyuvBjM9Oi7zk2sDkYpQvR1cJ8xWnE5bGdF";
    let pem = |edge: &str| format!("-----{edge} RSA {} KEY-----", "PRIVATE");
    [
        format!("AKIA{}", "QYLPMN5HHHFPZAM2"),
        format!("ghp_{}", "x7Kq2Lm9Zt4Rv8Wc3Yb6Nd1Pf5Hg0Js2Ka4T"),
        format!("{}\n{rsa}\n{rsa}\n{}", pem("BEGIN"), pem("END")),
    ]
}

/// What stands in each request and may be kept: that it is found shows that the queue was searched.
const KEPT: &str = "session-that-waits-in-the-queue";

const ACTIONS: &str = "
  secrets:
    actions:
      - {action: tokenise, tools: [Tokenised]}
      - {action: redact, tools: [Redacted]}
";

#[test]
fn nothing_that_waits_for_the_audit_writer_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let profile = starter_profile(&data).unwrap();
    let text = fs::read_to_string(&profile).unwrap();
    let text = text.replace("\ngovernance:\n", &format!("\ngovernance:{ACTIONS}"))
        + "\ndatabase: {busy_timeout_ms: 60000}\naudit: {append_timeout_ms: 60000}\n";
    fs::write(&profile, text).unwrap();

    let mut process = Process::start(&data);
    for words in secrets().iter().map(String::as_str).chain([KEPT]) {
        process.tell(words);
    }
    let queued: usize = process.hear("queued ").parse().unwrap();
    assert!(queued >= REPEATS, "{queued} events wait");
    let memory = process.memory();
    let count = |text: &str| memory.iter().map(|area| occurrences(area, text.as_bytes())).sum();
    let kept: usize = count(KEPT);
    assert!(kept >= REPEATS, "what waits was looked at: {kept}");
    for secret in secrets() {
        let needle = secret.lines().nth(usize::from(secret.contains('\n'))).unwrap();
        let found: usize = count(needle);
        assert_eq!(found, 0, "{needle} is in the memory");
    }
    // The same search finds what is there: the process keeps one copy now.
    process.tell("keep");
    process.hear("kept");
    let memory = process.memory();
    let needle = &secrets()[0];
    assert!(memory.iter().any(|area| occurrences(area, needle.as_bytes()) > 0));
}

fn occurrences(area: &[u8], needle: &[u8]) -> usize {
    area.windows(needle.len()).filter(|window| *window == needle).count()
}

/// The process that is looked into.
struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(data: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "--ignored", "--nocapture", "holds_a_writer_and_its_queue"])
            .env(DATA, data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Says a word, masked.
    fn tell(&mut self, word: &str) {
        let masked: String = word.bytes().map(|byte| format!("{:02x}", byte ^ MASK)).collect();
        writeln!(self.child.stdin.as_mut().unwrap(), "{masked}").unwrap();
    }

    /// Waits for a line that begins like this, and returns the rest of it.
    fn hear(&mut self, start: &str) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "it has ended");
            if let Some((_, rest)) = line.split_once(start) {
                return rest.trim().to_owned();
            }
        }
    }

    /// Everything that the process can write to: its heap and its stacks.
    fn memory(&self) -> Vec<Vec<u8>> {
        let process = format!("/proc/{}", self.child.id());
        let memory = File::open(format!("{process}/mem")).unwrap();
        let maps = fs::read_to_string(format!("{process}/maps")).unwrap();
        let writable = maps.lines().filter(|line| line.contains(" rw"));
        let areas = writable.filter_map(|line| {
            let (start, end) = line.split_whitespace().next()?.split_once('-')?;
            let parse = |text| u64::from_str_radix(text, 16).ok();
            let (start, end) = (parse(start)?, parse(end)?);
            let mut area = vec![0; usize::try_from(end - start).ok()?];
            memory.read_exact_at(&mut area, start).ok().map(|()| area)
        });
        areas.collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "is the process that the test above looks into"]
fn holds_a_writer_and_its_queue() {
    let data = std::env::var_os(DATA).expect("started by the test above");
    let secrets = [heard(), heard(), heard()];
    let runtime = Runtime::new().unwrap();
    let audit = runtime.block_on(fill_queue(Path::new(&data), &secrets, &heard()));
    drop(secrets);
    // Everything but the writer's thread: the doors, the governor, connections, requests under way.
    runtime.shutdown_timeout(Duration::from_secs(10));
    println!("queued {}", audit.stats().queued);
    assert_eq!(heard(), "keep");
    let [kept, ..] = self::secrets();
    println!("kept");
    assert_eq!(heard(), "the end, which never comes", "{kept}");
}

/// The next word, unmasked.
fn heard() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    let byte = |at| u8::from_str_radix(&line[at..at + 2], 16).unwrap() ^ MASK;
    String::from_utf8((0..line.trim().len()).step_by(2).map(byte).collect()).unwrap()
}

/// Sends the secrets through the doors while the log cannot be written.
async fn fill_queue(data: &Path, secrets: &[String], session: &str) -> AuditLog {
    let app = App::builder().installation(data).await.unwrap().start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = app.clone();
    tokio::spawn(async move { serving.serve_until(listener, std::future::pending()).await });

    // Whoever holds the lock of the file keeps the writer waiting. Never let go.
    let file = fs::read_dir(data).unwrap().filter_map(|entry| Some(entry.ok()?.path()));
    let file = file.into_iter().find(|path| path.extension().is_some_and(|it| it == "db"));
    let mut lock = SqliteConnectOptions::new().filename(file.unwrap()).connect().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    std::mem::forget(lock);

    let key = fs::read_to_string(data.join("user.key")).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let send = |path: &str, body: Value| {
        let request = client.post(format!("{base}{path}")).bearer_auth(key.trim()).json(&body);
        tokio::spawn(async move { drop(request.send().await) });
    };
    for secret in secrets {
        for number in 0..REPEATS {
            let text = format!("{number} {secret} after it");
            for tool in ["Denied", "Redacted", "Tokenised"] {
                let arguments = json!({ "a": [{ "content": text }], secret.clone(): 1 });
                let value = json!({ "content": text });
                let arguments = if tool == "Denied" { arguments } else { value };
                let call = json!({ "tool": tool, "arguments": arguments, "session_id": session });
                send("/api/v1/govern", call);
            }
            send(
                "/api/public/hooks/govern",
                json!({ "hook_event_name": "PreToolUse", "session_id": session,
                    "tool_name": "Read", "tool_input": { "x": text }, "tool_use_id": secret }),
            );
            send(
                "/api/public/hooks/track",
                json!({ "hook_event_name": "Notification", "session_id": session, "message": text }),
            );
            let content = json!({ "direction": "result", "content": text, "session_id": session });
            send("/api/v1/inspect", content);
        }
    }
    let audit = app.audit().clone();
    let mut before = 0;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let queued = audit.stats().queued;
        if queued > 0 && queued == before {
            return audit;
        }
        before = queued;
    }
}
