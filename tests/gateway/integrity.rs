//! What an auditor does with the data folder of the gateway, with nothing but the command line.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::harness::{Gateway, built, connect, verdict};

fn audit(arguments: &[&str]) -> Output {
    Command::new(built("", "systemprompt")).arg("audit").args(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn url(database: &Path) -> String {
    format!("sqlite://{}", database.display())
}

#[tokio::test]
async fn an_auditor_verifies_finds_and_proves() {
    let mut gateway = Gateway::fresh();
    for number in 0..20 {
        let arguments = json!({ "path": format!("{number}.md") });
        assert_eq!(verdict(&gateway.ask("user", "Read", arguments).await), "allow");
    }
    let (data, database) = (gateway.data().to_owned(), gateway.database_file());
    let (database_url, outside) = (url(&database), data.join("checkpoints.log"));
    let (outside, key) = (outside.to_str().unwrap(), data.join("audit.pub"));
    let key = key.to_str().unwrap();

    // While it runs.
    let live = audit(&["verify", "--database", &database_url, "--checkpoints", outside]);
    assert_eq!(code(&live), 0, "{}", String::from_utf8_lossy(&live.stdout));
    gateway.stop();
    for left in ["-wal", "-shm"] {
        let left = Path::new(&format!("{}{left}", database.display())).exists();
        assert!(!left, "the file alone is the database");
    }

    let clean = audit(&[
        "verify",
        "--database",
        &database_url,
        "--checkpoints",
        outside,
        "--key",
        key,
        "--json",
    ]);
    let report: Value = serde_json::from_slice(&clean.stdout).unwrap();
    assert_eq!(code(&clean), 0, "{report:#}");
    assert_eq!((&report["integrity"], &report["proven"]), (&json!(true), &json!(true)));
    for log in report["logs"].as_array().unwrap() {
        assert_eq!(log["signed_to"], log["last_seq"], "{log:#}");
    }
    let alone = audit(&["verify", "--database", &database_url]);
    assert!(String::from_utf8_lossy(&alone.stdout).contains("UNPROVEN"));

    // One event, proven without the database.
    let mut connection = connect(&database).await;
    let event: String =
        sqlx::query_scalar("SELECT id FROM governance_decisions ORDER BY seq LIMIT 1")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    let proof = data.join("one.tlog-proof");
    let proof = proof.to_str().unwrap();
    let made = audit(&["prove", &event, "--database", &database_url, "--out", proof, "--disclose"]);
    assert_eq!(code(&made), 0, "{}", String::from_utf8_lossy(&made.stderr));
    let proven = audit(&["verify-proof", proof, "--key", key]);
    let text = String::from_utf8_lossy(&proven.stdout).into_owned();
    assert!(code(&proven) == 0 && text.contains("Read"), "{text}");
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(code(&audit(&["verify-proof", proof, "--key", other])), 13);

    // An edit, a row less, and the end cut off so that the database has forgotten it.
    let edits = [
        ("UPDATE audit_events SET tool = 'Write' WHERE tool = 'Read'", 10),
        ("DELETE FROM audit_events WHERE seq = 5", 20),
        (
            "DELETE FROM audit_events WHERE seq > 3; UPDATE audit_logs SET size = 0;
             DELETE FROM audit_checkpoints WHERE size > 3",
            21,
        ),
    ];
    connection.close().await.unwrap();
    for (sql, expected) in edits {
        let copy = data.join("copy.db");
        std::fs::copy(&database, &copy).unwrap();
        let mut tampered = connect(&copy).await;
        sqlx::raw_sql(sql).execute(&mut tampered).await.unwrap();
        tampered.close().await.unwrap();
        let found = audit(&["verify", "--database", &url(&copy), "--checkpoints", outside]);
        let text = String::from_utf8_lossy(&found.stdout).into_owned();
        assert_eq!(code(&found), expected, "{sql}: {text}");
        assert!(text.contains(" seq "), "{text}");
    }
}

#[tokio::test]
async fn a_rotated_key_signs_from_the_next_start_on() {
    let mut gateway = Gateway::fresh();
    let data = gateway.data().to_owned();
    let (profile, key) = (data.join("profile.yaml"), data.join("audit.pub"));
    let first = std::fs::read_to_string(&key).unwrap();
    gateway.stop();
    let config = profile.to_str().unwrap();
    let rotated = audit(&["rotate-key", "--config", config]);
    assert_eq!(code(&rotated), 0, "{}", String::from_utf8_lossy(&rotated.stderr));
    assert_ne!(code(&audit(&["rotate-key", "--config", config])), 0, "one at a time");
    let mut again = Gateway::on(&data);
    assert_eq!(verdict(&again.ask("user", "Read", json!({})).await), "allow");
    let second = std::fs::read_to_string(&key).unwrap();
    assert_ne!(first, second);
    assert_eq!(std::fs::read_to_string(data.join("audit.pub.old-1")).unwrap(), first);
    again.stop();
    for key in [first.trim(), second.trim()] {
        let verified = audit(&["verify", "--config", config, "--key", key]);
        let text = String::from_utf8_lossy(&verified.stdout).into_owned();
        assert_eq!(code(&verified), 0, "{text}");
    }
}

#[tokio::test]
async fn a_lost_key_is_not_replaced() {
    let mut gateway = Gateway::fresh();
    let data = gateway.data().to_owned();
    gateway.stop();
    let (key, public) = (data.join("audit.key"), data.join("audit.pub"));
    let first = std::fs::read_to_string(&public).unwrap();
    std::fs::rename(&key, data.join("kept")).unwrap();

    let log = Gateway::try_on(&data).err().expect("a start without the key");
    assert!(log.contains("audit.key` is gone"), "{log}");
    let profile = data.join("profile.yaml");
    let refused = audit(&["decisions", "--config", profile.to_str().unwrap()]);
    assert_eq!(code(&refused), 3, "{}", String::from_utf8_lossy(&refused.stderr));
    assert!(!key.exists());
    assert_eq!(std::fs::read_to_string(&public).unwrap(), first);

    std::fs::rename(data.join("kept"), &key).unwrap();
    Gateway::on(&data).stop();
}
