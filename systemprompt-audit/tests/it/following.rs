//! Reading the logs onwards.

use systemprompt_audit::{
    AuditLog, AuditOptions, EventFilter, Follower, LogPosition, Origin, ReadScope,
};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::event::Verdict;

use crate::fixture::{Fixture, decision, on_both, principal};

/// The places of what is left to read, by log, and where that ends.
async fn rest(follower: &mut Follower) -> Vec<(String, i64)> {
    let mut seen = Vec::new();
    loop {
        let followed = follower.next().await.unwrap();
        assert!(followed.events.len() <= 200);
        seen.extend(followed.events.into_iter().map(|event| (event.origin, event.seq)));
        if !followed.more {
            return seen;
        }
    }
}

async fn other_log(fixture: &Fixture) -> AuditLog {
    let origin = Some(Origin::parse("replica-2").unwrap());
    let options = AuditOptions { origin, ..fixture.options() };
    AuditLog::open(&fixture.pool, options).await.unwrap()
}

fn follower(fixture: &Fixture, filter: EventFilter, position: LogPosition) -> Follower {
    Follower::new(fixture.reader(), ReadScope::All, filter, position)
}

on_both! {
    #[tokio::test]
    an_empty_database_is_followed_too;
    #[tokio::test]
    several_logs_are_read_once_each_and_together_by_time;
    #[tokio::test]
    a_rare_event_is_found_and_the_position_passes_the_others;
    #[tokio::test]
    what_retention_removed_is_passed;
    #[tokio::test]
    a_time_is_a_position;
}

async fn an_empty_database_is_followed_too(fixture: Fixture) {
    let mut follower = follower(&fixture, EventFilter::default(), LogPosition::beginning());
    assert_eq!(rest(&mut follower).await, []);
    fixture.log().await.append(fixture.allow("ada")).await.unwrap();
    assert_eq!(rest(&mut follower).await.len(), 1);
    assert_eq!(rest(&mut follower).await, []);
}

async fn several_logs_are_read_once_each_and_together_by_time(fixture: Fixture) {
    let (one, two) = (fixture.log().await, other_log(&fixture).await);
    for _ in 0..30 {
        one.append_all((0..10).map(|_| fixture.allow("ada")).collect()).await.unwrap();
        fixture.clock.advance(std::time::Duration::from_secs(1));
        two.append_all((0..20).map(|_| fixture.allow("bob")).collect()).await.unwrap();
        fixture.clock.advance(std::time::Duration::from_secs(1));
    }
    let mut whole = follower(&fixture, EventFilter::default(), LogPosition::beginning());
    let all = rest(&mut whole).await;
    assert_eq!(all.len(), 900);
    for (origin, count) in [("replica-2", 600), (&*all[0].0, 300)] {
        let places: Vec<_> = all.iter().filter(|(log, _)| log == origin).map(|it| it.1).collect();
        assert_eq!(places, (1..=count).collect::<Vec<_>>(), "{origin}");
    }
    assert_eq!(all[10].0, "replica-2");
    // Anywhere it can be left and gone on with, by the text of the position.
    let mut position = LogPosition::beginning();
    let mut seen = Vec::new();
    while seen.len() < all.len() {
        let position_text = position.to_string();
        let mut again = follower(&fixture, EventFilter::default(), position_text.parse().unwrap());
        for event in again.next().await.unwrap().events.into_iter().take(7) {
            position.advance(event.log_id, event.seq);
            seen.push((event.origin, event.seq));
        }
    }
    seen.sort();
    let mut all = all;
    all.sort();
    assert_eq!(seen, all);
    assert_eq!(position, fixture.reader().heads().await.unwrap().position());
}

async fn a_rare_event_is_found_and_the_position_passes_the_others(fixture: Fixture) {
    let log = fixture.log().await;
    for _ in 0..60 {
        log.append_all((0..200).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    }
    log.append(decision(&principal("acme", "bob"), fixture.now(), Verdict::Deny)).await.unwrap();
    let filter = EventFilter { user_id: Some("bob".to_owned()), ..EventFilter::default() };
    let mut rare = follower(&fixture, filter, LogPosition::beginning());
    let found = rest(&mut rare).await;
    assert_eq!(found.iter().map(|(_, seq)| *seq).collect::<Vec<_>>(), [12_001]);
    assert_eq!(*rare.position(), fixture.reader().heads().await.unwrap().position());
    // Another log alone: nothing is read, and all is passed.
    let filter = EventFilter { origin: Some("replica-2".to_owned()), ..EventFilter::default() };
    let mut none = follower(&fixture, filter, LogPosition::beginning());
    let followed = none.next().await.unwrap();
    assert!(followed.events.is_empty() && !followed.more);
}

async fn what_retention_removed_is_passed(fixture: Fixture) {
    let log = fixture.log().await;
    for _ in 0..60 {
        log.append_all((0..200).map(|_| fixture.allow("ada")).collect()).await.unwrap();
    }
    fixture.execute("DELETE FROM audit_events WHERE seq < 11990").await.unwrap();
    let bob = EventFilter { user_id: Some("ada".to_owned()), ..EventFilter::default() };
    for filter in [EventFilter::default(), bob] {
        let mut follower = follower(&fixture, filter, LogPosition::beginning());
        let first = follower.next().await.unwrap();
        assert_eq!(first.events.iter().map(|it| it.seq).collect::<Vec<_>>(), {
            (11_990..=12_000).collect::<Vec<_>>()
        });
    }
}

async fn a_time_is_a_position(fixture: Fixture) {
    let (one, two) = (fixture.log().await, other_log(&fixture).await);
    one.append(fixture.allow("ada")).await.unwrap();
    fixture.clock.advance(std::time::Duration::from_secs(60));
    let instant = fixture.now();
    one.append(fixture.allow("ada")).await.unwrap();
    let reader = fixture.reader();
    let position = reader.position_before(instant).await.unwrap();
    two.append(fixture.allow("bob")).await.unwrap();
    let mut follower = follower(&fixture, EventFilter::default(), position);
    let seqs: Vec<_> = rest(&mut follower).await.into_iter().map(|(_, seq)| seq).collect();
    assert_eq!(seqs, [2, 1]);
    let end = reader.position_before(instant.after(std::time::Duration::from_secs(1))).await;
    assert_eq!(end.unwrap(), reader.heads().await.unwrap().position());
}
