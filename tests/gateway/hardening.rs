//! The process that holds the custody key is closed to others of its user.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::harness::{Gateway, built};

/// What only the gateway has in its environment.
const MARK: &str = "only-the-gateway-knows";

/// A user that is nobody in particular, for tests that are run as root: root may read everything.
const NOBODY: u32 = 65_534;

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}

/// A program as a user without privileges.
fn unprivileged(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.current_dir("/");
    command
}

/// Starts the gateway as that user, with `more` in its profile.
fn gateway(folder: &Path, more: &str) -> Gateway {
    // A copy, because the place of the program may be closed to other users.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    let program = folder.join("gateway");
    fs::copy(built("examples", "gateway"), &program).unwrap();
    let data = folder.join("data");
    let start = || {
        let mut command = unprivileged(&program);
        command.env("MARK", MARK);
        Gateway::started(command, &data).unwrap_or_else(|log| panic!("{log}"))
    };
    start().stop();
    let profile = data.join("profile.yaml");
    fs::write(&profile, fs::read_to_string(&profile).unwrap() + more).unwrap();
    start()
}

/// What a process of the same user can read of a file of the gateway in `/proc`.
fn read_by_another(gateway: &Gateway, file: &str) -> Result<Vec<u8>, String> {
    let mut head = unprivileged("/usr/bin/head");
    let output =
        head.args(["-c", "100000"]).arg(format!("/proc/{}/{file}", gateway.pid())).output();
    let output = output.unwrap();
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t62_a_process_of_the_same_user_reads_nothing_of_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let open = gateway(folder.path(), "\ncustody: {harden_process: false}\n");
    let environment = read_by_another(&open, "environ").unwrap();
    assert!(String::from_utf8_lossy(&environment).contains(MARK), "the point of the setting");
    assert!(read_by_another(&open, "maps").is_ok());
    assert!(open.log().contains("custody.harden_process"), "{}", open.log());
    drop(open);

    let folder = tempfile::tempdir().unwrap();
    let closed = gateway(folder.path(), "");
    for file in ["environ", "mem", "maps", "auxv", "fd"] {
        let refused = read_by_another(&closed, file).unwrap_err();
        assert!(refused.contains("Permission denied"), "{file}: {refused}");
    }
    let said = crate::harness::answer(closed.get("/health", "admin")).await.0;
    assert_eq!(said.as_u16(), 200, "it serves as before");
}
