//! Sums over the log, against the same sums made by hand.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use systemprompt_audit::analytics::{
    Analytics, Cell, Dimension, Step, Subject, UsageQuery, UsageReport,
};
use systemprompt_audit::{QueryError, ReadScope};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::event::{
    AiRequest, AiRequestStatus, AuditBody, AuditEvent, EventSubject, TokenUsage, Verdict,
};
use systemprompt_core::id::{AiRequestId, EventId, TraceId};
use systemprompt_core::money::Microdollars;

use crate::fixture::{Fixture, decision, on_both, principal};

on_both! {
    #[tokio::test]
    money_that_does_not_fit_is_an_error_and_no_number;
    #[tokio::test]
    a_report_is_csv_without_formulas;
    #[tokio::test]
    rows_are_ordered_and_bounded_and_trends_go_over_the_time_asked_for;
    #[tokio::test]
    the_view_shows_requests_as_columns;
}

const TENANTS: [&str; 2] = ["acme", "other"];
const USERS: [&str; 3] = ["ada", "bob", "=eve"];
const AGENTS: [&str; 2] = ["developer_agent", "robot"];
const TOOLS: [&str; 3] = ["Read", "Write", "search"];
const MODELS: [&str; 3] = ["sonnet", "mini", "flash"];

/// Something that happens, as numbers that pick from the lists above.
#[derive(Debug, Clone)]
struct Happening {
    model: bool,
    tenant: usize,
    user: usize,
    agent: usize,
    what: usize,
    end: usize,
    /// Milliseconds, tokens and microdollars alike.
    amount: u64,
    hours: u64,
}

fn happening() -> impl Strategy<Value = Happening> {
    (
        any::<bool>(),
        0..2_usize,
        0..3_usize,
        0..2_usize,
        0..3_usize,
        0..6_usize,
        0..5_000_u64,
        0..40_u64,
    )
        .prop_map(|(model, tenant, user, agent, what, end, amount, hours)| Happening {
            model,
            tenant,
            user,
            agent,
            what,
            end,
            amount,
            hours,
        })
}

fn request(at: Timestamp, it: &Happening) -> AuditEvent {
    let mut event = decision(&principal(TENANTS[it.tenant], USERS[it.user]), at, Verdict::Deny);
    event.context.agent = Some(AGENTS[it.agent].parse().unwrap());
    event.body = ai_request(it).into();
    event
}

fn ai_request(it: &Happening) -> AiRequest {
    let status = match it.end {
        0 => AiRequestStatus::Failed,
        1 => AiRequestStatus::Timeout,
        _ => AiRequestStatus::Success,
    };
    AiRequest {
        request_id: AiRequestId::generate(),
        provider: "anthropic".to_owned(),
        model: MODELS[it.what].to_owned(),
        requested_model: None,
        tool: (it.end == 3).then(|| "search".to_owned()),
        status,
        error_code: None,
        streamed: false,
        tokens: TokenUsage {
            input: it.amount,
            cached_input: it.amount / 2,
            cache_write: 1,
            output: it.amount / 3,
        },
        cost_microdollars: Microdollars::new(i64::try_from(it.amount).unwrap()),
        priced: it.end != 4,
        latency_ms: it.amount,
        first_token_ms: None,
        detail: Default::default(),
    }
}

/// What one happening adds: the figures by their column, and how long it took.
type Sums = BTreeMap<&'static str, u64>;

struct Counted {
    at: Timestamp,
    it: Happening,
    sums: Sums,
    duration: Option<u64>,
}

async fn happen(fixture: &Fixture, happenings: Vec<Happening>) -> Vec<Counted> {
    let log = fixture.log().await;
    let mut counted = Vec::new();
    for it in happenings {
        fixture.clock.advance(Duration::from_secs(it.hours * 3_600 + 7));
        let at = fixture.now();
        let mut sums = Sums::new();
        let mut duration = None;
        if it.model {
            log.append(request(at, &it)).await.unwrap();
            sums.insert("requests", 1);
            sums.insert("failed_requests", u64::from(it.end < 2));
            sums.insert("unpriced", u64::from(it.end == 4));
            sums.insert("input_tokens", it.amount);
            sums.insert("cached_input_tokens", it.amount / 2);
            sums.insert("cache_write_tokens", 1);
            sums.insert("output_tokens", it.amount / 3);
            sums.insert("cost_microdollars", it.amount);
        } else {
            let caller = principal(TENANTS[it.tenant], USERS[it.user]);
            let verdict = match it.end {
                0 => Verdict::Deny,
                1 => Verdict::Pending,
                _ => Verdict::Allow,
            };
            let mut event = decision(&caller, at, verdict);
            event.context.agent = Some(AGENTS[it.agent].parse().unwrap());
            if let AuditBody::Decision(body) = &mut event.body {
                body.tool = TOOLS[it.what].into();
            }
            let permit = event.id.into();
            log.append(event).await.unwrap();
            sums.insert("calls", 1);
            let verdict = ["denied", "pending", "allowed"][it.end.min(2)];
            sums.insert(verdict, 1);
            let status = match it.end {
                3 => Some((OutcomeStatus::Success, "success")),
                4 => Some((OutcomeStatus::Failed, "failed")),
                5 => Some((OutcomeStatus::Timeout, "timeout")),
                _ => None,
            };
            if let Some((status, column)) = status {
                let outcome = Outcome::new(status, Duration::from_millis(it.amount));
                log.settle(permit, &caller, outcome).await.unwrap();
                sums.insert(column, 1);
                duration = Some(it.amount);
            }
        }
        counted.push(Counted { at, it, sums, duration });
    }
    log.close().await;
    counted
}

fn key(dimension: Dimension, of: &Counted) -> Option<String> {
    let it = &of.it;
    let text = |text: &str| Some(text.to_owned());
    match dimension {
        Dimension::Provider => it.model.then(|| "anthropic".to_owned()),
        Dimension::Model => it.model.then(|| MODELS[it.what].to_owned()),
        Dimension::Agent => text(AGENTS[it.agent]),
        Dimension::User => text(USERS[it.user]),
        Dimension::Department => text("research"),
        Dimension::Tool if it.model => (it.end == 3).then(|| "search".to_owned()),
        Dimension::Tool => Some(format!("mcp__files__{}", TOOLS[it.what])),
        Dimension::Tenant => text(TENANTS[it.tenant]),
        // What waits for approval has a reason too.
        Dimension::Reason => (!it.model && it.end < 2).then(|| "blocked".to_owned()),
        Dimension::Hour => Some(format!("{}:00Z", &of.at.to_string()[..13])),
        Dimension::Day => text(&of.at.to_string()[..10]),
        Dimension::Month => text(&of.at.to_string()[..7]),
    }
}

/// Whether the subject counts it.
fn counts(subject: Subject, it: &Happening) -> bool {
    match subject {
        Subject::Costs | Subject::Requests => it.model,
        Subject::Tools => !it.model,
        Subject::Agents | Subject::Overview => true,
    }
}

/// The same sums, made one event after the other.
fn check(report: &UsageReport, query: &UsageQuery, counted: &[Counted], tenant: Option<&str>) {
    let mut groups: BTreeMap<Vec<Option<String>>, (Sums, Vec<u64>)> = BTreeMap::new();
    for one in counted {
        let wanted = counts(query.subject, &one.it)
            && tenant.is_none_or(|tenant| tenant == TENANTS[one.it.tenant])
            && query.from.is_none_or(|from| one.at >= from)
            && query.to.is_none_or(|to| one.at < to);
        if !wanted {
            continue;
        }
        let key = query.by.iter().map(|dimension| key(*dimension, one)).collect();
        let (sums, durations) = groups.entry(key).or_default();
        for (name, more) in &one.sums {
            *sums.entry(name).or_default() += more;
        }
        durations.extend(one.duration);
    }
    assert_eq!(report.rows.len(), groups.len(), "{query:?} {:?}", report.rows);
    let names = report.columns();
    let mut totals = Sums::new();
    for row in &report.rows {
        let (sums, durations) = groups.get_mut(&row.key).unwrap();
        for (name, cell) in names.iter().zip(report.cells(row)).skip(query.by.len()) {
            let number = match cell {
                Cell::Number(number) => number,
                Cell::Money(amount) => u64::try_from(amount.get()).unwrap(),
                Cell::Empty | Cell::Text(_) => continue,
            };
            if name.ends_with("_ms") {
                continue;
            }
            assert_eq!(
                number,
                sums.get(name).copied().unwrap_or_default(),
                "{name} of {:?}",
                row.key
            );
            *totals.entry(name).or_default() += number;
        }
        durations.sort_unstable();
        let rank = |percent: usize| durations[(durations.len() * percent).div_ceil(100) - 1];
        match row.figures.latency {
            None => assert!(durations.is_empty()),
            Some(latency) => {
                let expected = [rank(50), rank(95), rank(99), *durations.last().unwrap()];
                let latency = [latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms];
                assert_eq!(latency, expected);
            }
        }
    }
    for (name, cell) in names.iter().zip(report.total_cells()).skip(query.by.len()) {
        match cell {
            Cell::Number(number) if !name.ends_with("_ms") => {
                assert_eq!(number, totals.get(name).copied().unwrap_or_default())
            }
            Cell::Money(amount) => {
                assert_eq!(
                    u64::try_from(amount.get()).unwrap(),
                    totals.get(name).copied().unwrap_or_default()
                );
            }
            _ => {}
        }
    }
    let denied = report.total.denials.values().sum::<u64>();
    assert_eq!(denied, report.total.calls.denied);
    let trend: u64 = report.trend.values.iter().sum();
    let main = match query.subject {
        Subject::Costs => u64::try_from(report.total.cost_microdollars.get()).unwrap(),
        Subject::Requests => report.total.requests.total,
        _ => report.total.calls.total(),
    };
    assert_eq!(trend, main);
    for (at, value) in report.trend.values.iter().enumerate() {
        assert_eq!(*value, report.rows.iter().map(|row| row.trend[at]).sum::<u64>());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_made_by_hand(
        happenings in prop::collection::vec(happening(), 1..30),
        dimensions in prop::sample::subsequence(Dimension::ALL.to_vec(), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::sqlite().await;
            let counted = happen(&fixture, happenings).await;
            let analytics = Analytics::new(fixture.reader());
            let instant = counted[cut.index(counted.len())].at;
            for subject in Subject::ALL {
                for by in [dimensions.clone(), subject.default_by()] {
                    let base = UsageQuery { by, ..UsageQuery::new(subject) };
                    for query in [
                        base.clone(),
                        UsageQuery { from: Some(instant), ..base.clone() },
                        UsageQuery { to: Some(instant), ..base.clone() },
                    ] {
                        let all = analytics.usage(&ReadScope::All, &query).await.unwrap();
                        check(&all, &query, &counted, None);
                    }
                    let scope = ReadScope::Tenant("acme".parse().unwrap());
                    let ours = analytics.usage(&scope, &base).await.unwrap();
                    check(&ours, &base, &counted, Some("acme"));
                }
            }
        });
    }
}

fn one(amount: u64) -> Happening {
    Happening { model: true, tenant: 0, user: 2, agent: 0, what: 0, end: 2, amount, hours: 0 }
}

async fn money_that_does_not_fit_is_an_error_and_no_number(fixture: Fixture) {
    let log = fixture.log().await;
    for user in ["ada", "bob"] {
        let mut request = ai_request(&one(1));
        request.cost_microdollars = Microdollars::new(i64::MAX - 1);
        let event = AuditEvent {
            id: EventId::generate(),
            occurred_at: fixture.now(),
            trace_id: TraceId::generate(),
            subject: Some(EventSubject::from(&principal("acme", user))),
            context: Default::default(),
            body: request.into(),
        };
        log.append(event).await.unwrap();
    }
    let analytics = Analytics::new(fixture.reader());
    let query = UsageQuery { by: vec![Dimension::User], ..UsageQuery::new(Subject::Costs) };
    let sum = analytics.usage(&ReadScope::All, &query).await;
    assert!(matches!(sum, Err(QueryError::Overflow)), "{sum:?}");
}

async fn a_report_is_csv_without_formulas(fixture: Fixture) {
    happen(&fixture, vec![one(120), one(30)]).await;
    let query = UsageQuery {
        by: vec![Dimension::User, Dimension::Model],
        ..UsageQuery::new(Subject::Costs)
    };
    let report = Analytics::new(fixture.reader()).usage(&ReadScope::All, &query).await.unwrap();
    assert_eq!(
        report.to_csv(),
        "user,model,requests,failed_requests,input_tokens,cached_input_tokens,cache_write_tokens,\
         output_tokens,unpriced,cost_microdollars\r\n'=eve,sonnet,2,0,150,75,2,50,0,150\r\n"
    );
}

async fn rows_are_ordered_and_bounded_and_trends_go_over_the_time_asked_for(fixture: Fixture) {
    let start = fixture.now();
    let mut happenings: Vec<_> =
        (0..3).map(|what| Happening { what, ..one(10 * (what as u64 + 1)) }).collect();
    happenings[2].hours = 5;
    happen(&fixture, happenings).await;
    let analytics = Analytics::new(fixture.reader());
    let query = UsageQuery { limit: 2, from: Some(start), ..UsageQuery::new(Subject::Costs) };
    let report = analytics.usage(&ReadScope::All, &query).await.unwrap();
    let models: Vec<_> = report.rows.iter().map(|row| row.key[0].clone().unwrap()).collect();
    assert_eq!(models, ["flash", "mini"]);
    assert!(report.truncated);
    assert_eq!(report.total.cost_microdollars, Microdollars::new(60));
    assert_eq!(report.trend.step, Step::Hour);
    assert_eq!(report.trend.values, [30, 0, 0, 0, 0, 30]);
    assert_eq!(report.trend.first.as_deref(), Some("2026-11-22T20:00Z"));
    assert_eq!(report.rows[0].trend, [0, 0, 0, 0, 0, 30]);
    let query = UsageQuery { by: vec![Dimension::Hour], ..query };
    let report = analytics.usage(&ReadScope::All, &query).await.unwrap();
    let hours: Vec<_> = report.rows.iter().map(|row| row.key[0].clone().unwrap()).collect();
    assert_eq!(hours, ["2026-11-22T20:00Z", "2026-11-23T01:00Z"]);
    let nothing = UsageQuery { to: Some(start), ..UsageQuery::new(Subject::Overview) };
    let report = analytics.usage(&ReadScope::All, &nothing).await.unwrap();
    assert!(report.rows.is_empty() && report.trend.values.is_empty());
}

async fn the_view_shows_requests_as_columns(fixture: Fixture) {
    happen(&fixture, vec![one(120)]).await;
    let row = "SELECT occurred_at || ' ' || user_id || ' ' || agent_id || ' ' || provider || ' ' || model \
               || ' ' || requested_model || ' ' || status || ' ' || input_tokens || ' ' \
               || cached_input_tokens || ' ' || cache_write_tokens || ' ' || output_tokens || ' ' \
               || cost_microdollars || ' ' || CAST(priced AS INTEGER) || ' ' || latency_ms FROM ai_requests";
    assert_eq!(
        fixture.text(row).await.as_deref(),
        Some(
            "2026-11-22T20:15:07.000000Z =eve developer_agent anthropic sonnet sonnet success 120 60 1 40 \
             120 1 120"
        )
    );
}
