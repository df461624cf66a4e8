//! Several logs on one server.

use std::time::Duration;

use systemprompt_audit::checkpoint::{CheckpointOptions, SigningKeys};
use systemprompt_audit::verify::{AuditSource, VerifyOptions, verify};
use systemprompt_audit::{AuditLog, AuditOptions, OpenError, append_in};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _, SettleError};
use tokio::task::JoinSet;

use super::load::{Answers, acknowledged_by, spawn_writer};
use crate::fixture::{Fixture, LIFETIME, Place, principal, success};
use crate::signed::signing_key;

#[tokio::test]
async fn each_replica_takes_the_first_log_that_is_free() {
    let fixture = Fixture::postgres().await;
    let (first, second, third) = (fixture.log().await, fixture.log().await, fixture.log().await);
    let installation = first.installation().to_owned();
    let names: Vec<_> = [&first, &second, &third].map(|log| log.origin().to_string()).into();
    assert_eq!(
        names,
        [
            format!("server@{installation}"),
            format!("server-2@{installation}"),
            format!("server-3@{installation}"),
        ]
    );
    second.append(fixture.allow("ada")).await.unwrap();
    second.close().await;
    let again = fixture.log().await;
    assert_eq!(again.origin().as_str(), names[1]);
    again.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 2);
}

#[tokio::test]
async fn a_second_writer_of_a_named_log_is_told_who_holds_it() {
    let fixture = Fixture::postgres().await;
    let options = || AuditOptions { origin: Some("one".parse().unwrap()), ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options()).await.unwrap();
    let refused = AuditLog::open(&fixture.pool, options()).await.unwrap_err();
    let OpenError::Held { origin, holder } = &refused else { panic!("{refused}") };
    assert_eq!(origin, log.origin());
    assert!(holder.starts_with("session "), "{holder}");
    log.close().await;
    AuditLog::open(&fixture.pool, options()).await.unwrap();
}

#[tokio::test]
async fn permits_are_settled_through_any_replica_and_swept_when_theirs_is_gone() {
    let fixture = Fixture::postgres().await;
    let (first, second) = (fixture.log().await, fixture.log().await);
    let (settled, open) = (fixture.allow("ada"), fixture.allow("ada"));
    let permit = settled.id.into();
    first.append_all(vec![settled, open]).await.unwrap();
    second.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let again = first.settle(permit, &principal("acme", "ada"), success()).await;
    assert!(matches!(again, Err(SettleError::AlreadySettled)), "{again:?}");
    fixture.clock.advance(LIFETIME * 2);
    assert_eq!(second.sweep().await.unwrap(), 0, "its own writer sweeps it");
    first.close().await;
    assert_eq!(second.sweep().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_replicas_that_settle_the_same_permits_at_once_one_counts() {
    let fixture = Fixture::postgres().await;
    let logs = [fixture.log().await, fixture.log().await];
    let events: Vec<_> = (0..100).map(|_| fixture.allow("ada")).collect();
    let permits: Vec<_> = events.iter().map(|event| event.id.into()).collect();
    logs[0].append_all(events).await.unwrap();
    let mut tasks = JoinSet::new();
    for (nth, log) in logs.iter().enumerate() {
        let mut permits = permits.clone();
        if nth == 1 {
            permits.reverse();
        }
        for permit in permits {
            let log = log.clone();
            tasks.spawn(
                async move { log.settle(permit, &principal("acme", "ada"), success()).await },
            );
        }
    }
    let answers = tasks.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 100);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, SettleError::AlreadySettled), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_append_at_once_wait_for_each_other() {
    let fixture = std::sync::Arc::new(Fixture::postgres().await);
    let mut tasks = JoinSet::new();
    for _ in 0..16 {
        let fixture = fixture.clone();
        tasks.spawn(async move {
            for _ in 0..5 {
                let mut change = fixture.pool.begin_write().await.unwrap();
                append_in(&mut change, vec![fixture.allow("ada"), fixture.allow("bob")])
                    .await
                    .unwrap();
                change.commit().await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(fixture.number("SELECT max(seq) FROM audit_events").await, 160);
    Answers::default().check(&fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_processes_write_ten_logs_on_one_server_and_all_verify() {
    let fixture = Fixture::postgres().await;
    let Place::Postgres(database) = &fixture.place else { panic!("not on a server") };
    let answers = std::sync::Arc::new(Answers::default());
    let mut readers = JoinSet::new();
    for _ in 0..10 {
        let (mut writer, answers) = (spawn_writer(&database.url()), answers.clone());
        readers.spawn_blocking(move || {
            for id in acknowledged_by(&mut writer) {
                answers.acknowledge(id);
            }
            writer.wait().unwrap().success()
        });
    }
    // A reader sees all of them meanwhile.
    tokio::time::sleep(Duration::from_millis(500)).await;
    fixture.reader().logs().await.unwrap();
    let well = readers.join_all().await;
    assert!(well.iter().all(|well| *well), "a writer was refused something: {well:?}");
    answers.check(&fixture).await;
    let logs = fixture.reader().logs().await.unwrap();
    let of_servers = logs.iter().filter(|(origin, _)| origin.as_str().starts_with("server"));
    assert_eq!(of_servers.count(), 10, "{logs:?}");
    assert!(logs.iter().all(|(_, size)| *size > 0), "{logs:?}");

    let checkpoints = Some(CheckpointOptions::new(SigningKeys::new(signing_key(1))));
    let options = AuditOptions { checkpoints, ..fixture.options() };
    let one_more = AuditLog::open(&fixture.pool, options).await.unwrap();
    let keys = vec![one_more.verifier_key().unwrap().clone()];
    one_more.close().await;
    let mut source = AuditSource::open(&database.url()).await.unwrap();
    let options = VerifyOptions { keys, ..VerifyOptions::default() };
    let report = verify(&mut source, &options, &mut |_| {}).await.unwrap();
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    for log in report.logs.iter().filter(|log| log.origin.starts_with("server")) {
        assert_eq!(log.signed_to, log.last_seq, "{log:?}");
    }
    println!("{} events of ten processes verify", report.rows);
}

#[tokio::test]
async fn replicas_with_keys_of_their_own_do_not_take_turns() {
    let fixture = Fixture::postgres().await;
    let options = |byte: u8| {
        let keys = SigningKeys::new(signing_key(byte));
        let mut checkpoints = CheckpointOptions::new(keys);
        checkpoints.interval = Duration::from_millis(10);
        AuditOptions { checkpoints: Some(checkpoints), ..fixture.options() }
    };
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, vec![fixture.allow("ada")]).await.unwrap();
    change.commit().await.unwrap();
    let first = AuditLog::open(&fixture.pool, options(1)).await.unwrap();
    let second = AuditLog::open(&fixture.pool, options(2)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let keys = "SELECT count(*) FROM audit_events AS e JOIN audit_logs AS l ON l.id = e.log_id
                WHERE l.origin LIKE 'cli@%' AND e.kind = 'audit_key_added'";
    assert_eq!(fixture.number(keys).await, 1);
    // Where the one that signed it is gone, the other one goes on with it after a while.
    let signer =
        "SELECT count(*) FROM audit_checkpoints AS c JOIN audit_logs AS l ON l.id = c.log_id
                  WHERE l.origin LIKE 'cli@%'";
    let before = fixture.number(signer).await;
    first.close().await;
    second.close().await;
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_in(&mut change, vec![fixture.allow("ada")]).await.unwrap();
    change.commit().await.unwrap();
    fixture.clock.advance(Duration::from_secs(601));
    let third = AuditLog::open(&fixture.pool, options(3)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    third.close().await;
    assert_eq!(fixture.number(keys).await, 2);
    assert_eq!(fixture.number(signer).await, before + 1);
}
