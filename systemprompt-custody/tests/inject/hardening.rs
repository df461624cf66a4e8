//! What a child can find out about the process that started it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use systemprompt_custody::inject::{
    ChildProcess, Hardening, ProcessSettings, ProcessSpec, ProcessUser, harden_process,
};
use tokio::io::AsyncReadExt as _;

use crate::process::{injection, rustix_is_root, settings, spec};

/// What only the parent has.
const MARK: &str = "PARENT_ONLY_MARK";

/// A user that is nobody in particular.
const NOBODY: u32 = 65_534;

/// What a child can read of its parent's environment.
const READ: &str = "tr '\\0' '\\n' < /proc/$PPID/environ; tr '\\0' '\\n' < /proc/$PPID/cmdline >/dev/null && echo read";

async fn read_by_child(spec: &ProcessSpec) -> String {
    let ChildProcess { stdin: _stdin, mut stdout, stderr: _stderr, life: _life } =
        spec.spawn(&injection()).await.unwrap();
    let mut text = String::new();
    stdout.read_to_string(&mut text).await.unwrap();
    text
}

/// Runs the test `name` of this file in a process of its own, which no privileges protect.
fn alone(name: &str) {
    // A copy, because the place of the test itself may be closed to other users.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", "--ignored", "--nocapture", name]).env(MARK, "1").current_dir("/");
    if rustix_is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = loop {
        match command.output() {
            // Another test may be starting a child, which holds the copy open for a moment.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(10));
            }
            output => break output.unwrap(),
        }
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn t62_a_child_of_the_same_user_can_read_its_parent_until_that_is_hardened() {
    alone("hardening::in_its_own_process");
}

#[tokio::test]
#[ignore = "hardens its whole process; run by the test above"]
async fn in_its_own_process() {
    assert!(std::env::var_os(MARK).is_some());
    let reader = spec("/bin/sh", &["-c", READ]);
    let before = read_by_child(&reader).await;
    assert!(before.contains(MARK), "the point of hardening: {before}");
    assert_eq!(harden_process(), Hardening::Applied);
    let after = read_by_child(&reader).await;
    assert!(!after.contains(MARK), "{after}");
    // It still knows itself and starts children as before.
    assert!(std::fs::read_dir("/proc/self/fd").is_ok());
    assert!(read_by_child(&spec("/bin/echo", &["fine"])).await.contains("fine"));
}

#[tokio::test]
async fn t62_a_child_of_another_user_cannot_read_its_parent() {
    if !rustix_is_root() {
        return;
    }
    let user = Some(ProcessUser { uid: NOBODY, gid: NOBODY });
    let settings = ProcessSettings { user, ..settings("/bin/sh", &["-c", READ]) };
    let spec = ProcessSpec::assert_configured(settings).unwrap();
    assert_eq!(read_by_child(&spec).await, "read\n");
}
