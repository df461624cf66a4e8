//! What the files of a database hold of a key after an erasure.

use std::sync::Arc;

use systemprompt_audit::subject::{Erasure, SubjectKeys, erase_subject};
use systemprompt_audit::{AuditLog, AuditOptions, EventFilter, PageSize, ReadScope};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::encryption::LocalKey;
use systemprompt_core::secret::Secret;

use crate::fixture::Fixture;

fn keys() -> SubjectKeys {
    SubjectKeys::new(Arc::new(LocalKey::parse(&Secret::new(hex::encode([1; 32]))).unwrap()))
}

/// A log about so many persons, more than a page of the database holds.
async fn of_persons(fixture: &Fixture, persons: usize) -> AuditLog {
    let options = AuditOptions { keys: Some(keys()), ..fixture.options() };
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    for number in 0..persons {
        // In no order, so that pages are split in the middle.
        let name = format!("user-{:03}", number * 37 % persons);
        log.append(fixture.allow(&name)).await.unwrap();
    }
    log
}

/// The secret part of a wrapped key.
async fn wrapped(fixture: &Fixture, user: &str) -> String {
    let rows = fixture.texts("SELECT user_id || '=' || wrapped_key FROM audit_subjects").await;
    let prefix = format!("{user}=");
    let row = rows.into_iter().flatten().find(|row| row.starts_with(&prefix)).unwrap();
    row.rsplit(':').next().unwrap().to_owned()
}

async fn erase(fixture: &Fixture, user: &str) {
    let erasure = Erasure { user, tenant: None, by: "officer" };
    let erased = erase_subject(&fixture.pool, &erasure, fixture.now()).await.unwrap();
    assert!(erased.traces_removed && erased.pseudonyms.len() == 1, "{erased:?}");
}

async fn others_can_be_read(fixture: &Fixture, user: &str, others: usize) {
    let reader = fixture.reader().with_keys(Some(keys()));
    let events = reader.events(&ReadScope::All, &EventFilter::default(), None, PageSize::MAX).await;
    let events = events.unwrap().items;
    let read = events.iter().filter(|event| event.evaluation.is_some()).count();
    assert_eq!(read, others, "without {user}");
}

#[tokio::test]
async fn pages_of_sqlite_that_were_split_hold_no_key_of_the_erased() {
    let fixture = Fixture::sqlite().await;
    let log = of_persons(&fixture, 300).await;
    for (gone, number) in (0..300).step_by(23).enumerate() {
        let user = format!("user-{number:03}");
        let secret = wrapped(&fixture, &user).await;
        erase(&fixture, &user).await;
        for entry in std::fs::read_dir(fixture.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            for text in [secret.as_str(), user.as_str()] {
                let found = bytes.windows(text.len()).filter(|it| *it == text.as_bytes()).count();
                assert_eq!(found, 0, "{text} of {user} in {}", path.display());
            }
        }
        others_can_be_read(&fixture, &user, 300 - gone - 1).await;
    }
    log.close().await;
}

/// The server keeps deleted rows in the free part of a page even after a `VACUUM`.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn pages_of_postgres_hold_no_key_of_the_erased() {
    let fixture = Fixture::postgres().await;
    let log = of_persons(&fixture, 60).await;
    let secret = wrapped(&fixture, "user-007").await;
    // Pages as they are, in memory or on the disk, those of the table that was deleted from.
    let pages = "SELECT coalesce(string_agg(encode(get_raw_page('audit_subjects', n::int), 'escape'), ''), '')
                 FROM generate_series(0, pg_relation_size('audit_subjects') / 8192 - 1) AS n";
    fixture.execute("CREATE EXTENSION pageinspect").await.unwrap();
    assert!(fixture.text(pages).await.unwrap().contains(&secret));
    fixture.execute("ANALYZE").await.unwrap();
    erase(&fixture, "user-007").await;
    let sampled = "SELECT count(*) FROM pg_stats WHERE tablename = 'audit_subjects'
                   AND attname IN ('wrapped_key', 'user_id', 'pseudonym', 'tenant_id', 'department')";
    assert_eq!(fixture.number(sampled).await, 0);
    let left = fixture.text(pages).await.unwrap();
    assert!(!left.contains(&secret) && !left.contains("user-007"));
    others_can_be_read(&fixture, "user-007", 59).await;
    log.close().await;
}
