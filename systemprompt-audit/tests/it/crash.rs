//! A process that is killed at any point loses nothing that it was told is durable.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use systemprompt_audit::AuditLog;
use systemprompt_core::contract::AuditSink as _;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, open};

/// Tells a test process that it is the one to be killed, and where its database is.
const VICTIM: &str = "SYSTEMPROMPT_AUDIT_TEST_VICTIM";

/// Not a test of its own: what the killed process runs. It prints the id of each event after it was
/// told that the event is durable.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn victim() {
    let Some(database) = std::env::var_os(VICTIM).map(PathBuf::from) else { return };
    let fixture = Fixture::sqlite().await;
    let pool = open(&database).await;
    let log = AuditLog::open(&pool, fixture.options()).await.unwrap();
    let mut tasks = JoinSet::new();
    let fixture = std::sync::Arc::new(fixture);
    for _ in 0..8 {
        let (log, fixture) = (log.clone(), fixture.clone());
        tasks.spawn(async move {
            loop {
                let event = fixture.allow("ada");
                let id = event.id;
                log.append(event).await.unwrap();
                println!("acknowledged {id}");
            }
        });
    }
    tasks.join_next().await;
}

#[tokio::test]
async fn kill_9_loses_nothing_acknowledged_and_leaves_no_gap() {
    let fixture = Fixture::sqlite().await;
    let mut acknowledged = BTreeSet::new();
    for round in 1..=5_usize {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["crash::victim", "--exact", "--nocapture", "--test-threads=1"])
            .env(VICTIM, fixture.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut killed = false;
        let mut count = 0;
        for line in lines {
            let Ok(line) = line else { break };
            let Some(id) = line.strip_prefix("acknowledged ").filter(|id| id.len() == 36) else {
                continue;
            };
            acknowledged.insert(id.to_owned());
            count += 1;
            if count >= 50 * round && !killed {
                victim.kill().unwrap();
                killed = true;
            }
        }
        assert!(killed, "the victim ended by itself after {count} events");
        victim.wait().unwrap();
        // The lease went with the process.
        let log = fixture.log().await;
        log.close().await;
    }
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT id FROM governance_decisions ORDER BY origin, seq")
            .fetch_all(fixture.pool.sqlite().unwrap())
            .await
            .unwrap();
    let rows: BTreeSet<_> = rows.into_iter().collect();
    let lost: Vec<_> = acknowledged.difference(&rows).collect();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged events are lost",
        lost.len(),
        acknowledged.len()
    );
    let gaps = "SELECT max(seq) - count(*) FROM audit_events";
    assert_eq!(fixture.number(gaps).await, 0);
    let sound = "SELECT integrity_check FROM pragma_integrity_check";
    assert_eq!(fixture.text(sound).await.as_deref(), Some("ok"));
}
