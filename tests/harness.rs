//! Starts the gateway example as a user would, and talks to it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tempfile::{TempDir, TempPath};

/// A running gateway with a data folder of its own.
pub(crate) struct Gateway {
    child: Child,
    base: String,
    data: PathBuf,
    log: TempPath,
    client: Client,
    _folder: Option<TempDir>,
}

/// Where cargo put a binary of this build.
pub(crate) fn built(folder: &str, name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("own path");
    path.pop();
    path.pop();
    path.push(folder);
    path.push(name);
    assert!(
        path.exists(),
        "{} is not built; run ./scripts/test, or `cargo build --examples -p systemprompt-examples \
         && cargo build -p systemprompt-cli` first",
        path.display()
    );
    path
}

/// Polls `probe` until it holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut probe: impl FnMut() -> F) {
    let start = Instant::now();
    while !probe().await {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Gateway {
    /// Starts on a fresh data folder with the starter policy.
    pub(crate) fn fresh() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let data = folder.path().join("data");
        let mut gateway = Self::on(&data);
        gateway._folder = Some(folder);
        gateway
    }

    /// Starts on a fresh data folder whose starter profile `edit` has changed.
    pub(crate) fn edited(edit: impl FnOnce(String) -> String) -> Self {
        let mut first = Self::fresh();
        let folder = first._folder.take();
        let data = first.data.clone();
        first.stop();
        let profile = data.join("profile.yaml");
        let text = fs::read_to_string(&profile).expect("starter profile");
        fs::write(&profile, edit(text)).expect("profile");
        let mut gateway = Self::on(&data);
        gateway._folder = folder;
        gateway
    }

    /// Starts on `data`, which may have been used before.
    pub(crate) fn on(data: &Path) -> Self {
        Self::try_on(data).unwrap_or_else(|log| panic!("the gateway did not start:\n{log}"))
    }

    /// Starts on `data`; the log when it refuses.
    pub(crate) fn try_on(data: &Path) -> Result<Self, String> {
        Self::started(Command::new(built("examples", "gateway")), data)
    }

    /// Starts the program of `command`, which is the gateway, on `data`; the log when it refuses.
    pub(crate) fn started(mut command: Command, data: &Path) -> Result<Self, String> {
        let (file, log) = tempfile::NamedTempFile::new().expect("log file").into_parts();
        let mut child = command
            .args(["--addr", "127.0.0.1:0", "--data"])
            .arg(data)
            .env("RUST_LOG", "debug")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .expect("gateway");
        let Some(base) = address(&mut child) else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(fs::read_to_string(log).unwrap_or_default());
        };
        let client = Client::builder().no_proxy().build().expect("client");
        Ok(Self { child, base, data: data.to_owned(), log, client, _folder: None })
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn port(&self) -> u16 {
        self.base.rsplit(':').next().and_then(|port| port.parse().ok()).expect("port")
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The key of `admin` or `user`.
    pub(crate) fn key(&self, name: &str) -> String {
        let path = self.data.join(format!("{name}.key"));
        fs::read_to_string(path).expect("key file").trim().to_owned()
    }

    pub(crate) fn post(&self, path: &str, user: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).bearer_auth(self.key(user))
    }

    pub(crate) fn get(&self, path: &str, user: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).bearer_auth(self.key(user))
    }

    /// Asks for a decision.
    pub(crate) async fn govern(&self, user: &str, body: Value) -> Value {
        answer(self.post("/api/v1/govern", user).json(&body)).await.1
    }

    /// Asks for a decision on `tool` without further circumstances.
    pub(crate) async fn ask(&self, user: &str, tool: &str, arguments: Value) -> Value {
        self.govern(user, json!({ "tool": tool, "arguments": arguments })).await
    }

    /// A connection of our own to the database, for looking.
    pub(crate) async fn database(&self) -> SqliteConnection {
        connect(&self.database_file()).await
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        fs::read_dir(&self.data)
            .expect("data folder")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|e| e == "db"))
            .expect("database file")
    }

    /// Everything the gateway has written to standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Stops it in an orderly way.
    pub(crate) fn stop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let start = Instant::now();
        while self.child.try_wait().expect("wait").is_none() {
            assert!(start.elapsed() < Duration::from_secs(20), "did not stop:\n{}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Opens a SQLite file for looking.
pub(crate) async fn connect(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(5))
        .connect()
        .await
        .expect("database")
}

/// Sends a request; the status and the JSON body.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.expect("answer");
    let status = response.status();
    let text = response.text().await.expect("body");
    let body = serde_json::from_str(&text).unwrap_or_else(|_| json!({ "not_json": text }));
    (status, body)
}

/// `"allow"`, or the code of the reason.
pub(crate) fn verdict(answer: &Value) -> &str {
    match answer["decision"].as_str() {
        Some("deny") => answer["reason"]["code"].as_str().unwrap_or("deny without a code"),
        Some(other) => other,
        None => panic!("no decision in {answer}"),
    }
}

/// The first `http://` address the child prints; it goes on being read so that the pipe never fills.
fn address(child: &mut Child) -> Option<String> {
    let stdout = BufReader::new(child.stdout.take()?);
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok) {
            if let Some(at) = line.find("http://127.0.0.1:") {
                let rest: String =
                    line[at + 17..].chars().take_while(char::is_ascii_digit).collect();
                let _ = sender.send(format!("http://127.0.0.1:{rest}"));
            }
        }
    });
    receiver.recv_timeout(Duration::from_secs(20)).ok()
}
