//! Checkpoints are cosigned by witnesses that check for themselves, and nothing waits for those.

mod server;

use std::sync::Arc;
use std::time::Duration;

use signed_note::Note;
use systemprompt_audit::checkpoint::{ParsedRecord, TlogWitness};
use systemprompt_audit::note::{NoteError, SignedNote, WitnessKey};
use systemprompt_audit::proof::{EventProof, WhichEvent, prove};
use systemprompt_audit::verify::{AuditSource, FindingKind, Outside, Report, VerifyOptions};
use systemprompt_audit::{AuditLog, append_in};
use systemprompt_core::event::{AuditEvent, EventKind};

use self::server::{Fault, WitnessServer};
use crate::fixture::{Fixture, on_both};
use crate::signed::{Signed, found, run_on, verify_with};

on_both! {
    #[tokio::test]
    every_checkpoint_is_cosigned_and_kept_inside_and_outside;
    #[tokio::test]
    a_witness_that_has_seen_more_or_less_than_thought_is_asked_again;
    #[tokio::test]
    a_wrong_cosignature_counts_for_nothing;
    #[tokio::test]
    a_witness_that_is_down_holds_nothing_up_and_gets_everything_later;
    #[tokio::test]
    a_witness_that_knows_one_log_alone_cosigns_that;
    #[tokio::test]
    a_history_made_anew_with_the_key_is_not_cosigned;
    #[tokio::test]
    a_forged_cosignature_is_found;
}

struct Witnessed {
    signed: Signed,
    server: WitnessServer,
    /// The log of the command line.
    cli: String,
}

impl Witnessed {
    /// A log, its witness, who knows it already.
    async fn on(fixture: Fixture) -> Self {
        let (signed, server) = (Signed::on(fixture), WitnessServer::new(7).await);
        // The names are those of the installation, which the first start makes.
        let log = signed.log().await;
        let key = log.verifier_key().unwrap().to_string();
        let cli = format!("cli@{}", log.installation());
        server.know(log.origin().as_str(), &key);
        server.know(&cli, &key);
        log.close().await;
        Self { signed, server, cli }
    }

    async fn log(&self) -> AuditLog {
        let key = self.server.vkey().parse().unwrap();
        let witness = TlogWitness::new(&self.server.prefix(), key).unwrap();
        let mut options = self.signed.options();
        options.checkpoints.as_mut().unwrap().witnesses.push(Arc::new(witness));
        AuditLog::open(&self.signed.fixture.pool, options).await.unwrap()
    }

    /// Waits until the witness has cosigned this much of the log.
    async fn seen(&self, log: &AuditLog, size: u64) {
        let origin = log.origin().as_str();
        let reached = async {
            while self.server.seen(origin) < size {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reached).await.unwrap();
    }

    fn witness(&self) -> WitnessKey {
        self.server.vkey().parse().unwrap()
    }

    /// Verifies with the witness's key and what is outside.
    async fn verify(&self) -> Report {
        let outside = Some(Outside::read(&self.signed.outside()).unwrap());
        let witnesses = vec![self.witness()];
        let options = VerifyOptions { outside, witnesses, ..VerifyOptions::default() };
        verify_with(self.signed.url(), &options).await
    }

    /// Those of the notes outside that the witness has cosigned, with the sizes of their logs.
    fn cosigned_outside(&self) -> Vec<(u64, SignedNote)> {
        let text = std::fs::read_to_string(self.signed.outside()).unwrap();
        let cosigned = |line| match ParsedRecord::parse(line)? {
            ParsedRecord::Checkpoint(checkpoint, note) => {
                self.witness().cosignature(&note).unwrap()?;
                Some((checkpoint.size, note))
            }
            ParsedRecord::Key(_) => None,
        };
        text.lines().filter_map(cosigned).collect()
    }
}

async fn every_checkpoint_is_cosigned_and_kept_inside_and_outside(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    let log = this.log().await;
    for due in [60, 120, 700] {
        this.signed.append_signed(&log, due).await;
    }
    log.close().await;
    assert_eq!(this.server.seen(log.origin().as_str()), 700);
    let stats = log.stats();
    assert!(stats.cosigned >= 4 && stats.checkpoint_failures == 0, "{stats:?}");
    // Outside, as another implementation reads it, beside the signature of the log.
    let outside = this.cosigned_outside();
    let (size, note) = outside.last().unwrap();
    assert_eq!((*size, outside.len() as u64), (700, stats.cosigned));
    let theirs = Note::from_bytes(note.to_string().as_bytes()).unwrap();
    let line = note.signatures().last().unwrap().to_string();
    let signature = signed_note::Signature::from_bytes(line.as_bytes()).unwrap();
    assert_eq!((signature.name(), signature.id()), (this.witness().name(), this.witness().id()));
    assert_eq!(signature.signature().len(), 8 + 64);
    assert_eq!(theirs.text(), note.text().as_bytes());
    assert!(note.verify(&[this.signed.key()]).is_ok());
    let at = this.witness().cosignature(note).unwrap().unwrap().at;
    assert!(at.to_string().starts_with("2025-11-24T16:"), "{at}");
    // And inside, where proofs take it from.
    this.signed.fixture.pool.close().await;
    let mut source = AuditSource::open(&this.signed.url()).await.unwrap();
    let which = WhichEvent::Place { origin: log.origin().to_string(), seq: 5 };
    let proof = prove(&mut source, &which, false).await.unwrap().to_string();
    let proof: EventProof = proof.parse().unwrap();
    assert!(proof.verify(&[this.signed.key()]).is_ok());
    assert_eq!(proof.cosigned_at(&this.witness()).unwrap(), Some(at));
    let report = this.verify().await;
    assert!(report.is_clean(), "{:?}", report.findings);
    let seen = &report.logs[0];
    assert_eq!((seen.cosigned_to, seen.cosigned), (700, stats.cosigned));
    assert_eq!(seen.cosigned_at.as_deref(), Some(&*at.to_string()));
    // Whoever brings no witness along hears of none.
    let report = this.signed.verify(this.signed.url()).await;
    assert!(report.is_clean() && report.logs[0].cosigned == 0);
}

async fn a_witness_that_has_seen_more_or_less_than_thought_is_asked_again(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    let log = this.log().await;
    this.signed.append_signed(&log, 60).await;
    log.close().await;
    let before = this.server.answers();
    assert!(!before.contains(&409), "{before:?}");
    // After a start nobody remembers what the witness has seen.
    let log = this.log().await;
    this.signed.append(&log, 130).await;
    log.close().await;
    let after = &this.server.answers()[before.len()..];
    assert_eq!(after.iter().filter(|status| **status == 409).count(), 1, "{after:?}");
    assert_eq!(after.last(), Some(&200));
    assert_eq!(this.server.seen(log.origin().as_str()), 130);
    assert_eq!(log.stats().checkpoint_failures, 0);
    // It has seen more than there is: somebody has cut off the end.
    this.server.remember(log.origin().as_str(), 500, [3; 32]);
    let log = this.log().await;
    this.signed.append(&log, 150).await;
    log.close().await;
    assert!(log.stats().checkpoint_failures >= 1);
    assert_eq!(this.server.seen(log.origin().as_str()), 500);
    assert_eq!(this.cosigned_outside().last().unwrap().0, 130);
}

/// Waits until so many attempts to hand a checkpoint on have failed.
async fn has_failed(log: &AuditLog, times: u64) {
    let counted = async {
        while log.stats().checkpoint_failures < times {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), counted).await.unwrap();
}

async fn a_wrong_cosignature_counts_for_nothing(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    let log = this.log().await;
    let mut size = 0;
    for fault in [Fault::OtherText, Fault::OtherKey, Fault::Gibberish] {
        this.server.fail(fault);
        size += 60;
        let failures = log.stats().checkpoint_failures;
        this.signed.append_signed(&log, size as usize).await;
        this.seen(&log, size / 50 * 50).await;
        has_failed(&log, failures + 1).await;
        assert_eq!(log.stats().cosigned, 0, "{fault:?}");
    }
    assert!(this.cosigned_outside().is_empty());
    this.server.fail(Fault::None);
    log.close().await;
    assert!(log.stats().cosigned >= 1);
    assert_eq!(this.cosigned_outside().last().unwrap().0, size);
}

async fn a_witness_that_is_down_holds_nothing_up_and_gets_everything_later(fixture: Fixture) {
    let mut this = Witnessed::on(fixture).await;
    this.server.down();
    let log = this.log().await;
    this.signed.append_signed(&log, 160).await;
    assert_eq!((log.stats().last_seq, log.stats().cosigned), (160, 0));
    has_failed(&log, 1).await;
    this.server.up().await;
    this.seen(&log, 150).await;
    this.server.fail(Fault::Busy);
    let failures = log.stats().checkpoint_failures;
    this.signed.append_signed(&log, 320).await;
    has_failed(&log, failures + 1).await;
    assert!(this.server.seen(log.origin().as_str()) < 300);
    this.server.fail(Fault::None);
    this.seen(&log, 300).await;
    log.close().await;
    assert!(log.stats().checkpoint_failures >= 2);
    this.signed.fixture.pool.close().await;
    let report = this.verify().await;
    assert!(report.is_clean(), "{:?}", report.findings);
    // Whatever waited was cosigned, too.
    assert!(report.logs[0].cosigned >= 6, "{:?}", report.logs);
    assert_eq!(report.logs[0].cosigned_to, 320);
}

async fn a_witness_that_knows_one_log_alone_cosigns_that(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    this.server.know(&this.cli, &other_key());
    let mut transaction = this.signed.fixture.pool.begin_write().await.unwrap();
    let detail = serde_json::json!({});
    let event = AuditEvent::system(this.signed.fixture.now(), EventKind::UserCreated, detail);
    append_in(&mut transaction, vec![event]).await.unwrap();
    transaction.commit().await.unwrap();
    let log = this.log().await;
    this.signed.append_signed(&log, 60).await;
    log.close().await;
    assert!(this.server.answers().contains(&403));
    assert!(log.stats().checkpoint_failures >= 1);
    assert_eq!(this.server.seen(log.origin().as_str()), 60);
    assert_eq!(this.server.seen(&this.cli), 0);
}

fn other_key() -> String {
    use systemprompt_audit::note::{Ed25519Signer, Signer as _};
    Ed25519Signer::new("audit@other", &[9; 32]).unwrap().verifier().to_string()
}

async fn a_history_made_anew_with_the_key_is_not_cosigned(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    let log = this.log().await;
    this.signed.append_signed(&log, 60).await;
    log.close().await;
    // Whoever has database, key and all files begins anew.
    for table in ["audit_events", "audit_tiles", "audit_checkpoints"] {
        run_on(&this.signed.fixture.pool, &format!("DELETE FROM {table}")).await;
    }
    run_on(&this.signed.fixture.pool, "UPDATE audit_logs SET size = 0, swept_to = 0").await;
    std::fs::remove_file(this.signed.outside()).unwrap();
    let log = this.log().await;
    this.signed.append_signed(&log, 120).await;
    log.close().await;
    assert!(this.server.answers().contains(&422), "{:?}", this.server.answers());
    assert_eq!(log.stats().cosigned, 0);
    this.signed.fixture.pool.close().await;
    let report = this.verify().await;
    assert!(report.is_clean(), "{:?}", report.findings);
    // The key says yes, and the witness nothing.
    assert_eq!((report.logs[0].signed_to, report.logs[0].cosigned_to), (120, 0));
}

async fn a_forged_cosignature_is_found(fixture: Fixture) {
    let this = Witnessed::on(fixture).await;
    let log = this.log().await;
    this.signed.append_signed(&log, 60).await;
    this.seen(&log, 50).await;
    log.close().await;
    let (size, note) = this.cosigned_outside().pop().unwrap();
    let (_, other) = this.cosigned_outside().remove(0);
    // The cosignature of one checkpoint on another.
    let cosignature = this.witness().cosignature(&other).unwrap().unwrap().signature;
    let own = note.signatures()[..1].to_vec();
    let forged: SignedNote =
        format!("{}\n{}\n{cosignature}\n", note.text(), own[0]).parse().unwrap();
    assert_eq!(this.witness().cosignature(&forged), Err(NoteError::Forged));
    let forged = forged.to_string().replace('\'', "''").replace('\n', "' || char(10) || '");
    run_on(
        &this.signed.fixture.pool,
        &format!("UPDATE audit_checkpoints SET note = '{forged}' WHERE size = {size}"),
    )
    .await;
    this.signed.fixture.pool.close().await;
    let report = this.verify().await;
    assert_eq!(found(&report)[0], (FindingKind::BadSignature, size as i64, None));
    assert!(report.findings[0].detail.contains("witness"), "{:?}", report.findings);
}
