//! A hundred kills under load, on each backend: no answered call lacks its row, no place in the log is
//! empty or taken twice, and what is left verifies against what was signed outside of the database.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection};

use super::durability::{assert_sound, unlimited};
use super::postgres;
use crate::harness::{Gateway, built, eventually, verdict};

const KILLS: usize = 100;

/// Sends calls until the server goes away; collects the permits that were answered.
async fn load_until_death(
    gateway: &Arc<Gateway>,
    answered: Arc<Mutex<BTreeSet<String>>>,
    key: &str,
) {
    let count = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let (client, url) =
                (gateway.client().clone(), format!("{}/api/v1/govern", gateway.base()));
            let (answered, count, key) = (answered.clone(), count.clone(), key.to_owned());
            tokio::spawn(async move {
                loop {
                    let body = json!({ "tool": "Read", "arguments": { "file_path": "/tmp/x" } });
                    let sent = client.post(&url).bearer_auth(&key).json(&body).send().await;
                    let Ok(response) = sent else { return };
                    let Ok(answer) = response.json::<serde_json::Value>().await else { return };
                    if verdict(&answer) == "allow" {
                        answered.lock().insert(answer["permit"]["id"].as_str().unwrap().to_owned());
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    eventually("calls are answered", || async { count.load(Ordering::Relaxed) > 100 }).await;
    let killed = Command::new("kill").args(["-KILL", &gateway.pid().to_string()]).status();
    assert!(killed.unwrap().success());
    for caller in callers {
        caller.await.unwrap();
    }
}

/// Kills gateways on `data` under load, one after the other; the permits that were answered.
async fn kill_them_all(data: &Path, key: &str) -> BTreeSet<String> {
    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    for _ in 0..KILLS {
        let gateway = Arc::new(Gateway::on(data));
        load_until_death(&gateway, answered.clone(), key).await;
    }
    let answered = answered.lock().clone();
    assert!(answered.len() > 100 * KILLS, "only {} answered calls", answered.len());
    answered
}

/// Has the log verified by the command line: with one more start, which closes what the last kill left.
fn assert_verifies(data: &Path) {
    Gateway::on(data).stop();
    let output = Command::new(built("", "systemprompt"))
        .arg("--config")
        .arg(data.join("profile.yaml"))
        .args(["audit", "verify", "--json", "--checkpoints"])
        .arg(data.join("checkpoints.log"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{report:#}");
    for verdict in ["integrity", "completeness", "proven"] {
        assert_eq!(report[verdict], true, "{report:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_no_answered_call_on_sqlite() {
    let mut first = Gateway::edited(unlimited);
    let (data, file, key) = (first.data().to_owned(), first.database_file(), first.key("user"));
    first.stop();
    let answered = kill_them_all(&data, &key).await;
    assert_sound(&file, &answered).await;
    assert_verifies(&data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_kills_lose_no_answered_call_on_postgres() {
    let database = systemprompt_test_postgres::database().await;
    let folder = tempfile::tempdir().unwrap();
    let (data, signing) = (folder.path().join("data"), folder.path().join("signing.key"));
    fs::write(&signing, "5a".repeat(32)).unwrap();
    postgres::data(&data, &database.url(), &signing);
    let profile = data.join("profile.yaml");
    fs::write(&profile, unlimited(fs::read_to_string(&profile).unwrap())).unwrap();
    let mut first = Gateway::on(&data);
    let key = first.key("user");
    first.stop();
    let answered = kill_them_all(&data, &key).await;

    let options: sqlx::postgres::PgConnectOptions = database.url().parse().unwrap();
    let mut connection: PgConnection = options.connect().await.unwrap();
    let granted = "SELECT id FROM governance_decisions WHERE decision = 'allow'";
    let granted: Vec<String> =
        sqlx::query_scalar(granted).fetch_all(&mut connection).await.unwrap();
    let rows: BTreeSet<_> = granted.iter().cloned().collect();
    assert_eq!(rows.len(), granted.len(), "a decision stands twice in the log");
    let lost = answered.difference(&rows).count();
    assert_eq!(lost, 0, "of {} answered calls", answered.len());
    assert_eq!(postgres::count(&mut connection, postgres::GAPS).await, 0);
    assert_verifies(&data);
}
