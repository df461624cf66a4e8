//! Child processes: what they see, what comes back from them, and what becomes of them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use systemprompt_custody::inject::{
    ChildProcess, InjectError, Injection, ProcessError, ProcessSettings, ProcessSpec, ProcessUser,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::house::{MemoryStore, TOKEN, assert_clean, injector, server, tenant};

pub(crate) const GRANT: &str = "local: key in variable `SERVICE_TOKEN`";

/// Variables of server `local`, with its key in one of them.
pub(crate) fn declared() -> Value {
    json!({
        "bindings": [{ "server": "local", "secret": "key", "sink": { "env": { "variable": "SERVICE_TOKEN" } } }],
        "servers": [{ "server": "local", "variables": { "LANG": "C", "PATH": "/usr/bin:/bin" } }],
    })
}

pub(crate) fn injection() -> Injection {
    let store = MemoryStore::with(&[("key", TOKEN)], &[GRANT]);
    injector(&store, declared()).for_start(&tenant(), &server("local"))
}

pub(crate) fn settings(program: &str, arguments: &[&str]) -> ProcessSettings {
    ProcessSettings {
        program: program.into(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        directory: "/".into(),
        user: None,
    }
}

pub(crate) fn spec(program: &str, arguments: &[&str]) -> ProcessSpec {
    ProcessSpec::assert_configured(settings(program, arguments)).unwrap()
}

async fn all(mut source: impl AsyncRead + Unpin) -> String {
    let mut text = Vec::new();
    source.read_to_end(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

/// What a program writes to both outputs.
async fn output(spec: &ProcessSpec) -> (String, String) {
    let ChildProcess { stdin, stdout, stderr, mut life } = spec.spawn(&injection()).await.unwrap();
    drop(stdin);
    let (out, error, status) = tokio::join!(all(stdout), all(stderr), life.wait());
    assert!(status.unwrap().success(), "{error}");
    (out, error)
}

#[tokio::test]
async fn t62_the_child_sees_the_declared_variables_and_no_others() {
    // The block as the system handed it over, before any program could add to it.
    let (block, _) = output(&spec("/bin/cat", &["/proc/self/environ"])).await;
    let mut variables: Vec<_> = block.split_terminator('\0').collect();
    variables.sort_unstable();
    assert_eq!(
        variables,
        ["LANG=C", "PATH=/usr/bin:/bin", "SERVICE_TOKEN=[redacted:secret://key]"]
    );
    // The value was there: the child itself can tell.
    let test = format!(
        "test \"$SERVICE_TOKEN\" = '{TOKEN}' && test -z \"$CARGO_MANIFEST_DIR\" && echo same"
    );
    assert_eq!(output(&spec("/bin/sh", &["-c", &test])).await.0, "same\n");
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
}

const ECHO: &str = r#"
printf 'plain %s\n' "$SERVICE_TOKEN"
printf 'base64 '; printf '%s' "$SERVICE_TOKEN" | base64
printf 'header '; printf 'Authorization: Bearer %s\n' "$SERVICE_TOKEN" | base64 -w 20
printf 'hex '; printf '%s' "$SERVICE_TOKEN" | od -An -v -tx1 | tr -d ' \n'; echo
printf 'spaced'; printf '%s' "$SERVICE_TOKEN" | od -An -v -tx1
rest=${SERVICE_TOKEN#??????????}
printf 'split %s' "${SERVICE_TOKEN%"$rest"}"; sleep 0.2; printf '%s\n' "$rest"
printf 'error %s\n' "$SERVICE_TOKEN" >&2
env >&2
"#;

#[tokio::test]
async fn what_the_child_repeats_is_redacted() {
    let (out, error) = output(&spec("/bin/sh", &["-c", ECHO])).await;
    for text in [&out, &error] {
        assert_clean(text.as_bytes(), TOKEN);
    }
    let lines: Vec<_> = out.lines().collect();
    for (line, expected) in [(0, "plain "), (1, "base64 ")] {
        assert_eq!(lines[line], format!("{expected}[redacted:secret://key]"), "{out}");
    }
    for start in ["hex ", "spaced ", "split "] {
        assert!(out.contains(&format!("{start}[redacted:secret://key]")), "{start}: {out}");
    }
    assert_eq!(out.matches("[redacted:secret://key]").count(), 6, "{out}");
    assert!(error.starts_with("error [redacted:secret://key]\n"), "{error}");
    assert!(error.contains("SERVICE_TOKEN=[redacted:secret://key]\n"), "{error}");
}

#[tokio::test]
async fn a_value_in_two_writes_is_caught_before_its_last_byte_leaves() {
    let script = r#"printf 'a %s' "${SERVICE_TOKEN%??}"; read -r line; printf '%s z' "${SERVICE_TOKEN#"${SERVICE_TOKEN%??}"}"; sleep 30"#;
    let child = spec("/bin/sh", &["-c", script]).spawn(&injection()).await.unwrap();
    let ChildProcess { mut stdin, mut stdout, stderr: _stderr, mut life } = child;
    let mut first = [0; 64];
    let read = stdout.read(&mut first).await.unwrap();
    assert_eq!(&first[..read], b"a ");
    stdin.write_all(b"go\n").await.unwrap();
    let mut second = [0; 64];
    let read = stdout.read(&mut second).await.unwrap();
    assert_eq!(&second[..read], b"[redacted:secret://key] z");
    life.kill().await.unwrap();
}

#[tokio::test]
async fn the_child_has_three_descriptors() {
    // One that is not marked close-on-exec, as other code may leave behind.
    let left_open = rustix::io::dup(std::io::stderr()).unwrap();
    let script =
        "n=0; while [ $n -lt 256 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; true";
    let (out, _) = output(&spec("/bin/sh", &["-c", script])).await;
    assert_eq!(out, "0\n1\n2\n");
    drop(left_open);
}

#[tokio::test]
async fn the_child_works_where_it_was_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().canonicalize().unwrap();
    let settings = ProcessSettings { directory: directory.clone(), ..settings("/bin/pwd", &[]) };
    let (out, _) = output(&ProcessSpec::assert_configured(settings).unwrap()).await;
    assert_eq!(Path::new(out.trim()), directory);
}

/// Whether a process runs: it is there and no zombie.
fn runs(id: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.starts_with(" Z"))
}

async fn gone(id: &str) -> bool {
    let start = Instant::now();
    while runs(id) {
        if start.elapsed() > Duration::from_secs(5) {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

#[tokio::test]
async fn what_the_child_started_ends_with_it() {
    // A grandchild that has let go of the pipes.
    let script = "sleep 600 >/dev/null 2>&1 </dev/null & echo $!; echo $$";
    for (rest, how) in [("; sleep 600", "dropped"), ("; sleep 600", "killed"), ("", "ended")] {
        let spec = spec("/bin/sh", &["-c", &format!("{script}{rest}")]);
        let child = spec.spawn(&injection()).await.unwrap();
        let ChildProcess { stdin: _stdin, mut stdout, stderr: _stderr, mut life } = child;
        let mut text = String::new();
        while text.lines().count() < 2 || !text.ends_with('\n') {
            let mut piece = [0; 64];
            let read = stdout.read(&mut piece).await.unwrap();
            text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        }
        let ids: Vec<_> = text.lines().collect();
        match how {
            "dropped" => drop(life),
            "killed" => life.kill().await.unwrap(),
            _ => assert!(life.wait().await.unwrap().success()),
        }
        for id in ids {
            assert!(gone(id).await, "{how}: {id}");
        }
    }
}

#[tokio::test]
async fn the_child_can_be_another_user() {
    if !rustix_is_root() {
        return;
    }
    let user = Some(ProcessUser { uid: 65_534, gid: 65_534 });
    let settings = ProcessSettings { user, ..settings("/usr/bin/id", &[]) };
    let (out, _) = output(&ProcessSpec::assert_configured(settings).unwrap()).await;
    assert!(out.starts_with("uid=65534"), "{out}");
    assert!(!out.contains("=0("), "{out}");
}

pub(crate) fn rustix_is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_program_is_a_file_that_nobody_else_can_replace() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let refused = |program: &str, arguments: &[&str]| {
        ProcessSpec::assert_configured(settings(program, arguments)).unwrap_err()
    };
    assert!(matches!(refused("sh", &[]), ProcessError::NotAbsolute(_)));
    assert!(matches!(refused("./sh", &[]), ProcessError::NotAbsolute(_)));
    for program in ["/no/such", "/bin", &file("plain", 0o644), &file("open", 0o777)] {
        assert!(matches!(refused(program, &[]), ProcessError::Program { .. }), "{program}");
    }
    assert!(ProcessSpec::assert_configured(settings(&file("fine", 0o755), &[])).is_ok());
    let error = refused("/bin/cat", &["-n", "--token=secret://key"]);
    assert_eq!(
        error.to_string(),
        "argument 2 of program `/bin/cat` holds `secret://`; other users can read command lines, so use a variable"
    );
    assert!(matches!(refused("/bin/cat", &["a\0b"]), ProcessError::ZeroByte { number: 1, .. }));
    for directory in ["relative", "/no/such", "/bin/cat"] {
        let settings = ProcessSettings { directory: directory.into(), ..settings("/bin/cat", &[]) };
        let error = ProcessSpec::assert_configured(settings).unwrap_err();
        assert!(matches!(error, ProcessError::Directory(_)), "{directory}");
    }
    let unknown = json!({ "program": "/bin/cat", "directory": "/", "shell": true });
    assert!(serde_json::from_value::<ProcessSettings>(unknown).is_err());
}

#[tokio::test]
async fn nothing_is_started_without_the_secret() {
    let store: Arc<MemoryStore> = MemoryStore::with(&[("key", TOKEN)], &[]);
    let injection = injector(&store, declared()).for_start(&tenant(), &server("local"));
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let spec = spec("/usr/bin/touch", &[mark.to_str().unwrap()]);
    let error = spec.spawn(&injection).await.unwrap_err();
    assert!(matches!(error, ProcessError::Inject(InjectError::Refused { .. })), "{error}");
    assert!(!mark.exists());
    assert_eq!(store.opened(), [format!("refused {GRANT} for no call")]);
}
