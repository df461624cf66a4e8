//! The official SDKs, in processes that make one call after the other.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Map, Value, json};

/// The variable that names the folder with the SDKs.
const FOLDER: &str = "SYSTEMPROMPT_TEST_SDKS";

/// Longest a call may take, in seconds.
const PATIENCE: u64 = 60;

/// A language that there is an SDK in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    Python,
    Node,
}

/// Both of them.
pub(crate) const LANGS: [Lang; 2] = [Lang::Python, Lang::Node];

/// A call to make.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    lang: Lang,
    job: Map<String, Value>,
}

/// What an SDK made of a call.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// What the call returned.
    pub(crate) result: Value,
    /// What a stream brought, one by one.
    pub(crate) events: Vec<Value>,
    /// Headers of the answer.
    pub(crate) headers: Value,
    /// What the call raised.
    pub(crate) error: Value,
}

/// Where the SDKs are: what `./scripts/test` installs.
pub(crate) fn folder() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../.deps");
    std::env::var_os(FOLDER).map_or_else(default, PathBuf::from)
}

/// A file that must be installed.
pub(crate) fn installed(path: &str) -> PathBuf {
    let path = folder().join(path);
    assert!(
        path.exists(),
        "{} is missing: run `./scripts/test --sdks` to install the SDKs, or name the folder that has them \
         in {FOLDER}",
        path.display()
    );
    path
}

impl Call {
    /// A call of `sdk` (`anthropic` or `openai`): `op` is a name, and `.events` or `.stream` for a stream.
    pub(crate) fn new(lang: Lang, sdk: &str, op: &str, params: Value) -> Self {
        let job = json!({ "sdk": sdk, "op": op, "params": params });
        Self { lang, job: job.as_object().cloned().unwrap() }
    }

    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.job.insert(key.to_owned(), value.into());
        self
    }

    /// Makes it, against the server at `base`.
    pub(crate) async fn make(mut self, base: &str, key: &str) -> Said {
        self.job.entry("key").or_insert_with(|| key.into());
        self.job.insert("base".to_owned(), base.into());
        let (lang, job) = (self.lang, Value::Object(self.job).to_string());
        let mut driver = Driver::idle(lang);
        let (process, asked) = (driver.child.id(), job.clone());
        let answering = tokio::task::spawn_blocking(move || {
            let line = driver.ask(&asked);
            IDLE.lock().push(driver);
            line
        });
        let Ok(line) = tokio::time::timeout(Duration::from_secs(PATIENCE), answering).await else {
            let _ = Command::new("kill").args(["-9", &process.to_string()]).status();
            panic!("{lang:?} did not end: {job}");
        };
        let line = line.expect("the driver answers");
        let said: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{lang:?} said no JSON ({error}): {line}\n{job}"));
        Said {
            result: said["result"].clone(),
            events: said["events"].as_array().cloned().unwrap_or_default(),
            headers: said["headers"].clone(),
            error: said["error"].clone(),
        }
    }
}

/// Drivers that wait for their next call. They end with this process, which closes their input.
static IDLE: Mutex<Vec<Driver>> = Mutex::new(Vec::new());

/// A process with SDKs.
struct Driver {
    lang: Lang,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Driver {
    /// One that waits, or a new one.
    fn idle(lang: Lang) -> Self {
        let mut idle = IDLE.lock();
        let found = idle.iter().position(|driver| driver.lang == lang);
        found.map(|at| idle.swap_remove(at)).unwrap_or_else(|| Self::start(lang))
    }

    fn start(lang: Lang) -> Self {
        let script = |name| Path::new(env!("CARGO_MANIFEST_DIR")).join("models/sdks").join(name);
        let mut command = match lang {
            Lang::Python => {
                let mut command = Command::new(installed("python/bin/python"));
                command.arg(script("drive.py"));
                command
            }
            Lang::Node => {
                installed("node/node_modules/openai/package.json");
                let mut command = Command::new("node");
                command.arg(script("drive.mjs")).env("SYSTEMPROMPT_TEST_NODE", installed("node"));
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_ascii_uppercase();
            if name.ends_with("_PROXY")
                || name.starts_with("OPENAI_")
                || name.starts_with("ANTHROPIC_")
            {
                command.env_remove(&name).env_remove(name.to_ascii_lowercase());
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("{lang:?} cannot be started: {error}"));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { lang, child, input, output }
    }

    fn ask(&mut self, job: &str) -> String {
        let mut line = String::new();
        let written =
            self.input.write_all(format!("{job}\n").as_bytes()).and_then(|()| self.input.flush());
        written.expect("the driver takes calls");
        self.output.read_line(&mut line).expect("the driver answers");
        assert!(!line.is_empty(), "{:?} ended while it made the call {job}", self.lang);
        line
    }
}

impl Said {
    /// The same, when nothing was raised.
    #[track_caller]
    pub(crate) fn well(self) -> Self {
        assert!(self.error.is_null(), "the SDK raised {:#}", self.error);
        self
    }

    /// The kinds of the events, one after the other.
    pub(crate) fn types(&self) -> Vec<&str> {
        self.events.iter().filter_map(|event| event["type"].as_str()).collect()
    }

    /// How many events are of this kind.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.types().into_iter().filter(|found| *found == kind).count()
    }

    /// Whether what was raised is of this class, or of one that is derived from it.
    #[track_caller]
    pub(crate) fn raised(&self, class: &str) {
        let kinds = self.error["kinds"].as_array().cloned().unwrap_or_default();
        assert!(kinds.contains(&class.into()), "not a {class}: {:#}", self.error);
    }
}
