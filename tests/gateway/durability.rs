//! No answered call lacks its row, whatever happens to the disk or the file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;

use crate::harness::{Gateway, connect, eventually, verdict};

pub(super) fn unlimited(text: String) -> String {
    text.replace("limit: 300", "limit: 100000000").replace("burst: 300", "burst: 100000000")
}

/// Permit ids of all allowing rows.
async fn granted(database: &mut SqliteConnection) -> BTreeSet<String> {
    sqlx::query_scalar("SELECT id FROM governance_decisions WHERE decision = 'allow'")
        .fetch_all(database)
        .await
        .expect("decisions")
        .into_iter()
        .collect()
}

pub(super) async fn assert_sound(file: &Path, answered: &BTreeSet<String>) {
    let mut database = connect(file).await;
    let integrity: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut database).await.unwrap();
    assert_eq!(integrity, "ok");
    let rows = granted(&mut database).await;
    let lost: Vec<_> = answered.difference(&rows).collect();
    assert!(
        lost.is_empty(),
        "{} answered calls lack a row, such as {:?}",
        lost.len(),
        lost.first()
    );
    let (count, highest): (i64, i64) = sqlx::query_as(
        "SELECT count(*), max(seq) FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id
         WHERE l.origin LIKE 'server@%'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(count, highest, "the sequence has no gap");
    database.close().await.unwrap();
}

async fn ready(gateway: &Gateway) -> u16 {
    let url = format!("{}/health/ready", gateway.base());
    gateway.client().get(url).send().await.expect("answer").status().as_u16()
}

async fn recovers(gateway: &Gateway) {
    eventually("the gateway is ready again", || async { ready(gateway).await == 200 }).await;
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_denies_and_recovers() {
    let gateway = Gateway::fresh();
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
    let mut other = gateway.database().await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "audit_unavailable");
    eventually("not ready", || async { ready(&gateway).await == 503 }).await;
    let hook = json!({ "hook_event_name": "PreToolUse", "tool_name": "Read", "tool_input": {} });
    let request = gateway.post("/api/public/hooks/govern", "user").json(&hook);
    let answer = crate::harness::answer(request).await.1;
    assert_eq!(answer["hookSpecificOutput"]["permissionDecision"], "deny", "{answer}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    recovers(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_or_replaced_database_is_noticed_and_never_recreated() {
    let gateway = Gateway::fresh();
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "allow");
    let file = gateway.database_file();
    let aside = file.with_extension("aside");
    fs::rename(&file, &aside).unwrap();
    for _ in 0..3 {
        assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "audit_unavailable");
    }
    assert!(!file.exists(), "no new log appears in its place");
    eventually("not ready", || async { ready(&gateway).await == 503 }).await;
    fs::write(&file, b"").unwrap();
    assert_eq!(verdict(&gateway.ask("user", "Read", json!({})).await), "audit_unavailable");
    assert_eq!(fs::metadata(&file).unwrap().len(), 0, "the stranger is left alone");
    fs::rename(&aside, &file).unwrap();
    recovers(&gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_denies_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(folder.path());
    let Some(disk) = disk else {
        // Without the right to mount there is no small disk. The crate's own tests fill a database up
        // to its page limit instead, which takes the same path.
        eprintln!("not run here: mounting a tmpfs needs root");
        return;
    };
    let data = folder.path().join("data");
    let mut gateway = Gateway::on(&data);
    let profile = data.join("profile.yaml");
    fs::write(&profile, unlimited(fs::read_to_string(&profile).unwrap())).unwrap();
    gateway.stop();
    let gateway = Gateway::on(&data);
    let filler = data.join("filler");
    fill(&filler);
    let mut answered = BTreeSet::new();
    let mut denied = false;
    for n in 0..5000 {
        let answer =
            gateway.ask("user", "Read", json!({ "n": n, "pad": "x y ".repeat(200) })).await;
        match verdict(&answer) {
            "allow" => drop(answered.insert(answer["permit"]["id"].as_str().unwrap().to_owned())),
            "audit_unavailable" => {
                denied = true;
                break;
            }
            other => panic!("{other}: {answer}"),
        }
    }
    assert!(denied, "the disk never filled up");
    eventually("not ready", || async { ready(&gateway).await == 503 }).await;
    fs::remove_file(&filler).unwrap();
    recovers(&gateway).await;
    assert_sound(&gateway.database_file(), &answered).await;
    drop(gateway);
    drop(disk);
}

/// Writes until the disk is full.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = fs::File::create(path).unwrap();
    let mut block = vec![0_u8; 65536];
    loop {
        if file.write_all(&block).is_err() {
            if block.len() == 1 {
                return;
            }
            block.truncate(block.len() / 2);
        }
    }
}

/// A tmpfs of a few megabytes, unmounted when dropped.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(at)
            .stderr(std::process::Stdio::null())
            .status()
            .ok()?;
        status.success().then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        std::thread::sleep(Duration::from_millis(50));
    }
}
