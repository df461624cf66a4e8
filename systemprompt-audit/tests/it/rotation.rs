//! Keys come and go; what an old one signs after its end counts for nothing.

use std::time::Duration;

use systemprompt_audit::checkpoint::SigningKeys;
use systemprompt_audit::note::{Checkpoint, Ed25519Signer, VerifierKey};
use systemprompt_audit::verify::{FindingKind, Outside, VerifyOptions};

use crate::fixture::{Fixture, on_both};
use crate::signed::{Signed, found, run, signing_key, verify_with};

on_both! {
    #[tokio::test]
    either_key_leads_to_the_other;
    #[tokio::test]
    both_sign_while_they_overlap;
    #[tokio::test]
    a_checkpoint_forged_with_an_old_key_is_refused;
    #[tokio::test]
    a_new_key_that_the_old_one_has_not_signed_is_not_trusted;
    #[tokio::test]
    a_retired_key_does_not_bring_itself_back;
    #[tokio::test]
    a_retired_key_comes_back_when_its_successor_says_so;
}

const HOUR: Duration = Duration::from_secs(3600);

/// A log that was signed with key 1 up to 60, with 1 and 2 up to 120, and with 2 up to 180.
async fn rotated(fixture: Fixture) -> (Signed, VerifierKey, VerifierKey) {
    let mut signed = Signed::on(fixture);
    let log = signed.log().await;
    let old = log.verifier_key().unwrap().clone();
    signed.append(&log, 60).await;
    log.close().await;
    let until = signed.fixture.now().after(HOUR);
    signed.keys = SigningKeys { current: signing_key(2), previous: Some((signing_key(1), until)) };
    let log = signed.log().await;
    let new = log.verifier_key().unwrap().clone();
    signed.append(&log, 120).await;
    log.close().await;
    signed.fixture.clock.advance(HOUR * 2);
    let log = signed.log().await;
    signed.append(&log, 180).await;
    log.close().await;
    signed.fixture.pool.close().await;
    (signed, old, new)
}

fn with(key: &VerifierKey) -> VerifyOptions {
    VerifyOptions { keys: vec![key.clone()], ..VerifyOptions::default() }
}

async fn either_key_leads_to_the_other(fixture: Fixture) {
    let (signed, old, new) = rotated(fixture).await;
    assert_ne!(old, new);
    for key in [&old, &new] {
        let report = verify_with(signed.url(), &with(key)).await;
        // The permits of before have expired meanwhile.
        assert!(report.integrity, "{:?}", report.findings);
        assert_eq!(report.logs[0].signed_to, 180);
    }
    assert_eq!(signed.key(), old);
    assert!(signed.verify(signed.url()).await.integrity);
}

async fn both_sign_while_they_overlap(fixture: Fixture) {
    let (signed, old, new) = rotated(fixture).await;
    let text = std::fs::read_to_string(signed.outside()).unwrap();
    let signers = |size: u64| {
        let line = text.lines().rfind(|line| line.contains(&format!("\"size\":{size},"))).unwrap();
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let note: systemprompt_audit::note::SignedNote =
            line["note"].as_str().unwrap().parse().unwrap();
        [&old, &new].map(|key| note.signatures().iter().any(|signature| key.made(signature)))
    };
    assert_eq!(signers(60), [true, false]);
    assert_eq!(signers(120), [true, true]);
    assert_eq!(signers(180), [false, true]);
}

async fn a_checkpoint_forged_with_an_old_key_is_refused(fixture: Fixture) {
    let (signed, _, new) = rotated(fixture).await;
    // Whoever has the leaked key signs the log as it is, and as it is not.
    let report = verify_with(signed.url(), &with(&new)).await;
    let log = &report.logs[0];
    let root: [u8; 32] = hex::decode(log.root.as_ref().unwrap()).unwrap().try_into().unwrap();
    let leaked = Ed25519Signer::new(new.name(), &[1; 32]).unwrap();
    for root in [root, [7; 32]] {
        let forged = Checkpoint { origin: log.origin.clone(), size: 180, root };
        let note = forged.sign(&[&leaked]).unwrap().to_string();
        let copy = signed.copy("forged.db").await;
        let sql = format!(
            "INSERT INTO audit_checkpoints (log_id, size, root, note, created_at)
             SELECT id, 180, x'{}', '{note}', 0 FROM audit_logs",
            hex::encode(root)
        );
        run(copy.url(), &sql).await;
        let report = verify_with(copy.url(), &with(&new)).await;
        assert_eq!(found(&report), [(FindingKind::BadSignature, 180, None)]);
        assert!(report.findings[0].detail.contains("ended with event"), "{:?}", report.findings);
    }
}

async fn a_new_key_that_the_old_one_has_not_signed_is_not_trusted(fixture: Fixture) {
    let mut signed = Signed::on(fixture);
    let log = signed.log().await;
    let old = log.verifier_key().unwrap().clone();
    signed.append(&log, 60).await;
    log.close().await;
    signed.keys = SigningKeys::new(signing_key(3));
    let log = signed.log().await;
    let new = log.verifier_key().unwrap().clone();
    signed.append(&log, 120).await;
    log.close().await;
    signed.fixture.pool.close().await;
    let report = verify_with(signed.url(), &with(&old)).await;
    assert_eq!(found(&report), [(FindingKind::BadSignature, 120, None)]);
    assert_eq!(report.logs[0].signed_to, 60);
    // Whoever trusts the new one trusts what it has signed: everything.
    assert!(verify_with(signed.url(), &with(&new)).await.is_clean());
    let outside = Outside::read(&signed.outside()).unwrap();
    assert_eq!(outside.key, Some(old));
}

async fn a_retired_key_does_not_bring_itself_back(fixture: Fixture) {
    let mut signed = Signed::on(fixture);
    let log = signed.log().await;
    let old = log.verifier_key().unwrap().clone();
    signed.append(&log, 60).await;
    log.close().await;
    let now = signed.fixture.now();
    // Without an overlap: the new key in one run, the end of the old one in the same.
    signed.keys = SigningKeys { current: signing_key(2), previous: Some((signing_key(1), now)) };
    let log = signed.log().await;
    signed.append(&log, 120).await;
    log.close().await;
    let clean = verify_with(signed.url(), &with(&old)).await;
    assert!(clean.is_clean() && clean.logs[0].signed_to == 120, "{:?}", clean.findings);

    // Whoever has the old one goes on with it, and then with another that it has signed.
    signed.keys = SigningKeys::new(signing_key(1));
    let log = signed.log().await;
    signed.append(&log, 180).await;
    log.close().await;
    let report = verify_with(signed.url(), &with(&old)).await;
    assert_eq!(found(&report), [(FindingKind::BadSignature, 180, None)]);
    assert_eq!(report.logs[0].signed_to, 120);
    signed.keys = SigningKeys { current: signing_key(4), previous: Some((signing_key(1), now)) };
    let log = signed.log().await;
    signed.append(&log, 240).await;
    log.close().await;
    signed.fixture.pool.close().await;
    let report = verify_with(signed.url(), &with(&old)).await;
    assert_eq!(found(&report), [(FindingKind::BadSignature, 240, None)]);
    assert_eq!(report.logs[0].signed_to, 120);
}

async fn a_retired_key_comes_back_when_its_successor_says_so(fixture: Fixture) {
    let mut signed = Signed::on(fixture);
    let mut first = None;
    let now = signed.fixture.now();
    for (events, current, previous) in [(60, 1, None), (120, 2, Some(1)), (180, 1, Some(2))] {
        let previous = previous.map(|key| (signing_key(key), now));
        signed.keys = SigningKeys { current: signing_key(current), previous };
        let log = signed.log().await;
        first.get_or_insert(log.verifier_key().unwrap().clone());
        signed.append(&log, events).await;
        log.close().await;
    }
    signed.fixture.pool.close().await;
    let report = verify_with(signed.url(), &with(&first.unwrap())).await;
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.logs[0].signed_to, 180);
}
