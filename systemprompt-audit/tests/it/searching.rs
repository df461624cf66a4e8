//! Search: every filter finds what it names, through the index and without it, page by page, whatever
//! is written meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use systemprompt_audit::{
    AuditLog, AuditReader, Cursor, EventFilter, EventRecord, FilterError, NumberRange, PageSize,
    ReadLimits, ReadScope,
};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind, Verdict};

use crate::fixture::{Fixture, decision, principal, success};

fn size(rows: u16) -> PageSize {
    PageSize::new(rows).unwrap()
}

/// What a filter finds, and what it must find of all the events.
type Case = (EventFilter, Box<dyn Fn(&EventRecord) -> bool>);

/// Every page, one after the other, with the cursor as it goes over the wire.
async fn walk(reader: &AuditReader, filter: &EventFilter, rows: u16) -> Vec<EventRecord> {
    let mut all = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page =
            reader.events(&ReadScope::All, filter, cursor.as_ref(), size(rows)).await.unwrap();
        assert!(page.items.len() <= usize::from(rows));
        assert!(page.scanned_to.is_none() || page.next_cursor.is_some());
        all.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
            None => return all,
        }
    }
}

fn ids(events: &[EventRecord]) -> Vec<String> {
    events.iter().map(|event| event.id.to_string()).collect()
}

/// Some users of some tenants with some agents, calls of some tools with all verdicts, some outcomes.
async fn write(fixture: &Fixture, log: &AuditLog, events: u64, salt: u64) {
    for number in 0..events {
        let pick = |from: &[&'static str], by: u64| {
            from[usize::try_from((number * 7 + salt + number / by) % from.len() as u64).unwrap()]
        };
        let tenant = pick(&["acme", "acme", "other"], 3);
        let user = pick(&["ada", "bob", "eve", "=mallory"], 5);
        let verdict = match number % 5 {
            0 => Verdict::Deny,
            1 => Verdict::Pending,
            _ => Verdict::Allow,
        };
        let caller = principal(tenant, user);
        let mut event = decision(&caller, fixture.now(), verdict);
        event.context.agent = Some(pick(&["developer_agent", "robot"], 2).parse().unwrap());
        event.context.session = Some(pick(&["s-1", "s-2", "s-3"], 4).parse().unwrap());
        event.context.context = Some(pick(&["c-1", "c-2"], 3).parse().unwrap());
        event.context.task = Some(pick(&["t-1", "t-2", "t-3"], 2).parse().unwrap());
        event.context.plugin = Some(pick(&["p-1", "p-2"], 7).parse().unwrap());
        if let AuditBody::Decision(body) = &mut event.body {
            body.tool = pick(&["Read", "Write", "search"], 6).into();
            body.server = (number % 3 > 0).then(|| "files".into());
            body.duration = Duration::from_micros(number % 50);
            body.arguments_bytes = number % 40;
        }
        let permit = event.id.into();
        log.append(event).await.unwrap();
        if verdict == Verdict::Allow && number % 2 == 0 {
            log.settle(permit, &caller, success()).await.unwrap();
        }
        // Some share an instant; sometimes the clock goes back.
        match number % 11 {
            0 => fixture.clock.step_wall(-3),
            1..=6 => fixture.clock.step_wall(1),
            _ => {}
        }
    }
    let detail = serde_json::json!({ "key": "k7q2", "why": "ROTATION 100%" });
    log.append(AuditEvent::system(fixture.now(), EventKind::KeyRevoked, detail)).await.unwrap();
}

fn cases(sample: &EventRecord, outcome: &EventRecord) -> Vec<Case> {
    fn text(
        set: impl Fn(&mut EventFilter, Option<String>),
        read: fn(&EventRecord) -> &Option<String>,
        value: &str,
    ) -> Case {
        let mut filter = EventFilter::default();
        set(&mut filter, Some(value.to_owned()));
        let value = value.to_owned();
        (filter, Box::new(move |event| read(event).as_deref() == Some(value.as_str())))
    }
    macro_rules! texts {
        ($($member:ident = $value:expr),* $(,)?) => {
            vec![$(text(|filter, value| filter.$member = value, |event| &event.$member, $value)),*]
        };
    }
    let mut cases = texts![
        call_id = sample.call_id.as_deref().unwrap(),
        session_id = "s-2",
        context_id = "c-1",
        task_id = "t-3",
        tenant_id = "other",
        user_id = "ada",
        user_id = "=mallory",
        user_id = "nobody",
        department = "research",
        credential_id = "key-bob",
        agent_id = "robot",
        plugin_id = "p-2",
        door = "api",
        user_agent = "curl/8.9.1",
        client_addr = "127.0.0.1",
        server = "files",
        tool = "Write",
        reason_code = "blocked",
        policy_version = "p-3f9a2b7c11d0e4a8",
        status = "success",
    ];
    let base = EventFilter::default;
    let (id, trace, permit) = (sample.id, sample.trace_id, outcome.permit_id);
    let digest = sample.arguments_digest;
    let call_digest = sample.call_digest;
    let result_digest = outcome.result_digest;
    let at = sample.occurred_at;
    let range = NumberRange { min: Some(10), max: Some(20) };
    let within = |number: Option<i64>| number.is_some_and(|it| (10..=20).contains(&it));
    let more: Vec<Case> = vec![
        (base(), Box::new(|_| true)),
        (EventFilter { id: Some(id), ..base() }, Box::new(move |it| it.id == id)),
        (EventFilter { trace_id: Some(trace), ..base() }, Box::new(move |it| it.trace_id == trace)),
        (EventFilter { permit_id: permit, ..base() }, Box::new(move |it| it.permit_id == permit)),
        (
            EventFilter { kind: Some(EventKind::Outcome), ..base() },
            Box::new(|it| it.kind == "outcome"),
        ),
        (
            EventFilter { kind: Some(EventKind::KeyRevoked), ..base() },
            Box::new(|it| it.kind == "key_revoked"),
        ),
        (
            EventFilter { decision: Some(Verdict::Pending), ..base() },
            Box::new(|it| it.decision.as_deref() == Some("pending")),
        ),
        (EventFilter { from: Some(at), ..base() }, Box::new(move |it| it.occurred_at >= at)),
        (EventFilter { to: Some(at), ..base() }, Box::new(move |it| it.occurred_at < at)),
        (EventFilter { origin: Some("elsewhere".into()), ..base() }, Box::new(|_| false)),
        (
            EventFilter {
                origin: Some(sample.origin.clone()),
                tool: Some("Read".into()),
                ..base()
            },
            Box::new({
                let origin = sample.origin.clone();
                move |it| it.tool.as_deref() == Some("Read") && it.origin == origin
            }),
        ),
        (
            EventFilter { actor: Some("assistant".into()), ..base() },
            Box::new(|it| it.actor_chain.is_some()),
        ),
        (EventFilter { actor: Some("assist".into()), ..base() }, Box::new(|_| false)),
        (
            EventFilter { arguments_digest: digest, ..base() },
            Box::new(move |it| it.arguments_digest == digest),
        ),
        (EventFilter { call_digest, ..base() }, Box::new(move |it| it.call_digest == call_digest)),
        (
            EventFilter { result_digest, ..base() },
            Box::new(move |it| it.result_digest == result_digest),
        ),
        (
            EventFilter { arguments_bytes: range, ..base() },
            Box::new(move |it| within(it.arguments_bytes)),
        ),
        (EventFilter { duration_us: range, ..base() }, Box::new(move |it| within(it.duration_us))),
        (EventFilter { duration_ms: range, ..base() }, Box::new(move |it| within(it.duration_ms))),
        (
            EventFilter { result_bytes: NumberRange { min: Some(4096), max: None }, ..base() },
            Box::new(|it| it.result_bytes.is_some()),
        ),
        (
            EventFilter { text: Some("BLOCKED by".into()), ..base() },
            Box::new(|it| it.reason.is_some()),
        ),
        (
            EventFilter { text: Some("rotation 100%".into()), ..base() },
            Box::new(|it| it.kind == "key_revoked"),
        ),
        (
            EventFilter { text: Some("%".into()), user_id: Some("ada".into()), ..base() },
            Box::new(|_| false),
        ),
        (
            EventFilter {
                user_id: Some("bob".into()),
                agent_id: Some("robot".into()),
                decision: Some(Verdict::Allow),
                from: Some(at),
                ..base()
            },
            Box::new(move |it| {
                it.user_id.as_deref() == Some("bob")
                    && it.agent_id.as_deref() == Some("robot")
                    && it.decision.as_deref() == Some("allow")
                    && it.occurred_at >= at
            }),
        ),
        (
            EventFilter { tenant_id: Some("acme".into()), to: Some(at), ..base() },
            Box::new(move |it| it.tenant_id.as_deref() == Some("acme") && it.occurred_at < at),
        ),
        (EventFilter { session_id: Some("' OR 1=1 --".into()), ..base() }, Box::new(|_| false)),
    ];
    cases.extend(more);
    cases
}

/// Checks every filter against all events, looked at one by one.
async fn check_all(fixture: &Fixture) {
    let reader = fixture.reader();
    let all = walk(&reader, &EventFilter::default(), 1000).await;
    assert!(all.is_sorted_by_key(|event| std::cmp::Reverse(event.occurred_at)));
    let stored = fixture.number("SELECT count(*) FROM audit_events").await;
    assert_eq!(all.len(), usize::try_from(stored).unwrap());
    let sample = all.iter().filter(|event| event.kind == "decision").nth(40).unwrap();
    let outcome = all.iter().find(|event| event.kind == "outcome").unwrap();
    for (filter, wanted) in cases(sample, outcome) {
        let expected: Vec<_> = all.iter().filter(|event| wanted(event)).cloned().collect();
        for rows in [7, 1000] {
            let found = walk(&reader, &filter, rows).await;
            assert_eq!(ids(&found), ids(&expected), "{rows} {filter:?}");
        }
        // A bound on what is read changes how it is found, not what.
        let limits = ReadLimits { rows: 23, ..ReadLimits::default() };
        let found = walk(&fixture.reader().limited(limits), &filter, 5).await;
        assert_eq!(ids(&found), ids(&expected), "bounded {filter:?}");
    }
}

#[tokio::test]
async fn every_filter_finds_what_it_names_without_an_index() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 120, 1).await;
    check_all(&fixture).await;
}

#[tokio::test]
async fn every_filter_finds_what_it_names_through_the_index() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 120, 2).await;
    assert!(log.index().await.unwrap() > 120);
    assert_eq!(log.index().await.unwrap(), 0);
    check_all(&fixture).await;
}

#[tokio::test]
async fn what_is_not_in_the_index_yet_is_found_all_the_same() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 60, 3).await;
    log.index().await.unwrap();
    // Another log, of which the index knows nothing.
    let mut options = fixture.options();
    options.origin = Some("replica-2".parse().unwrap());
    let other = AuditLog::open(&fixture.pool, options).await.unwrap();
    write(&fixture, &other, 40, 4).await;
    write(&fixture, &log, 40, 5).await;
    check_all(&fixture).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_through_the_index_are_exact_while_it_grows() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 200, 6).await;
    log.index().await.unwrap();
    let filter = EventFilter { user_id: Some("ada".into()), ..EventFilter::default() };
    let before: BTreeSet<_> =
        ids(&walk(&fixture.reader(), &filter, 1000).await).into_iter().collect();
    let events: Vec<_> = (0..150).map(|_| fixture.allow("ada")).collect();
    let writer = tokio::spawn({
        let log = log.clone();
        async move {
            for event in events {
                log.append(event).await.unwrap();
                log.index().await.unwrap();
            }
        }
    });
    let reader = fixture.reader();
    while !writer.is_finished() {
        let found = ids(&walk(&reader, &filter, 9).await);
        let distinct: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(distinct.len(), found.len(), "an event was shown twice");
        assert!(distinct.is_superset(&before), "an event was left out");
    }
    writer.await.unwrap();
    assert_eq!(walk(&reader, &filter, 1000).await.len(), before.len() + 150);
}

#[tokio::test]
async fn a_page_that_has_read_enough_says_how_far_it_came() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let rare = fixture.allow("rare");
    let rare_id = rare.id;
    log.append(rare).await.unwrap();
    for _ in 0..50 {
        fixture.clock.advance(Duration::from_secs(1));
        log.append(fixture.allow("ada")).await.unwrap();
    }
    let newest = fixture.now();
    let limits = ReadLimits { rows: 20, ..ReadLimits::default() };
    let filter = EventFilter { credential_id: Some("key-rare".into()), ..EventFilter::default() };
    for indexed in [false, true] {
        if indexed {
            log.index().await.unwrap();
        }
        let reader = fixture.reader().limited(limits);
        // With a tenant the index leads; without one the events themselves do.
        for tenant_id in [None, Some("acme".to_owned())] {
            let filter = EventFilter { tenant_id, ..filter.clone() };
            let page = reader.decisions(&ReadScope::All, &filter, None, size(10)).await.unwrap();
            assert!(page.items.is_empty());
            assert_eq!(page.scanned_to, Some(newest.before(Duration::from_secs(19))));
            let next = page.next_cursor.unwrap();
            let page =
                reader.decisions(&ReadScope::All, &filter, Some(&next), size(10)).await.unwrap();
            assert_eq!(page.scanned_to, Some(newest.before(Duration::from_secs(39))));
            let next = page.next_cursor.unwrap();
            let page =
                reader.decisions(&ReadScope::All, &filter, Some(&next), size(10)).await.unwrap();
            assert_eq!(page.items.iter().map(|it| it.id).collect::<Vec<_>>(), [rare_id]);
            assert_eq!((page.scanned_to, page.next_cursor), (None, None));
        }
        // The index finds the one event at once.
        let filter = EventFilter { user_id: Some("rare".into()), ..EventFilter::default() };
        let page = reader.decisions(&ReadScope::All, &filter, None, size(10)).await.unwrap();
        assert_eq!(page.items.len(), usize::from(indexed));
    }
}

#[tokio::test]
async fn an_index_of_another_database_is_not_believed() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 40, 7).await;
    log.index().await.unwrap();
    log.close().await;
    let other = Fixture::sqlite().await;
    let log = other.log().await;
    write(&other, &log, 60, 8).await;
    let index = |fixture: &Fixture| fixture.path().with_file_name("audit.db-index");
    for suffix in ["", "-wal"] {
        let name = |fixture: &Fixture| {
            let mut name = index(fixture).into_os_string();
            name.push(suffix);
            name
        };
        if std::fs::exists(name(&fixture)).unwrap() {
            std::fs::copy(name(&fixture), name(&other)).unwrap();
        }
    }
    check_all(&other).await;
    assert!(log.index().await.unwrap() > 60, "the index was made anew");
    check_all(&other).await;
}

#[tokio::test]
async fn the_index_may_be_deleted() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    write(&fixture, &log, 50, 9).await;
    log.index().await.unwrap();
    let index = fixture.folder.path().join("audit.db-index");
    std::fs::remove_file(&index).unwrap();
    // What SQLite leaves beside a database that is torn away from it.
    std::fs::write(fixture.folder.path().join("audit.db-index-wal"), "old").unwrap();
    check_all(&fixture).await;
    assert!(log.index().await.unwrap() > 50);
    check_all(&fixture).await;
}

#[tokio::test]
async fn the_index_is_kept_up_in_the_background() {
    let fixture = Fixture::sqlite().await;
    let mut options = fixture.options();
    options.index_interval = Duration::from_millis(1);
    let log = AuditLog::open(&fixture.pool, options).await.unwrap();
    write(&fixture, &log, 10, 10).await;
    // Another indexer finds nothing left to do sooner or later.
    tokio::time::timeout(Duration::from_secs(30), async {
        while log.index().await.unwrap() > 0 {}
    })
    .await
    .unwrap();
    log.close().await;
}

#[tokio::test]
async fn calls_come_with_their_outcomes_oldest_first() {
    let fixture = Fixture::sqlite().await;
    let log = fixture.log().await;
    let first = fixture.allow("ada");
    let permit = first.id.into();
    log.append(first).await.unwrap();
    fixture.clock.advance(Duration::from_secs(1));
    let denied = decision(&principal("acme", "ada"), fixture.now(), Verdict::Deny);
    log.append(denied).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let filter = EventFilter { session_id: Some("session-1".into()), ..EventFilter::default() };
    let calls = fixture.reader().calls(&ReadScope::All, &filter, size(10)).await.unwrap();
    assert_eq!(calls.items.len(), 2);
    assert!(calls.items[0].missing.is_empty());
    assert_eq!(calls.items[0].points.result.as_ref().unwrap()["result_bytes"], 4096);
    assert_eq!(calls.items[1].missing.len(), 2);
    assert!(calls.items[0].decided_at < calls.items[1].decided_at);
    let one = fixture.reader().calls(&ReadScope::All, &filter, size(1)).await.unwrap();
    assert_eq!(one.items[0].decided_at, calls.items[1].decided_at);
    assert!(one.next_cursor.is_some());
}

#[test]
fn filters_are_set_by_name() {
    let now = "2026-11-22T20:15:00Z".parse().unwrap();
    let mut filter = EventFilter::default();
    for (name, value) in [
        ("user", "ada"),
        ("kind", "decision"),
        ("from", "2h"),
        ("decision", "deny"),
        ("duration_ms_min", "500"),
        ("q", "blocked"),
        ("tool", "mcp__files__Read"),
    ] {
        filter.set(name, value, now).unwrap();
    }
    filter.split_tool();
    let expected = EventFilter {
        user_id: Some("ada".into()),
        kind: Some(EventKind::Decision),
        from: Some("2026-11-22T18:15:00Z".parse().unwrap()),
        decision: Some(Verdict::Deny),
        duration_ms: NumberRange { min: Some(500), max: None },
        text: Some("blocked".into()),
        server: Some("files".into()),
        tool: Some("Read".into()),
        ..EventFilter::default()
    };
    assert_eq!(filter, expected);
    for name in ["", "leaf_hash", "duration_ms", "duration_ms_mid", "min", "tool_min"] {
        assert_eq!(filter.set(name, "1", now), Err(FilterError::Unknown), "{name}");
    }
    for (name, value) in [
        ("kind", "x"),
        ("decision", "maybe"),
        ("from", "soon"),
        ("q", "x"),
        ("trace_id", "abc"),
        ("call_digest", "abc"),
        ("result_bytes_max", "many"),
    ] {
        let set = filter.set(name, value, now);
        assert!(matches!(set, Err(FilterError::Value { .. })), "{name}");
    }
}
