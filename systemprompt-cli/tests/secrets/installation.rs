use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A data folder with a database and the tenant `default`, and what the binary has said in it so far.
pub(crate) struct Installation {
    folder: TempDir,
    said: std::cell::RefCell<String>,
}

/// What became of a command.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Installation {
    pub(crate) fn new() -> Self {
        let made = Self { folder: tempfile::tempdir().unwrap(), said: Default::default() };
        std::fs::write(made.folder.path().join("profile.yaml"), "profile: test\n").unwrap();
        made.run(&["db", "migrate"], "").ok();
        made.run(&["users", "create", "ada"], "").ok();
        made
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_systemprompt"));
        command.arg("--config").arg(self.path("profile.yaml")).args(args);
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command
    }

    /// Runs a command with `input` on its standard input.
    pub(crate) fn run(&self, args: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing has closed it.
        drop(child.stdin.take().unwrap().write_all(input.as_ref()));
        self.heard(child.wait_with_output().unwrap())
    }

    pub(crate) fn heard(&self, output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let mut said = self.said.borrow_mut();
        said.push_str(&stdout);
        said.push_str(&stderr);
        Ran { code: output.status.code().unwrap(), stdout, stderr }
    }

    pub(crate) fn json(&self, args: &[&str], input: &str) -> Value {
        let ran = self.run(&[args, &["--json"]].concat(), input).ok();
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Whether `text` is in anything that was said, or in any file of the data folder.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.said.borrow().contains(text) || holds(self.folder.path(), text)
    }
}

impl Ran {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    /// The command has failed with this code; what it said on standard error.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "");
        self.stderr
    }
}

fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let content = std::fs::read(entry.unwrap().path()).unwrap();
        content.windows(text.len()).any(|window| window == text.as_bytes())
    })
}
