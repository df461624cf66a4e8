//! The connection is lost, and nobody knows what the server has done.

use std::time::Duration;

use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _, PermitState};
use systemprompt_core::database::{DatabaseOptions, DbPool};
use systemprompt_test_postgres::{Cluster, Durability, Proxy};

use super::load::{Answers, until};
use crate::fixture::{Fixture, principal, success};

/// A database behind a proxy.
struct Behind {
    fixture: Fixture,
    proxy: Proxy,
    // After what is in it.
    _cluster: Cluster,
}

impl Behind {
    async fn a_proxy() -> Self {
        let cluster = Cluster::start(Durability::None);
        let database = cluster.database().await;
        let proxy = Proxy::start(cluster.socket()).await;
        let name = database.url().rsplit('/').next().unwrap().to_owned();
        let url = format!("postgres://postgres@127.0.0.1:{}/{name}?sslmode=disable", proxy.port());
        let pool = DbPool::open(&DatabaseOptions::new(url)).await.unwrap();
        let fixture = Fixture::on_server(database, pool).await;
        Self { fixture, proxy, _cluster: cluster }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_in_the_middle_of_a_commit_duplicates_and_loses_nothing() {
    let behind = Behind::a_proxy().await;
    let (fixture, proxy) = (&behind.fixture, &behind.proxy);
    let log = fixture.log().await;
    let answers = Answers::default();
    for bytes in 0..40 {
        // On a new connection, the statement is prepared first.
        assert!(answers.append(&log, fixture).await);
        proxy.cut_after(bytes);
        // What the server has done is looked for, and found: the caller hears that it is durable.
        let written = answers.append(&log, fixture).await;
        assert!(written, "cut after {bytes} bytes");
        while proxy.is_cut_planned() {
            answers.append(&log, fixture).await;
        }
        until("the log writes again", || log.healthy()).await;
    }
    answers.check(fixture).await;
    assert_eq!(answers.denied(), 0);
    let appended = i64::try_from(answers.acknowledged()).unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, appended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settlement_whose_answer_is_cut_counts_once() {
    let behind = Behind::a_proxy().await;
    let (fixture, proxy) = (&behind.fixture, &behind.proxy);
    let log = fixture.log().await;
    for bytes in [0, 20, 100, 300, 340, 380] {
        let event = fixture.allow("ada");
        let permit = event.id.into();
        log.append(event).await.unwrap();
        proxy.cut_after(bytes);
        let settled = log.settle(permit, &principal("acme", "ada"), success()).await;
        until("the log writes again", || log.healthy()).await;
        if settled.is_err() {
            log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
        }
        // What was not cut by now is not to be cut elsewhere.
        proxy.cut_after(u32::MAX);
        assert_eq!(log.state(permit).await.unwrap(), PermitState::Settled);
    }
    let outcomes = "SELECT count(*) FROM audit_events WHERE kind = 'outcome'";
    assert_eq!(fixture.number(outcomes).await, 6);
    Answers::default().check(fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_nothing_any_more_is_left_and_the_former_session_ended() {
    let behind = Behind::a_proxy().await;
    let (fixture, proxy) = (&behind.fixture, &behind.proxy);
    let options = AuditOptions { append_timeout: Duration::from_millis(200), ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    let answers = Answers::default();
    assert!(answers.append(&log, fixture).await);
    proxy.silence(true);
    // The server writes it, and the caller was told that it could not be written.
    assert!(!answers.append(&log, fixture).await);
    until("the log has noticed", || !log.healthy()).await;
    proxy.silence(false);
    until("the log writes again", || log.healthy()).await;
    until("the permit is spent", || log.stats().abandoned > 0).await;
    assert!(answers.append(&log, fixture).await);
    answers.check(fixture).await;
    assert_eq!(fixture.number("SELECT count(*) FROM governance_decisions").await, 3);
}
