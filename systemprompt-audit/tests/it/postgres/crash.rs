//! The server, or the process that writes, goes down.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::database::{DatabaseOptions, DbPool};
use systemprompt_test_postgres::{Cluster, Durability};

use super::load::{Answers, Load, acknowledged_by, spawn_writer, until};
use crate::fixture::{Fixture, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_restarts_under_load_loses_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::start(Durability::Full);
    let database = cluster.database().await;
    let pool = DbPool::open(&DatabaseOptions::new(database.url())).await.unwrap();
    let fixture = Arc::new(Fixture::on_server(database, pool).await);
    let options =
        AuditOptions { append_timeout: Duration::from_millis(1_500), ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let answers = Arc::new(Answers::default());
    let load = Load::start(&log, &fixture, &answers);
    for crash in [false, true, false, true] {
        let before = answers.acknowledged();
        until("events are written", || answers.acknowledged() > before + 200).await;
        cluster = tokio::task::spawn_blocking(move || {
            if crash {
                cluster.crash()
            } else {
                cluster.restart()
            }
            cluster
        })
        .await
        .unwrap();
        until("the log writes again", || log.healthy()).await;
    }
    let before = answers.acknowledged();
    until("events are written", || answers.acknowledged() > before + 200).await;
    load.stop().await;
    log.close().await;
    assert!(answers.denied() > 0, "nobody noticed that the server was down");
    answers.check(&fixture).await;
    drop(fixture);
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_opens_its_calls_to_denial_while_the_server_is_down_and_recovers_by_itself() {
    let mut cluster = Cluster::start(Durability::None);
    let database = cluster.database().await;
    let pool = DbPool::open(&DatabaseOptions::new(database.url())).await.unwrap();
    let fixture = Fixture::on_server(database, pool).await;
    let log = fixture.log().await;
    let answers = Answers::default();
    assert!(answers.append(&log, &fixture).await);
    cluster.stop();
    assert!(!answers.append(&log, &fixture).await);
    assert!(!log.healthy());
    cluster.resume();
    until("the log writes again without traffic", || log.healthy()).await;
    assert!(answers.append(&log, &fixture).await);
    fixture.pool.ping().await.unwrap();
    answers.check(&fixture).await;
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 2);
    drop(log);
    drop(fixture);
}

#[tokio::test]
async fn kill_9_of_the_writer_loses_nothing_acknowledged_and_leaves_no_gap() {
    let fixture = Fixture::postgres().await;
    let Place::Postgres(database) = &fixture.place else { panic!("not on a server") };
    let answers = Answers::default();
    for round in 1..=10_usize {
        let mut writer = spawn_writer(&database.url());
        for (count, id) in acknowledged_by(&mut writer).enumerate() {
            answers.acknowledge(id);
            if count == 30 * round {
                writer.kill().unwrap();
            }
        }
        writer.wait().unwrap();
    }
    assert!(answers.acknowledged() > 1_500);
    answers.check(&fixture).await;
    // The log is free: the server has noticed that its writer is gone.
    let log = fixture.log().await;
    assert!(answers.append(&log, &fixture).await);
    answers.check(&fixture).await;
}
