//! Events of every kind, always the same.

use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_audit::EventRecord;
use systemprompt_audit::{PageSize, ReadScope};
use systemprompt_core::call::Digest;
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind, OutcomeBody, Verdict};
use systemprompt_core::id::{EventId, TraceId};

use crate::fixture::{self, Fixture, principal};

/// A text with everything that breaks lines, terminals and parsers.
pub(crate) const HOSTILE: &str = "a\r\nCEF:0|x|y=z\\ \u{1b}[31m\0\u{7f}\u{85}\u{2028}\u{202e}evil\u{202c} \
                                  \u{1f469}\u{200d}\u{1f4bb} \"quoted\" <b>|</b>,é";

/// One event of each kind, as they are read from a log.
pub(crate) async fn samples() -> Vec<EventRecord> {
    records(events()).await
}

/// `events` as they are read from a log whose name and hashes are always the same.
pub(crate) async fn records(events: Vec<AuditEvent>) -> Vec<EventRecord> {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    log.append_all(events).await.unwrap();
    let read = fixture.reader().tail(&ReadScope::All, log.origin(), 0, PageSize::MAX).await;
    log.close().await;
    let mut records = read.unwrap();
    for record in &mut records {
        record.origin = "server@k3v9q0aa7xmd".to_owned();
        record.leaf_hash = Digest::of(record.id.as_bytes()).to_string();
    }
    records
}

pub(crate) fn events() -> Vec<AuditEvent> {
    let mut denied = decision(2, Verdict::Deny);
    if let AuditBody::Decision(body) = &mut denied.body {
        body.reason_code = Some("secret_detected");
        body.reason = Some("The call carries a secret (github-token) at $.body.".to_owned());
        let data = json!({ "rule": "github-token", "location": "$.body", "fingerprint": "9f2c" });
        body.reason_data = Some(data);
    }
    let mut failed = Outcome::new(OutcomeStatus::Failed, Duration::from_millis(31));
    failed.error = Some("exit status 1".to_owned());
    vec![
        decision(1, Verdict::Allow),
        denied,
        outcome(3, fixture::success()),
        outcome(4, Outcome::new(OutcomeStatus::Abandoned, Duration::ZERO)),
        outcome(5, failed),
        decision(6, Verdict::Pending),
        other(7, EventKind::AuthRefused, json!({ "code": "unknown_key", "count": 17 })),
        other(8, EventKind::KeyCreated, json!({ "key": "k7q2m9x4c1ha", "scopes": ["tools:use"] })),
        other(9, EventKind::PolicyLoaded, json!({ "policy_version": "p-3f9a2b7c11d0e4a8" })),
        other(10, EventKind::GovernanceDisabled, json!({ "fraction": 0.5, "big": u64::MAX })),
        hostile(11, HOSTILE),
        other(12, EventKind::SecretUsed, secret(json!({ "version": 2 }))),
        other(13, EventKind::SecretDenied, secret(json!({ "reason": "not_granted" }))),
        other(14, EventKind::SecretRevoked, secret(json!({ "revoked": "grant", "by": "ops" }))),
    ]
}

fn secret(mut detail: Value) -> Value {
    detail["tenant"] = "acme".into();
    detail["name"] = "github-token".into();
    detail["server"] = "github".into();
    detail["sink"] = json!({ "header": "authorization", "host": "api.github.com" });
    detail
}

/// A denial with `text` wherever a caller's text can be.
pub(crate) fn hostile(number: u8, text: &str) -> AuditEvent {
    let mut event = decision(number, Verdict::Deny);
    event.context.user_agent = Some(text.into());
    event.context.client_addr = Some("2001:db8::7".parse().unwrap());
    if let AuditBody::Decision(body) = &mut event.body {
        body.server = Some(text.into());
        body.tool = text.into();
        body.reason = Some(text.to_owned());
        body.reason_data = Some(json!({ "pattern": text, text: [text] }));
    }
    event
}

fn decision(number: u8, verdict: Verdict) -> AuditEvent {
    let mut event = fixture::decision(&principal("acme", "ada@example.com"), at(number), verdict);
    named(&mut event, number);
    event.context.call_id = Some("call-1".parse().unwrap());
    if let AuditBody::Decision(body) = &mut event.body {
        body.permit = body.permit.map(|_| event.id.into());
        if verdict == Verdict::Pending {
            (body.reason_code, body.reason, body.reason_data) = (None, None, None);
        }
    }
    event
}

fn outcome(number: u8, outcome: Outcome) -> AuditEvent {
    let mut event = decision(number, Verdict::Allow);
    let permit = id(100 + number).into();
    event.body = AuditBody::Outcome(Box::new(OutcomeBody { permit, outcome }));
    event
}

fn other(number: u8, kind: EventKind, detail: Value) -> AuditEvent {
    let mut event = AuditEvent::system(at(number), kind, detail);
    named(&mut event, number);
    event
}

fn named(event: &mut AuditEvent, number: u8) {
    event.id = id(number);
    event.trace_id = format!("{:032x}", 0x4bf9_2f35_77b3_4da6_u64).parse::<TraceId>().unwrap();
}

fn id(number: u8) -> EventId {
    EventId::from_bytes([1, 0x9a, 0x53, 0x2c, 0x10, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number])
}

fn at(number: u8) -> systemprompt_core::clock::Timestamp {
    let start: systemprompt_core::clock::Timestamp = "2026-11-22T20:15:00.123456Z".parse().unwrap();
    start.after(Duration::from_secs(u64::from(number)))
}
