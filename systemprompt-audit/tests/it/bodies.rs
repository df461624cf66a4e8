//! What models were asked and answered is kept encrypted, and shown request by request.

use std::time::Duration;

use systemprompt_audit::retention::{Retention, prune};
use systemprompt_audit::{
    AuditLog, AuditOptions, AuditReader, EventFilter, Follower, FoundBodies, LogPosition, PageSize,
    ReadScope, UnreadableBodies,
};
use systemprompt_core::contract::{AuditError, AuditSink as _};
use systemprompt_core::event::{
    AiRequestBodies, AuditEvent, EventContext, EventKind, EventSubject, RecordedBody,
};
use systemprompt_core::id::{AiRequestId, TraceId};

use crate::erasing::{erase, local, sealing};
use crate::fixture::{Fixture, on_both, principal};
use crate::pruning::append;
use crate::signed::Signed;

/// What must be in no list, and nowhere in clear.
const ASKED: &str = "the diagnosis of a patient \u{1f512} \\u0000";

const ANSWERED: &str = "it is not lupus";

on_both! {
    #[tokio::test]
    bodies_are_read_of_one_request_at_a_time;
    #[tokio::test]
    bodies_are_never_stored_in_clear;
    #[tokio::test]
    bodies_of_an_erased_person_cannot_be_read_and_the_log_verifies;
    #[tokio::test]
    bodies_go_when_events_go;
}

fn bodies(request_id: &AiRequestId) -> AiRequestBodies {
    let body = |text: &str| RecordedBody {
        sha256: systemprompt_core::call::Digest::of(text.as_bytes()).to_string(),
        bytes: text.len() as u64,
        cut_at: None,
        text: Some(text.to_owned()),
    };
    let (request, answer) = (Some(body(ASKED)), Some(body(ANSWERED)));
    AiRequestBodies { request_id: request_id.clone(), request, answer }
}

fn event(fixture: &Fixture, user: &str, request: &AiRequestId) -> AuditEvent {
    AuditEvent {
        id: AiRequestBodies::event_of(request).unwrap(),
        occurred_at: fixture.now(),
        trace_id: TraceId::generate(),
        subject: Some(EventSubject::from(&principal("acme", user))),
        context: EventContext::default(),
        body: bodies(request).into(),
    }
}

async fn read(reader: &AuditReader, request: &AiRequestId) -> Option<FoundBodies> {
    reader.bodies(&ReadScope::All, request).await.unwrap()
}

async fn stored(fixture: &Fixture) -> String {
    let sql = fixture.either(
        "SELECT json_group_array(json_array(user_id, call_id, session_id, detail)) FROM audit_events",
        "SELECT json_agg(to_json(e))::text FROM audit_events AS e",
    );
    fixture.text(sql).await.unwrap_or_default()
}

async fn bodies_are_read_of_one_request_at_a_time(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    let (ada, eve) = (AiRequestId::generate(), AiRequestId::generate());
    let of_ada = event(&fixture, "ada", &ada);
    let trace = of_ada.trace_id;
    log.append(of_ada).await.unwrap();
    log.append(event(&fixture, "eve", &eve)).await.unwrap();
    let rows = stored(&fixture).await;
    for secret in ["diagnosis", "lupus", "\"ada\""] {
        assert!(!rows.contains(secret), "{secret}: {rows}");
    }

    let reader = fixture.reader().with_keys(Some(keys));
    for request in [&ada, &eve] {
        let found = read(&reader, request).await;
        assert_eq!(found, Some(FoundBodies::Readable(Box::new(bodies(request)))));
    }
    let scope = |tenant: &str| ReadScope::from(&principal(tenant, "anybody"));
    assert!(reader.bodies(&scope("acme"), &ada).await.unwrap().is_some());
    assert_eq!(reader.bodies(&scope("umbrella"), &ada).await.unwrap(), None);
    assert_eq!(read(&reader, &AiRequestId::generate()).await, None);
    assert_eq!(read(&reader, &AiRequestId::parse("of-another-kind").unwrap()).await, None);

    // No list shows them, and no search finds out what is in them.
    let kind = Some(EventKind::AiRequestBodies);
    let filter = EventFilter { kind, ..EventFilter::default() };
    let listed = reader.events(&ReadScope::All, &filter, None, PageSize::MAX).await.unwrap().items;
    assert_eq!(listed.len(), 2);
    let detail = listed[1].detail.as_ref().unwrap();
    assert_eq!(detail["request_id"], ada.as_str());
    assert_eq!(detail["answer"]["bytes"], ANSWERED.len());
    assert_eq!(listed[1].user_id.as_deref(), Some("ada"));
    let traced = reader.trace(&ReadScope::All, trace).await.unwrap().unwrap();
    let mut follower =
        Follower::new(reader.clone(), ReadScope::All, filter, LogPosition::beginning());
    let followed = follower.next().await.unwrap().events;
    assert_eq!(followed.len(), 2);
    let followed: Vec<_> = followed.into_iter().map(|event| event.event.unwrap()).collect();
    for shown in [
        serde_json::to_string(&listed).unwrap(),
        serde_json::to_string(&traced).unwrap(),
        serde_json::to_string(&followed).unwrap(),
    ] {
        assert!(!shown.contains("diagnosis") && !shown.contains("lupus"), "{shown}");
    }
    let filter = EventFilter { text: Some("lupus".to_owned()), ..EventFilter::default() };
    let page = reader.events(&ReadScope::All, &filter, None, PageSize::MAX).await.unwrap();
    assert_eq!(page.items.len(), 0);

    let blind = fixture.reader();
    let no_key = FoundBodies::Unreadable(UnreadableBodies::NoKey);
    assert_eq!(read(&blind, &ada).await, Some(no_key));
    let wrong = fixture.reader().with_keys(Some(local(&[2])));
    let unavailable = FoundBodies::Unreadable(UnreadableBodies::Unavailable);
    assert_eq!(read(&wrong, &ada).await, Some(unavailable));
}

async fn bodies_are_never_stored_in_clear(fixture: Fixture) {
    let refused = |result: Result<(), AuditError>| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains("never stored in clear"), "{error}");
    };
    let request = AiRequestId::generate();
    let log = fixture.log().await;
    refused(log.append(event(&fixture, "ada", &request)).await);
    refused(log.append_all(vec![event(&fixture, "ada", &request)]).await);
    log.append(fixture.allow("ada")).await.unwrap();
    log.close().await;
    // Nor where there is a key, and nobody whose it could be.
    let log = sealing(&fixture, &local(&[1])).await;
    refused(log.append(AuditEvent { subject: None, ..event(&fixture, "ada", &request) }).await);
    log.close().await;
    let kept = "SELECT count(*) FROM audit_events WHERE kind = 'ai_request_bodies'";
    assert_eq!(fixture.number(kept).await, 0);
    assert!(!stored(&fixture).await.contains("diagnosis"));
}

/// A signed log that encrypts.
async fn encrypting(signed: &Signed) -> AuditLog {
    let options = AuditOptions { keys: Some(local(&[1])), ..signed.options() };
    AuditLog::open(&signed.fixture.pool, options).await.unwrap()
}

async fn bodies_of_an_erased_person_cannot_be_read_and_the_log_verifies(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let fixture = &signed.fixture;
    let log = encrypting(&signed).await;
    let (ada, eve) = (AiRequestId::generate(), AiRequestId::generate());
    log.append(event(fixture, "ada", &ada)).await.unwrap();
    log.append(event(fixture, "eve", &eve)).await.unwrap();
    assert_eq!(erase(fixture, "ada").await.pseudonyms.len(), 1);
    let reader = fixture.reader().with_keys(Some(local(&[1])));
    let erased = FoundBodies::Unreadable(UnreadableBodies::Erased);
    assert_eq!(read(&reader, &ada).await, Some(erased));
    assert!(matches!(read(&reader, &eve).await, Some(FoundBodies::Readable(_))));
    log.close().await;
    fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    // What was recorded cannot be changed unseen.
    let edit =
        "UPDATE audit_events SET detail = '{\"sealed\":\"AAAA\"}' WHERE kind = 'ai_request_bodies'";
    let copy = signed.tampered("edited.db", edit).await;
    assert!(!signed.verify_inside(copy.url()).await.is_clean());
}

async fn bodies_go_when_events_go(fixture: Fixture) {
    const DAY: Duration = Duration::from_secs(86_400);
    let signed = Signed::on(fixture);
    let log = encrypting(&signed).await;
    let (old, new) = (AiRequestId::generate(), AiRequestId::generate());
    log.append(event(&signed.fixture, "ada", &old)).await.unwrap();
    append(&signed, &log, 300).await;
    signed.fixture.clock.advance(2 * DAY);
    log.sweep().await.unwrap();
    let swept = usize::try_from(log.stats().last_seq).unwrap();
    log.append(event(&signed.fixture, "ada", &new)).await.unwrap();
    append(&signed, &log, swept + 50).await;
    let retention = Retention { age: Some(DAY), ..Retention::default() };
    let (pool, now) = (&signed.fixture.pool, signed.fixture.now());
    let pruned = prune(pool, Some(&log), &retention, "retention", now).await.unwrap();
    assert_eq!(pruned.iter().map(|pruned| pruned.up_to).collect::<Vec<_>>(), [256]);
    let reader = signed.fixture.reader().with_keys(Some(local(&[1])));
    assert_eq!(read(&reader, &old).await, None);
    assert!(matches!(read(&reader, &new).await, Some(FoundBodies::Readable(_))));
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean(), "{:?}", report.findings);
}
