//! Two gateways on one PostgreSQL.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgConnection};
use systemprompt::config::STARTER_PROFILE;

use crate::harness::{Gateway, answer, built, eventually, verdict};

/// A data folder whose profile names the database, and the key that all replicas sign with.
pub(super) fn data(folder: &Path, url: &str, key: &Path) {
    let key = key.display();
    let profile = format!(
        "{STARTER_PROFILE}\ndatabase:\n  url: '{url}'\naudit:\n  signing_key: {{file: '{key}'}}\n"
    );
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("profile.yaml"), profile).unwrap();
}

/// The command line on the profile in `data`.
fn command(data: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(built("", "systemprompt"));
    command.arg("--config").arg(data.join("profile.yaml")).args(arguments).output().unwrap()
}

/// Logs in which a place is empty.
pub(super) const GAPS: &str = "SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap \
                               FROM audit_events GROUP BY log_id) AS logs WHERE gap <> 0";

pub(super) async fn count(connection: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_share_identities_and_write_a_log_each() {
    let database = systemprompt_test_postgres::database().await;
    let options: sqlx::postgres::PgConnectOptions = database.url().parse().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (first_data, second_data) = (folder.path().join("first"), folder.path().join("second"));
    let key = folder.path().join("signing.key");
    fs::write(&key, "5a".repeat(32)).unwrap();
    data(&first_data, &database.url(), &key);
    data(&second_data, &database.url(), &key);
    let mut first = Gateway::on(&first_data);
    let mut second = Gateway::on(&second_data);
    assert!(!second_data.join("user.key").exists(), "the first start was the other's");
    let (user, admin) = (first.key("user"), first.key("admin"));

    let read = json!({ "tool": "Read", "arguments": { "path": "a.txt" } });
    for gateway in [&first, &second] {
        let url = format!("{}/api/v1/govern", gateway.base());
        let request = gateway.client().post(url).bearer_auth(&user).json(&read);
        assert_eq!(verdict(&answer(request).await.1), "allow");
    }
    assert_ne!(
        verdict(&first.ask("user", "Write", json!({ "text": "rm -rf /" })).await),
        "pending"
    );

    // Each sees what the other has decided.
    let url = format!("{}/api/v1/audit/decisions", second.base());
    let (status, page) = answer(second.client().get(url).bearer_auth(&admin)).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["decisions"].as_array().map(Vec::len), Some(3), "{page}");

    // So does whoever follows the log, or tries another policy on it.
    let url = format!("{}/api/v1/stream/audit?after=0&kind=decision", second.base());
    let mut stream = second.client().get(url).bearer_auth(&admin).send().await.unwrap();
    let mut text = String::new();
    while text.matches("\ndata: ").count() < 3 {
        text += std::str::from_utf8(&stream.chunk().await.unwrap().expect("goes on")).unwrap();
    }
    drop(stream);
    let profile = first_data.join("profile.yaml");
    let replay = std::process::Command::new(built("", "systemprompt"))
        .args(["--json", "--config", profile.to_str().unwrap(), "policy", "replay"])
        .args(["--policy", profile.to_str().unwrap(), "--fail-on", "any"])
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&replay.stdout).unwrap();
    assert!(replay.status.success(), "{report}");
    assert_eq!(report["report"]["unchanged"], 3, "{report}");

    // A key that is revoked on the command line is refused by both within a second.
    let key = user.split('_').nth(2).unwrap().to_owned();
    let revoked = command(&first_data, &["keys", "revoke", &key]);
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));
    for gateway in [&first, &second] {
        eventually("the key is refused", async || {
            let url = format!("{}/api/v1/govern", gateway.base());
            answer(gateway.client().post(url).bearer_auth(&user).json(&read)).await.0 == 401
        })
        .await;
    }

    let mut connection = options.connect().await.unwrap();
    let logs = "SELECT count(*) FROM audit_logs WHERE origin LIKE 'server%@%'";
    assert_eq!(count(&mut connection, logs).await, 2);
    let decided = "SELECT count(*) FROM governance_decisions WHERE user_id = 'user'";
    assert!(count(&mut connection, decided).await >= 3);
    assert_eq!(count(&mut connection, GAPS).await, 0);

    // What an auditor sees of both, while they run and afterwards.
    let live = command(&first_data, &["audit", "verify", "--json"]);
    assert!(live.status.success(), "{}", String::from_utf8_lossy(&live.stdout));
    first.stop();
    second.stop();
    let verified = command(&first_data, &["audit", "verify", "--json"]);
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert!(verified.status.success(), "{report:#}");
    assert_eq!((&report["integrity"], &report["proven"]), (&json!(true), &json!(true)));
    let logs_of = report["logs"].as_array().unwrap();
    assert_eq!(logs_of.len(), 3, "{report:#}");
    for log in logs_of.iter().filter(|log| log["origin"].as_str().unwrap().starts_with("server")) {
        assert_eq!(log["signed_to"], log["last_seq"], "{log:#}");
    }
    let event: String =
        sqlx::query_scalar("SELECT id FROM governance_decisions ORDER BY seq LIMIT 1")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let proof = folder.path().join("one.tlog-proof");
    let proof = proof.to_str().unwrap();
    let made = command(&second_data, &["audit", "prove", &event, "--out", proof, "--disclose"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let public = first_data.join("audit.pub");
    let public = public.to_str().unwrap();
    let proven = command(&first_data, &["audit", "verify-proof", proof, "--key", public]);
    assert!(proven.status.success(), "{}", String::from_utf8_lossy(&proven.stderr));

    // And what the command line finds and sums up.
    let found = command(&first_data, &["audit", "decisions", "--user", "user", "--json"]);
    let found = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(found.contains(&event), "{found}");
    let sums = command(&first_data, &["analytics", "tools", "--json"]);
    let sums: Value = serde_json::from_slice(&sums.stdout).unwrap();
    assert_eq!(sums["rows"][0]["key"][0], "Read", "{sums:#}");
    let tampered = "UPDATE audit_events SET tool = 'x' WHERE tool = 'Read'";
    sqlx::query(tampered).execute(&mut connection).await.unwrap();
    let verified = command(&first_data, &["audit", "verify"]);
    assert_eq!(verified.status.code(), Some(10));

    let first = Gateway::on(&first_data);
    assert_eq!(first.key("admin"), admin, "the second start makes nothing");
    assert_eq!(count(&mut connection, logs).await, 2, "it goes on with its own log");
}
