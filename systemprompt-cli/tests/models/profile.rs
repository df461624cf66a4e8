use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a profile that has this section `models`.
pub(crate) struct Profile(TempDir);

impl Profile {
    pub(crate) fn new(models: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("profile: test\n{models}");
        std::fs::write(folder.path().join("profile.yaml"), text).unwrap();
        Self(folder)
    }

    /// Runs a command with variables; the code, and what was said on standard output and error.
    pub(crate) fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_systemprompt"));
        command.arg("--config").arg(self.0.path().join("profile.yaml")).args(args);
        command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let (code, stdout, stderr) = self.run(&[args, &["--json"]].concat(), &[]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        serde_json::from_str(&stdout).unwrap()
    }
}
