//! Persons are encrypted in the log, and can be erased from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use systemprompt_audit::analytics::{Analytics, Dimension, Subject, UsageQuery};
use systemprompt_audit::subject::{Erased, Erasure, SubjectKeys, erase_subject, rewrap_keys};
use systemprompt_audit::verify::FindingKind;
use systemprompt_audit::{
    AuditLog, AuditOptions, EventFilter, EventRecord, Follower, LogPosition, PageSize, ReadScope,
    append_sealed_in,
};
use systemprompt_core::call::Door;
use systemprompt_core::contract::{
    AuditError, AuditSink as _, GrantedCall, PermitLedger as _, SettleError,
};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::encryption::{KeyEncryption, KeyEncryptionError, LocalKey};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind, Verdict};
use systemprompt_core::id::PermitId;
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::Secret;
use zeroize::Zeroizing;

use crate::fixture::{Fixture, Place, decision, on_both, principal};
use crate::signed::{Signed, column_types, found, open, run_on};

/// What must not be readable anywhere.
const CANARY: &str = "the diagnosis of a patient";

on_both! {
    #[tokio::test]
    nothing_stored_says_who_it_was_or_what_was_said;
    #[tokio::test]
    who_has_the_keys_reads_what_was_written;
    #[tokio::test]
    an_erased_person_is_gone_and_verification_stays_green;
    #[tokio::test]
    an_erasure_is_noticed_by_a_log_that_runs_and_a_new_key_follows;
    #[tokio::test]
    a_key_that_was_erased_while_it_was_asked_for_is_not_kept;
    #[tokio::test]
    without_the_key_encryption_key_known_persons_go_on_and_others_are_denied;
    #[tokio::test]
    encryption_that_is_turned_on_later_finds_what_was_before;
    #[tokio::test]
    keys_that_are_swapped_or_events_that_are_changed_are_not_believed;
    #[tokio::test]
    a_new_key_encryption_key_takes_over;
    #[tokio::test]
    filters_on_what_is_encrypted_find_it_for_who_has_the_keys;
    #[tokio::test]
    sums_are_by_person_until_it_is_erased;
    #[tokio::test]
    an_erasure_that_cannot_be_recorded_does_not_happen;
    #[tokio::test]
    any_text_comes_back_as_it_was;
    #[tokio::test]
    events_of_the_command_line_are_encrypted_with_its_change;
    #[tokio::test]
    a_restart_knows_the_open_permits_of_encrypted_calls;
    #[tokio::test]
    another_credential_of_the_user_reports_an_outcome;
    #[tokio::test]
    the_calls_of_a_person_that_is_erased_are_abandoned;
}

pub(crate) fn local(bytes: &[u8]) -> SubjectKeys {
    let lines: Vec<_> = bytes.iter().map(|byte| hex::encode([*byte; 32])).collect();
    SubjectKeys::new(Arc::new(LocalKey::parse(&Secret::new(lines.join("\n"))).unwrap()))
}

pub(crate) async fn sealing(fixture: &Fixture, keys: &SubjectKeys) -> AuditLog {
    let options = AuditOptions { keys: Some(keys.clone()), ..fixture.options() };
    AuditLog::open(&fixture.pool, options).await.unwrap()
}

/// A denial that says more than it should.
fn denial(fixture: &Fixture, user: &str) -> AuditEvent {
    let mut event = decision(&principal("acme", user), fixture.now(), Verdict::Deny);
    let AuditBody::Decision(body) = &mut event.body else { panic!("a decision") };
    body.reason = Some(format!("{CANARY}: \u{1f512} \" \\ \0 \u{1a}"));
    body.features = Some(r#"{"scopes":"tools:use","roles":"user"}"#.into());
    event
}

fn failure() -> Outcome {
    let mut outcome = Outcome::new(OutcomeStatus::Failed, Duration::from_millis(12));
    outcome.error = Some(CANARY.to_owned());
    outcome
}

pub(crate) async fn erase(fixture: &Fixture, user: &str) -> Erased {
    let erasure = Erasure { user, tenant: Some("acme"), by: "officer" };
    erase_subject(&fixture.pool, &erasure, fixture.now()).await.unwrap()
}

async fn all(
    fixture: &Fixture,
    keys: Option<&SubjectKeys>,
    filter: EventFilter,
) -> Vec<EventRecord> {
    let reader = fixture.reader().with_keys(keys.cloned());
    reader.events(&ReadScope::All, &filter, None, PageSize::MAX).await.unwrap().items
}

fn of_user(user: &str) -> EventFilter {
    EventFilter { user_id: Some(user.to_owned()), ..EventFilter::default() }
}

/// Everything that the rows of the log hold.
async fn rows(fixture: &Fixture) -> String {
    let sql = fixture.either(
        "SELECT json_group_array(json_array(user_id, tenant_id, department, credential_id, actor_chain,
             user_agent, client_addr, reason, reason_data, evaluation, error, detail, hex(call_digest),
             hex(arguments_digest), hex(result_digest))) FROM audit_events",
        "SELECT json_agg(to_json(e))::text FROM audit_events AS e",
    );
    fixture.text(sql).await.unwrap()
}

async fn nothing_stored_says_who_it_was_or_what_was_said(fixture: Fixture) {
    let log = sealing(&fixture, &local(&[1])).await;
    log.append(denial(&fixture, "ada.lovelace")).await.unwrap();
    let allowed = fixture.allow("ada.lovelace");
    let permit = PermitId::from(allowed.id);
    log.append(allowed).await.unwrap();
    log.settle(permit, &principal("acme", "ada.lovelace"), failure()).await.unwrap();
    let rows = rows(&fixture).await;
    let digest = systemprompt_core::call::Digest::of(b"call");
    for secret in [
        "lovelace",
        CANARY,
        "research",
        "assistant",
        "curl",
        "127.0.0.1",
        "per-session",
        "diagnosis",
        &digest.to_string(),
        &digest.to_string().to_uppercase(),
    ] {
        assert!(!rows.contains(secret), "{secret}: {rows}");
    }
    assert!(rows.contains("subject-") && rows.contains("sealed"), "{rows}");
    // One person, one pseudonym, in decisions and outcomes.
    let subjects = "SELECT count(DISTINCT user_id) FROM audit_events";
    assert_eq!(fixture.number(subjects).await, 1);
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 3);
}

async fn who_has_the_keys_reads_what_was_written(fixture: Fixture) {
    let (keys, clear) = (local(&[1]), Fixture::sqlite().await);
    let log = sealing(&fixture, &keys).await;
    let plain = clear.log().await;
    let (said, allowed) = (denial(&fixture, "ada"), fixture.allow("ada"));
    let permit = PermitId::from(allowed.id);
    let trace = allowed.trace_id;
    for log in [&log, &plain] {
        log.append_all(vec![said.clone(), allowed.clone()]).await.unwrap();
        log.settle(permit, &principal("acme", "ada"), failure()).await.unwrap();
    }
    let same = |mut event: EventRecord, other: &EventRecord| {
        event.leaf_hash.clone_from(&other.leaf_hash);
        event.origin.clone_from(&other.origin);
        if event.kind == "outcome" {
            event.id = other.id;
            // What is known of the person is said of its outcomes, too.
            event.department.clone_from(&other.department);
        }
        event
    };
    let read = all(&fixture, Some(&keys), of_user("ada")).await;
    let wanted = all(&clear, None, of_user("ada")).await;
    assert_eq!((read.len(), wanted.len()), (3, 3));
    for (read, wanted) in read.into_iter().zip(&wanted) {
        assert_eq!(same(read, wanted), *wanted);
    }
    let reader = fixture.reader().with_keys(Some(keys.clone()));
    let traced = reader.trace(&ReadScope::All, trace).await.unwrap().unwrap();
    assert_eq!(traced.points.identity.unwrap()["user_id"], "ada");
    assert_eq!(traced.points.result.unwrap()["error"], CANARY);
    let mut follower =
        Follower::new(reader, ReadScope::All, of_user("ada"), LogPosition::beginning());
    let followed = follower.next().await.unwrap();
    assert_eq!(followed.events.len(), 3);
    let reason = followed.events[0].event.as_ref().unwrap().reason.clone().unwrap();
    assert!(reason.starts_with(CANARY), "{reason}");
    // Without the key it is known who it was and what was decided, not why.
    let read = all(&fixture, None, of_user("ada")).await;
    assert_eq!(read.len(), 3);
    for event in read {
        assert_eq!(event.user_id.as_deref(), Some("ada"));
        assert_eq!((event.reason, event.error), (None, None));
        assert_eq!(event.detail.unwrap()["sealed"], "no_key");
    }
    // A call of the hook door is found by its id, for its own user.
    let mut hooked = fixture.allow("ada");
    hooked.context.door = Some(Door::Hook);
    let (call_id, session) = (hooked.context.call_id.clone(), hooked.context.session.clone());
    log.append(hooked).await.unwrap();
    for (user, there) in [("ada", true), ("eve", false)] {
        let principal = principal("acme", user);
        let call_id = call_id.as_ref().unwrap();
        let call = GrantedCall { call_id, principal: &principal, session: session.as_ref() };
        assert_eq!(log.find(call).await.unwrap().is_some(), there, "{user}");
    }
}

async fn an_erased_person_is_gone_and_verification_stays_green(fixture: Fixture) {
    let (signed, keys) = (Signed::on(fixture), local(&[1]));
    let options = AuditOptions { keys: Some(keys.clone()), ..signed.options() };
    let log = AuditLog::open(&signed.fixture.pool, options).await.unwrap();
    signed.append_signed(&log, 120).await;
    for user in ["eve", "ada"] {
        log.append(denial(&signed.fixture, user)).await.unwrap();
    }
    let erased = erase(&signed.fixture, "ada").await;
    assert_eq!((erased.pseudonyms.len(), erased.in_clear), (1, 0));
    assert!(erased.traces_removed || signed.fixture.path().exists());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(all(&signed.fixture, Some(&keys), of_user("ada")).await.is_empty());
    let gone = all(&signed.fixture, Some(&keys), of_user(&erased.pseudonyms[0])).await;
    assert!(gone.len() > 100);
    for event in &gone {
        assert_eq!(event.user_id.as_deref(), Some(&*erased.pseudonyms[0]));
        assert_eq!((&event.reason, &event.department), (&None, &None));
        assert_eq!(event.detail.as_ref().unwrap()["sealed"], "erased");
    }
    let others = all(&signed.fixture, Some(&keys), of_user("eve")).await;
    assert!(others[0].reason.as_ref().unwrap().starts_with(CANARY));
    // The log says what was done, and by whom, but not to whom.
    let kind = Some(EventKind::SubjectErased);
    let said = all(&signed.fixture, None, EventFilter { kind, ..EventFilter::default() }).await;
    let detail = said[0].detail.as_ref().unwrap();
    assert_eq!(detail["by"], "officer");
    assert_eq!(detail["pseudonyms"][0], *erased.pseudonyms[0]);
    assert!(!serde_json::to_string(&said).unwrap().contains("\"ada\""));
    // Nobody is erased twice, and that is not said either.
    assert!(erase(&signed.fixture, "ada").await.pseudonyms.is_empty());
    assert!(erase(&signed.fixture, "nobody").await.pseudonyms.is_empty());
    log.close().await;
    signed.fixture.pool.close().await;
    let report = signed.verify(signed.url()).await;
    assert!(report.is_clean() && report.proven, "{:?}", report.findings);
    // What is left of the erased is covered still.
    let edit = "UPDATE audit_events SET detail = '{\"sealed\":\"AAAA\"}' WHERE seq = 100";
    let copy = signed.tampered("edited.db", edit).await;
    let report = signed.verify_inside(copy.url()).await;
    assert!(found(&report).contains(&(FindingKind::RowChanged, 100, None)));
    if matches!(signed.fixture.place, Place::Sqlite) {
        // Of an erased event any column is covered still.
        let pool = open(&copy.url()).await;
        let columns = column_types(&pool).await;
        pool.close().await;
        assert_eq!(columns.len(), 42);
        for (column, kind) in columns {
            let changed = match &*kind {
                "INTEGER" => format!("coalesce({column}, 0) + 1000000"),
                "TEXT" => format!("coalesce({column}, '') || 'x'"),
                _ => "randomblob(16)".to_owned(),
            };
            let sql = format!("UPDATE audit_events SET {column} = {changed} WHERE seq = 100");
            let copy = signed.tampered("edited.db", &sql).await;
            let report = signed.verify_inside(copy.url()).await;
            let kind = match &*column {
                "log_id" | "seq" => FindingKind::RowMissing,
                _ => FindingKind::RowChanged,
            };
            assert!(found(&report).contains(&(kind, 100, None)), "{column}");
        }
    }
    let copy =
        signed.tampered("blanked.db", "UPDATE audit_events SET detail = NULL WHERE seq = 100");
    let report = signed.verify_inside(copy.await.url()).await;
    assert!(found(&report).contains(&(FindingKind::RowChanged, 100, None)));
}

async fn an_erasure_is_noticed_by_a_log_that_runs_and_a_new_key_follows(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    log.append(denial(&fixture, "ada")).await.unwrap();
    // Let the log have looked once.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let erased = erase(&fixture, "ada").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    log.append(denial(&fixture, "ada")).await.unwrap();
    let read = all(&fixture, Some(&keys), of_user("ada")).await;
    assert_eq!(read.len(), 1);
    assert!(read[0].reason.as_ref().unwrap().starts_with(CANARY));
    let again = erase(&fixture, "ada").await;
    assert_ne!(again.pseudonyms, erased.pseudonyms);
}

/// A key encryption key that can be out of reach.
struct Remote(LocalKey, AtomicBool);

#[async_trait]
impl KeyEncryption for Remote {
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError> {
        self.reach()?;
        self.0.wrap(key).await
    }

    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        self.reach()?;
        self.0.unwrap(wrapped).await
    }
}

impl Remote {
    fn reach(&self) -> Result<(), KeyEncryptionError> {
        let up = self.1.load(Relaxed);
        up.then_some(()).ok_or_else(|| KeyEncryptionError::Unavailable("no route".to_owned()))
    }
}

/// A key encryption key that takes its time to decrypt.
struct Slow(LocalKey, tokio::sync::Semaphore);

#[async_trait]
impl KeyEncryption for Slow {
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError> {
        self.0.wrap(key).await
    }

    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let _may = self.1.acquire().await.unwrap();
        self.0.unwrap(wrapped).await
    }
}

async fn a_key_that_was_erased_while_it_was_asked_for_is_not_kept(fixture: Fixture) {
    let log = sealing(&fixture, &local(&[1])).await;
    log.append(denial(&fixture, "ada")).await.unwrap();
    log.close().await;
    let key = LocalKey::parse(&Secret::new(hex::encode([1; 32]))).unwrap();
    let slow = Arc::new(Slow(key, tokio::sync::Semaphore::new(0)));
    let keys = SubjectKeys::new(slow.clone());
    let log = sealing(&fixture, &keys).await;
    let reader = fixture.reader().with_keys(Some(keys.clone()));
    let (all, filter) = (ReadScope::All, of_user("ada"));
    let appending = log.append(denial(&fixture, "ada"));
    let reading = reader.events(&all, &filter, None, PageSize::MAX);
    let erasing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        erase(&fixture, "ada").await;
        // Long enough to be noticed.
        tokio::time::sleep(Duration::from_millis(600)).await;
        slow.1.add_permits(2);
    };
    let (appended, _, ()) = tokio::join!(appending, reading, erasing);
    appended.unwrap();
    log.append(denial(&fixture, "ada")).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_subjects").await, 1);
    let read = self::all(&fixture, Some(&local(&[1])), of_user("ada")).await;
    assert!(read.len() == 1 && read[0].reason.is_some(), "{read:?}");
    log.close().await;
}

async fn without_the_key_encryption_key_known_persons_go_on_and_others_are_denied(
    fixture: Fixture,
) {
    let local = LocalKey::parse(&Secret::new(hex::encode([1; 32]))).unwrap();
    let remote = Arc::new(Remote(local, AtomicBool::new(true)));
    let keys = SubjectKeys::new(remote.clone());
    let log = sealing(&fixture, &keys).await;
    // Let the log have looked for erasures once.
    tokio::time::sleep(Duration::from_millis(100)).await;
    log.append(denial(&fixture, "ada")).await.unwrap();
    remote.1.store(false, Relaxed);
    log.append(denial(&fixture, "ada")).await.unwrap();
    let refused = log.append(denial(&fixture, "eve")).await;
    assert!(matches!(refused, Err(AuditError::Unavailable(_))), "{refused:?}");
    let read = all(&fixture, Some(&SubjectKeys::new(remote.clone())), of_user("ada")).await;
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].detail.as_ref().unwrap()["sealed"], "unavailable");
    remote.1.store(true, Relaxed);
    log.append(denial(&fixture, "eve")).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_events").await, 3);
}

async fn encryption_that_is_turned_on_later_finds_what_was_before(fixture: Fixture) {
    let log = fixture.log().await;
    let (first, second) = (fixture.allow("ada"), fixture.allow("ada"));
    let (one, two) = (PermitId::from(first.id), PermitId::from(second.id));
    log.append_all(vec![first, second]).await.unwrap();
    log.close().await;
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    log.settle(one, &principal("acme", "ada"), failure()).await.unwrap();
    for stranger in [principal("acme", "eve"), principal("other", "ada")] {
        assert!(log.settle(two, &stranger, failure()).await.is_err());
    }
    for user in ["ada", "eve", "ada"] {
        fixture.clock.advance(Duration::from_secs(1));
        log.append(denial(&fixture, user)).await.unwrap();
    }
    // Page by page, each once, newest first, in clear and encrypted.
    let reader = fixture.reader().with_keys(Some(keys.clone()));
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let size = PageSize::new(2).unwrap();
        let page = reader.events(&ReadScope::All, &of_user("ada"), cursor.as_ref(), size).await;
        let page = page.unwrap();
        seen.extend(page.items.into_iter().map(|event| (event.seq, event.user_id.unwrap())));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let ada = |seq: i64| (seq, "ada".to_owned());
    assert_eq!(seen, [ada(6), ada(4), ada(3), ada(2), ada(1)]);
    let erased = erase(&fixture, "ada").await;
    assert_eq!((erased.pseudonyms.len(), erased.in_clear), (1, 2));
}

async fn keys_that_are_swapped_or_events_that_are_changed_are_not_believed(fixture: Fixture) {
    let log = sealing(&fixture, &local(&[1])).await;
    for user in ["ada", "eve"] {
        log.append(denial(&fixture, user)).await.unwrap();
    }
    // The other one's name on a key.
    run_on(
        &fixture.pool,
        "UPDATE audit_subjects SET user_id = CASE user_id WHEN 'ada' THEN 'x-eve' ELSE 'x-ada' END;
         UPDATE audit_subjects SET user_id = substr(user_id, 3);",
    )
    .await;
    let read = all(&fixture, Some(&local(&[1])), EventFilter::default()).await;
    assert!(read.iter().all(|event| event.detail.as_ref().unwrap()["sealed"] == "unavailable"));
    run_on(
        &fixture.pool,
        "UPDATE audit_subjects SET user_id = CASE user_id WHEN 'ada' THEN 'x-eve' ELSE 'x-ada' END;
         UPDATE audit_subjects SET user_id = substr(user_id, 3);
         UPDATE audit_events SET detail = (SELECT detail FROM audit_events WHERE seq = 1);",
    )
    .await;
    let read = all(&fixture, Some(&local(&[1])), EventFilter::default()).await;
    assert_eq!(read[0].detail.as_ref().unwrap()["sealed"], "changed");
    assert!(read[1].reason.is_some());
    // Another key encryption key opens nothing.
    let read = all(&fixture, Some(&local(&[2])), EventFilter::default()).await;
    assert!(read.iter().all(|event| event.detail.as_ref().unwrap()["sealed"] == "unavailable"));
}

async fn a_new_key_encryption_key_takes_over(fixture: Fixture) {
    let log = sealing(&fixture, &local(&[1])).await;
    for user in ["ada", "eve"] {
        log.append(denial(&fixture, user)).await.unwrap();
    }
    assert!(rewrap_keys(&fixture.pool, &local(&[2])).await.is_err());
    let done = rewrap_keys(&fixture.pool, &local(&[2, 1])).await.unwrap();
    assert_eq!((done.keys, done.left), (2, 0));
    let read = all(&fixture, Some(&local(&[2])), EventFilter::default()).await;
    assert!(read.iter().all(|event| event.reason.is_some()));
    let read = all(&fixture, Some(&local(&[1])), EventFilter::default()).await;
    assert!(read.iter().all(|event| event.reason.is_none()));
}

async fn filters_on_what_is_encrypted_find_it_for_who_has_the_keys(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    for number in 0..50 {
        let mut event = denial(&fixture, if number % 2 == 0 { "ada" } else { "eve" });
        event.context.client_addr = Some(format!("10.0.0.{number}").parse().unwrap());
        let AuditBody::Decision(body) = &mut event.body else { panic!("a decision") };
        body.arguments_digest = Some(systemprompt_core::call::Digest::of(&[number]));
        log.append(event).await.unwrap();
        fixture.clock.advance(Duration::from_secs(1));
    }
    let none = EventFilter::default;
    let digest = Some(systemprompt_core::call::Digest::of(&[7]));
    for (filter, found) in [
        (EventFilter { department: Some("research".to_owned()), ..none() }, 50),
        (EventFilter { department: Some("sales".to_owned()), ..none() }, 0),
        (EventFilter { credential_id: Some("key-ada".to_owned()), ..none() }, 25),
        (EventFilter { actor: Some("assistant".to_owned()), ..of_user("eve") }, 25),
        (EventFilter { user_agent: Some("curl/8.9.1".to_owned()), ..none() }, 50),
        (EventFilter { client_addr: Some("10.0.0.7".to_owned()), ..none() }, 1),
        (EventFilter { client_addr: Some("10.0.0.7".to_owned()), ..of_user("ada") }, 0),
        (EventFilter { arguments_digest: digest, ..none() }, 1),
        (EventFilter { text: Some("DIAGNOSIS of".to_owned()), ..none() }, 50),
        (EventFilter { text: Some("prognosis".to_owned()), ..none() }, 0),
    ] {
        let read = all(&fixture, Some(&keys), filter.clone()).await;
        assert_eq!(read.len(), found, "{filter:?}");
        let reader = fixture.reader().with_keys(Some(keys.clone()));
        let (mut cursor, mut seen) = (None, Vec::new());
        loop {
            let size = PageSize::new(7).unwrap();
            let page =
                reader.events(&ReadScope::All, &filter, cursor.as_ref(), size).await.unwrap();
            seen.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, read, "{filter:?}");
        let mut follower =
            Follower::new(reader, ReadScope::All, filter.clone(), LogPosition::beginning());
        assert_eq!(follower.next().await.unwrap().events.len(), found, "{filter:?}");
    }
}

async fn an_erasure_that_cannot_be_recorded_does_not_happen(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    log.append(denial(&fixture, "ada")).await.unwrap();
    run_on(&fixture.pool, "ALTER TABLE audit_installation RENAME TO audit_installation_away").await;
    let erasure = Erasure { user: "ada", tenant: None, by: "officer" };
    assert!(erase_subject(&fixture.pool, &erasure, fixture.now()).await.is_err());
    run_on(&fixture.pool, "ALTER TABLE audit_installation_away RENAME TO audit_installation").await;
    let read = all(&fixture, Some(&local(&[1])), of_user("ada")).await;
    assert!(read[0].reason.as_ref().unwrap().starts_with(CANARY));
    assert_eq!(fixture.number("SELECT count(*) FROM audit_erasures").await, 0);
    assert_eq!(erase(&fixture, "ada").await.pseudonyms.len(), 1);
}

async fn any_text_comes_back_as_it_was(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    let mut runner = TestRunner::deterministic();
    let mut texts = Vec::new();
    for _ in 0..200 {
        let text = "(?s).{0,40}".new_tree(&mut runner).unwrap().current();
        let mut event = denial(&fixture, "ada");
        let AuditBody::Decision(body) = &mut event.body else { panic!("a decision") };
        body.reason = Some(text.clone());
        body.reason_data = Some(serde_json::json!({ "text": text }));
        log.append(event).await.unwrap();
        texts.push(text);
    }
    texts.reverse();
    // With what is in memory, and without.
    for keys in [keys, local(&[1])] {
        let read = all(&fixture, Some(&keys), of_user("ada")).await;
        let reasons: Vec<_> = read.iter().map(|event| event.reason.clone().unwrap()).collect();
        assert_eq!(reasons, texts);
        for (event, text) in read.iter().zip(&texts) {
            assert_eq!(event.reason_data.as_ref().unwrap()["text"], **text);
        }
    }
}

async fn sums_are_by_person_until_it_is_erased(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    for user in ["ada", "eve", "ada"] {
        log.append(denial(&fixture, user)).await.unwrap();
    }
    let by_user = async || {
        let query = UsageQuery {
            by: vec![Dimension::User, Dimension::Department],
            ..UsageQuery::new(Subject::Tools)
        };
        let analytics = Analytics::new(fixture.reader());
        let report = analytics.usage(&ReadScope::All, &query).await.unwrap();
        report.rows.into_iter().map(|row| (row.key, row.figures.calls.denied)).collect::<Vec<_>>()
    };
    let key = |user: &str| vec![Some(user.to_owned()), Some("research".to_owned())];
    assert_eq!(by_user().await, [(key("ada"), 2), (key("eve"), 1)]);
    let erased = erase(&fixture, "ada").await;
    assert_eq!(
        by_user().await,
        [(vec![Some(erased.pseudonyms[0].clone()), None], 2), (key("eve"), 1)]
    );
}

async fn events_of_the_command_line_are_encrypted_with_its_change(fixture: Fixture) {
    let keys = local(&[1]);
    let detail = serde_json::json!({ "tenant": "acme", "user": "ada.lovelace", "roles": ["user"] });
    let created = || AuditEvent::system(fixture.now(), EventKind::UserCreated, detail.clone());
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_sealed_in(&mut change, Some(&keys), vec![created(), created()]).await.unwrap();
    change.rollback().await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_subjects").await, 0);
    // The key that went with it is not used any more.
    keys.prepare(&fixture.pool, &[created()]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_subjects").await, 1);
    let mut change = fixture.pool.begin_write().await.unwrap();
    append_sealed_in(&mut change, Some(&keys), vec![created(), created()]).await.unwrap();
    change.commit().await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM audit_subjects").await, 1);
    assert!(!rows(&fixture).await.contains("lovelace"));
    let read = all(&fixture, Some(&keys), of_user("ada.lovelace")).await;
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].detail.as_ref().unwrap(), &detail);
}

async fn a_restart_knows_the_open_permits_of_encrypted_calls(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    for user in ["ada", "eve"] {
        log.append(fixture.allow(user)).await.unwrap();
    }
    log.close().await;
    erase(&fixture, "eve").await;
    let log = sealing(&fixture, &local(&[1])).await;
    let open = log.open_permits(10).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].user.as_str(), open[0].tenant.as_str()), ("ada", "acme"));
    assert_eq!(open[0].call_digest, systemprompt_core::call::Digest::of(b"call"));
    assert_eq!(open[0].credential.as_ref().unwrap().as_str(), "key-ada");
}

async fn another_credential_of_the_user_reports_an_outcome(fixture: Fixture) {
    let log = sealing(&fixture, &local(&[1])).await;
    let mut event = fixture.allow("ada");
    event.context.door = Some(Door::Hook);
    let (permit, call) = (PermitId::from(event.id), event.context.call_id.clone().unwrap());
    log.append(event).await.unwrap();
    // As a token that names no department.
    let other = |user: &str| {
        let claims = principal("acme", user).claims().clone();
        Principal::assert_authenticated(PrincipalClaims { department: None, ..claims }).unwrap()
    };
    let session = "session-1".parse().unwrap();
    for (user, finds) in [("eve", false), ("ada", true)] {
        let principal = other(user);
        let granted =
            GrantedCall { principal: &principal, call_id: &call, session: Some(&session) };
        assert_eq!(log.find(granted).await.unwrap().is_some(), finds, "{user}");
        let settled = log.settle(permit, &principal, failure()).await;
        assert_eq!(settled.is_ok(), finds, "{user}: {settled:?}");
    }
    let report = all(&fixture, Some(&local(&[1])), of_user("ada")).await;
    assert_eq!(report.iter().filter(|event| event.error.is_some()).count(), 1);
}

async fn the_calls_of_a_person_that_is_erased_are_abandoned(fixture: Fixture) {
    let keys = local(&[1]);
    let log = sealing(&fixture, &keys).await;
    let allowed = fixture.allow("ada");
    let permit = PermitId::from(allowed.id);
    log.append(allowed).await.unwrap();
    erase(&fixture, "ada").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let ada = principal("acme", "ada");
    assert!(matches!(log.settle(permit, &ada, failure()).await, Err(SettleError::Unknown)));
    fixture.clock.advance(Duration::from_secs(3600));
    assert_eq!(log.sweep().await.unwrap(), 1);
    let status = "SELECT status || ' ' || (SELECT count(*) FROM audit_events AS d
                  WHERE d.user_id = o.user_id AND d.kind = 'decision') FROM audit_events AS o WHERE kind = 'outcome'";
    assert_eq!(fixture.text(status).await.unwrap(), "abandoned 1");
}

/// What leaves the log is what is stored: an erasure reaches it.
#[cfg(feature = "export")]
#[tokio::test]
async fn exports_carry_pseudonyms_and_ciphertext() {
    use systemprompt_audit::export::{Encoder, Format, OnceFilter, write_once};
    let fixture = Fixture::sqlite().await;
    let log = sealing(&fixture, &local(&[1])).await;
    log.append(denial(&fixture, "ada.lovelace")).await.unwrap();
    let allowed = fixture.allow("ada.lovelace");
    let permit = PermitId::from(allowed.id);
    log.append(allowed).await.unwrap();
    log.settle(permit, &principal("acme", "ada.lovelace"), failure()).await.unwrap();
    for format in Format::ALL {
        let mut out = Vec::new();
        let encoder = Encoder::new(format, "here");
        let filter = OnceFilter::default();
        assert_eq!(write_once(&fixture.pool, &encoder, &filter, &mut out).await.unwrap(), 3);
        assert!(contains(&out, "subject-"), "{format}");
        for text in ["lovelace", CANARY, "research", "curl/8", "key-ada"] {
            assert!(!contains(&out, text), "{text} in {format}");
        }
    }
}

/// After an erasure the files of the database, its journal and its index hold neither the payloads nor the
/// key that was wrapped.
#[tokio::test]
async fn the_files_hold_nothing_of_the_erased() {
    let fixture = Fixture::sqlite().await;
    let keys = local(&[1]);
    let options = AuditOptions {
        keys: Some(keys.clone()),
        index_interval: Duration::from_millis(20),
        ..fixture.options()
    };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    for _ in 0..200 {
        log.append(denial(&fixture, "ada.lovelace")).await.unwrap();
    }
    log.index().await.unwrap();
    let wrapped = fixture.text("SELECT wrapped_key FROM audit_subjects").await.unwrap();
    let secret = wrapped.rsplit(':').next().unwrap().to_owned();
    assert!(files(&fixture).iter().any(|(_, bytes)| contains(bytes, &secret)));
    let erased = erase(&fixture, "ada.lovelace").await;
    assert!(erased.traces_removed);
    let files = files(&fixture);
    assert!(files.iter().any(|(name, _)| name.ends_with("-index")), "{:?}", files.len());
    for (name, bytes) in files {
        for text in [&secret, "lovelace", CANARY, "diagnosis", "research", "curl/8"] {
            assert!(!contains(&bytes, text), "{text} in {name}");
        }
    }
    log.close().await;
}

fn files(fixture: &Fixture) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(fixture.folder.path()).unwrap();
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.display().to_string(), std::fs::read(path).unwrap())
    };
    entries.map(file).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
