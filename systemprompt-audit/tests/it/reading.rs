use std::collections::BTreeSet;
use std::time::Duration;

use systemprompt_audit::{Cursor, EventFilter, Named, PageSize, Point, ReadScope};
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::event::{AuditEvent, Verdict};
use systemprompt_core::id::TraceId;

use crate::fixture::{Fixture, decision, on_both, principal, success};

fn size(rows: u16) -> PageSize {
    PageSize::new(rows).unwrap()
}

on_both! {
    #[tokio::test]
    a_trace_says_which_points_are_missing;
    #[tokio::test]
    a_trace_of_several_calls_keeps_them_apart;
    #[tokio::test]
    tenants_do_not_see_each_other;
    #[tokio::test]
    filters_find_what_they_name;
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    pages_show_each_row_once_while_others_are_written;
    #[tokio::test]
    prefixes_find_calls_sessions_and_traces;
    #[tokio::test]
    of_a_long_trace_the_newest_events_are_shown_and_that_it_is_cut;
}

async fn a_trace_says_which_points_are_missing(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let (permit, trace) = (event.id.into(), event.trace_id);
    log.append(event).await.unwrap();
    let reader = fixture.reader();
    let read = reader.trace(&ReadScope::All, trace).await.unwrap().unwrap();
    assert_eq!(read.missing, [Point::ToolExecution, Point::Result]);
    assert!(read.points.tool_execution.is_none());
    assert_eq!(read.points.identity.as_ref().unwrap()["user_id"], "ada");
    assert_eq!(read.points.agent_context.as_ref().unwrap()["agent_id"], "developer_agent");
    assert_eq!(read.points.permissions.as_ref().unwrap()["decision"], "allow");
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let read = reader.trace(&ReadScope::All, trace).await.unwrap().unwrap();
    assert!(read.missing.is_empty());
    assert_eq!(read.points.result.as_ref().unwrap()["status"], "success");
    assert_eq!(read.events.len(), 2);
    assert!(reader.trace(&ReadScope::All, TraceId::generate()).await.unwrap().is_none());
}

async fn a_trace_of_several_calls_keeps_them_apart(fixture: Fixture) {
    let log = fixture.log().await;
    let first = fixture.allow("ada");
    fixture.clock.advance(Duration::from_secs(1));
    let second = AuditEvent { trace_id: first.trace_id, ..fixture.allow("ada") };
    let (trace, permit) = (first.trace_id, first.id.into());
    let calls = [first.context.call_id.clone(), second.context.call_id.clone()];
    log.append_all(vec![first, second]).await.unwrap();
    log.settle(permit, &principal("acme", "ada"), success()).await.unwrap();
    let read = fixture.reader().trace(&ReadScope::All, trace).await.unwrap().unwrap();
    let read_calls: Vec<_> = read.calls.iter().map(|call| call.call_id.clone()).collect();
    assert_eq!(read_calls, calls.map(|call| call.map(|call| call.to_string())));
    assert!(read.calls[0].missing.is_empty());
    assert_eq!(read.calls[1].missing, [Point::ToolExecution, Point::Result]);
    assert_eq!(read.missing, [Point::ToolExecution, Point::Result]);
}

async fn tenants_do_not_see_each_other(fixture: Fixture) {
    let log = fixture.log().await;
    let ours = fixture.allow("ada");
    let theirs = decision(&principal("other", "eve"), fixture.now(), Verdict::Allow);
    let (our_trace, their_trace) = (ours.trace_id, theirs.trace_id);
    log.append_all(vec![ours, theirs]).await.unwrap();
    let reader = fixture.reader();
    let scope = ReadScope::from(&principal("acme", "ada"));
    assert!(reader.trace(&scope, our_trace).await.unwrap().is_some());
    assert!(reader.trace(&scope, their_trace).await.unwrap().is_none());
    let filter = EventFilter::default();
    let page = reader.decisions(&scope, &filter, None, size(10)).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let all = reader.decisions(&ReadScope::All, &filter, None, size(10)).await.unwrap();
    assert_eq!(all.items.len(), 2);
    assert_eq!(reader.tail(&scope, log.origin(), 0, size(10)).await.unwrap().len(), 1);
}

async fn filters_find_what_they_name(fixture: Fixture) {
    let log = fixture.log().await;
    let ada = principal("acme", "ada");
    let allowed = fixture.allow("ada");
    fixture.clock.advance(Duration::from_secs(60));
    let middle = fixture.now();
    let denied = decision(&ada, middle, Verdict::Deny);
    fixture.clock.advance(Duration::from_secs(60));
    let bob = fixture.allow("bob");
    let ids = [allowed.id, denied.id, bob.id];
    let trace = allowed.trace_id;
    log.append_all(vec![allowed, denied, bob]).await.unwrap();
    let base = EventFilter::default;
    let cases = [
        (base(), vec![2, 1, 0]),
        (EventFilter { trace_id: Some(trace), ..base() }, vec![0]),
        (EventFilter { user_id: Some("ada".into()), ..base() }, vec![1, 0]),
        (EventFilter { decision: Some(Verdict::Deny), ..base() }, vec![1]),
        (EventFilter { reason_code: Some("blocked".into()), ..base() }, vec![1]),
        (EventFilter { from: Some(middle), ..base() }, vec![2, 1]),
        (EventFilter { to: Some(middle), ..base() }, vec![0]),
        (
            EventFilter { tool: Some("Read".into()), server: Some("files".into()), ..base() },
            vec![2, 1, 0],
        ),
        (EventFilter { tool: Some("Write".into()), ..base() }, vec![]),
        (EventFilter { agent_id: Some("developer_agent".into()), ..base() }, vec![2, 1, 0]),
        (EventFilter { session_id: Some("' OR 1=1 --".into()), ..base() }, vec![]),
        (EventFilter { credential_id: Some("key-bob".into()), ..base() }, vec![2]),
        (EventFilter { policy_version: Some("p-other".into()), ..base() }, vec![]),
    ];
    for (filter, expected) in cases {
        let page =
            fixture.reader().decisions(&ReadScope::All, &filter, None, size(10)).await.unwrap();
        let found: Vec<_> = page.items.iter().map(|event| event.id).collect();
        let expected: Vec<_> = expected.into_iter().map(|at: usize| ids[at]).collect();
        assert_eq!(found, expected, "{filter:?}");
        assert!(page.next_cursor.is_none());
    }
}

async fn pages_show_each_row_once_while_others_are_written(fixture: Fixture) {
    let log = fixture.log().await;
    let mut before = BTreeSet::new();
    for at in 0..95 {
        let event = fixture.allow("ada");
        before.insert(event.id);
        log.append(event).await.unwrap();
        // Some share an instant, so that the place must break the tie.
        if at % 10 == 0 {
            fixture.clock.advance(Duration::from_micros(1));
        }
    }
    let writer = tokio::spawn({
        let events: Vec<_> = (0..200).map(|_| fixture.allow("bob")).collect();
        let log = log.clone();
        async move {
            for event in events {
                log.append(event).await.unwrap();
            }
        }
    });
    let filter = EventFilter { user_id: Some("ada".into()), ..EventFilter::default() };
    let mut seen = Vec::new();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = fixture
            .reader()
            .decisions(&ReadScope::All, &filter, cursor.as_ref(), size(10))
            .await
            .unwrap();
        assert!(
            page.items.is_sorted_by_key(|event| std::cmp::Reverse((event.occurred_at, event.seq)))
        );
        seen.extend(page.items.into_iter().map(|event| event.id));
        // A cursor goes over the wire as text.
        match page.next_cursor {
            Some(next) => cursor = Some(next.to_string().parse().unwrap()),
            None => break,
        }
    }
    writer.await.unwrap();
    assert_eq!(seen.len(), 95);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), before);
}

async fn prefixes_find_calls_sessions_and_traces(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let trace = event.trace_id;
    let call = event.context.call_id.clone().unwrap().to_string();
    log.append(event).await.unwrap();
    let reader = fixture.reader();
    let cases = [
        (call[..10].to_owned(), Named::Call(call.clone())),
        (call.clone(), Named::Call(call.clone())),
        ("session".to_owned(), Named::Session("session-1".to_owned())),
        (trace.to_string()[..15].to_owned(), Named::Trace(trace)),
        (trace.to_string(), Named::Trace(trace)),
    ];
    for (prefix, expected) in cases {
        let found = reader.named(&ReadScope::All, &prefix, size(5)).await.unwrap();
        assert_eq!(found, [expected], "{prefix}");
    }
    let scope = ReadScope::from(&principal("other", "eve"));
    assert!(reader.named(&scope, "session", size(5)).await.unwrap().is_empty());
    for prefix in ["nothing", "%", "sess_on", "g", &"0".repeat(33)] {
        let found = reader.named(&ReadScope::All, prefix, size(5)).await.unwrap();
        assert!(found.is_empty(), "{prefix}");
    }
}

#[test]
fn foreign_cursors_are_refused() {
    for text in ["", "abc", "zz", &"0".repeat(47), &"0".repeat(50), "' OR 1=1"] {
        assert!(text.parse::<Cursor>().is_err(), "{text}");
    }
}

async fn of_a_long_trace_the_newest_events_are_shown_and_that_it_is_cut(fixture: Fixture) {
    let log = fixture.log().await;
    let first = fixture.allow("ada");
    let (trace, oldest) = (first.trace_id, first.id);
    log.append(first).await.unwrap();
    fixture.clock.advance(Duration::from_secs(1));
    let event = || AuditEvent { trace_id: trace, ..fixture.allow("ada") };
    log.append_all((0..9_999).map(|_| event()).collect()).await.unwrap();
    let read = fixture.reader().trace(&ReadScope::All, trace).await.unwrap().unwrap();
    assert_eq!((read.events.len(), read.events[0].id, read.truncated), (10_000, oldest, false));
    log.append(event()).await.unwrap();
    let read = fixture.reader().trace(&ReadScope::All, trace).await.unwrap().unwrap();
    assert_eq!((read.events.len(), read.truncated), (10_000, true));
    assert!(read.events.iter().all(|event| event.id != oldest));
}
