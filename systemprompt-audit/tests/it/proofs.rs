//! The proof of one event needs a small file and a key, and no database.

use systemprompt_audit::proof::{EventProof, ProofFault, ProveError, WhichEvent, prove};
use systemprompt_audit::verify::AuditSource;
use systemprompt_core::contract::AuditSink as _;

use crate::fixture::{Fixture, on_both};
use crate::signed::Signed;

on_both! {
    #[tokio::test]
    every_event_is_proven_at_its_place;
    #[tokio::test]
    an_event_is_found_by_its_id_and_unsigned_ones_are_not_proven;
    #[tokio::test]
    what_was_disclosed_cannot_be_changed;
}

async fn every_event_is_proven_at_its_place(fixture: Fixture) {
    let signed = Signed::of(fixture, 700).await;
    let mut source = AuditSource::open(&signed.url()).await.unwrap();
    let keys = [signed.key()];
    let origin = "server@".to_owned() + signed.key().name().strip_prefix("audit@").unwrap();
    for seq in [1, 2, 255, 256, 257, 512, 513, 640, 699, 700] {
        let event = WhichEvent::Place { origin: origin.clone(), seq };
        let proof = prove(&mut source, &event, seq % 2 == 0).await.unwrap();
        let text = proof.to_string();
        assert!(text.len() < 8_000, "{} bytes", text.len());
        let read: EventProof = text.parse().unwrap();
        let proven = read.verify(&keys).unwrap();
        assert_eq!((proven.seq, proven.size), (u64::try_from(seq).unwrap(), 700));
        assert_eq!(proven.origin, origin);
        assert_eq!(proven.columns.is_some(), seq % 2 == 0);
        // Personal data is only in what was disclosed.
        let leaf = proven.leaf.to_string();
        assert!(!leaf.contains("\"acme\"") && !leaf.contains("\"ada\""), "{leaf}");
        if let Some(columns) = proven.columns.filter(|columns| columns["kind"] == "decision") {
            assert_eq!(columns["user_id"], "ada");
        }
    }
    let unknown = WhichEvent::Place { origin, seq: 701 };
    assert!(matches!(prove(&mut source, &unknown, false).await, Err(ProveError::Unknown)));
}

async fn an_event_is_found_by_its_id_and_unsigned_ones_are_not_proven(fixture: Fixture) {
    let signed = Signed::on(fixture);
    let log = signed.log().await;
    let event = signed.fixture.allow("ada");
    let id = event.id;
    log.append(event).await.unwrap();
    let mut source = AuditSource::open(&signed.url()).await.unwrap();
    let which: WhichEvent = id.to_string().parse().unwrap();
    let result = prove(&mut source, &which, false).await;
    assert!(matches!(result, Err(ProveError::Unsigned { .. })), "{result:?}");
    log.close().await;
    let proof = prove(&mut source, &which, true).await.unwrap();
    let proven = proof.verify(&[signed.key()]).unwrap();
    assert_eq!(proven.columns.unwrap()["tool"], "Read");
    assert!("nothing".parse::<WhichEvent>().is_err());
}

async fn what_was_disclosed_cannot_be_changed(fixture: Fixture) {
    let signed = Signed::of(fixture, 30).await;
    let mut source = AuditSource::open(&signed.url()).await.unwrap();
    let origin = "server@".to_owned() + signed.key().name().strip_prefix("audit@").unwrap();
    let event = WhichEvent::Place { origin, seq: 5 };
    let text = prove(&mut source, &event, true).await.unwrap().to_string();
    let line = text.lines().nth(1).unwrap().strip_prefix("extra ").unwrap();
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let extra = String::from_utf8(engine.decode(line).unwrap()).unwrap();
    let forge = |from: &str, to: &str| {
        assert!(extra.contains(from), "{extra}");
        let forged = text.replace(line, &engine.encode(extra.replace(from, to)));
        forged.parse::<EventProof>().unwrap().verify(&[signed.key()]).unwrap_err()
    };
    assert_eq!(forge("\"ada\"", "\"eve\""), ProofFault::Disclosure);
    assert!(matches!(forge("\\\"seq\\\":5", "\\\"seq\\\":6"), ProofFault::Inclusion(_)));
}
