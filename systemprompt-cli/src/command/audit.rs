//! `audit decisions`, `audit trace`, `audit tail`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_audit::{
    AuditReader, DecisionFilter, EventRecord, FivePointTrace, Origin, PageSize, ReadScope,
    TracedCall,
};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::Verdict;
use systemprompt_core::id::TraceId;

use crate::args::{AuditCommand, DecisionsArgs, VerdictArg};
use crate::failure::Failure;
use crate::output::{Output, plain};
use crate::session::Session;

/// Whoever runs the command line on the database sees all of it.
const SCOPE: ReadScope = ReadScope::All;

pub(crate) async fn run(
    command: &AuditCommand,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let reader = AuditReader::new(session.database.clone());
    match command {
        AuditCommand::Decisions(args) => decisions(args, &reader, output).await,
        AuditCommand::Trace { id } => trace(id, &reader, output).await,
        AuditCommand::Tail { lines, follow } => tail(*lines, *follow, &reader, output).await,
        // They need no session.
        AuditCommand::Verify(_)
        | AuditCommand::Prove(_)
        | AuditCommand::VerifyProof(_)
        | AuditCommand::RotateKey { .. } => Ok(()),
    }
}

async fn decisions(
    args: &DecisionsArgs,
    reader: &AuditReader,
    output: Output,
) -> Result<(), Failure> {
    let filter = filter(args)?;
    let cursor = args.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|error| Failure::usage(format!("--cursor: {error}")))?;
    let size = page_size(args.limit)?;
    let page = reader
        .decisions(&SCOPE, &filter, cursor.as_ref(), size)
        .await
        .map_err(Failure::database)?;
    if output.is_json() {
        let answer = json!({ "decisions": page.items, "next_cursor": page.next_cursor });
        return output.value(&answer);
    }
    output.rows(
        &["time", "user", "agent", "tool", "decision", "reason", "trace"],
        &page.items,
        |event| {
            vec![
                event.occurred_at.to_string(),
                text(event.user_id.as_ref()),
                text(event.agent_id.as_ref()),
                tool(event),
                text(event.decision.as_ref()),
                text(event.reason_code.as_ref()),
                event.trace_id.to_string(),
            ]
        },
    )?;
    if let Some(next) = page.next_cursor {
        output.note(&format!("more with --cursor {next}"));
    }
    Ok(())
}

fn filter(args: &DecisionsArgs) -> Result<DecisionFilter, Failure> {
    let instant = |name: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(str::parse::<Timestamp>).transpose();
        parsed.map_err(|error| Failure::usage(format!("{name}: {error}")))
    };
    let trace = args.trace.as_deref().map(str::parse::<TraceId>).transpose();
    Ok(DecisionFilter {
        trace_id: trace.map_err(|error| Failure::usage(format!("--trace: {error}")))?,
        from: instant("--from", &args.from)?,
        to: instant("--to", &args.to)?,
        user_id: args.user.clone(),
        agent_id: args.agent.clone(),
        tool: args.tool.clone(),
        decision: args.decision.map(|verdict| match verdict {
            VerdictArg::Allow => Verdict::Allow,
            VerdictArg::Deny => Verdict::Deny,
            VerdictArg::Pending => Verdict::Pending,
        }),
        ..DecisionFilter::default()
    })
}

async fn trace(id: &str, reader: &AuditReader, output: Output) -> Result<(), Failure> {
    let trace = reader
        .trace(&SCOPE, find_trace(id, reader).await?)
        .await
        .map_err(Failure::database)?
        .ok_or_else(|| Failure::not_found(format!("there is no trace `{}`", plain(id))))?;
    if output.is_json() { output.value(&trace) } else { output.text(&timeline(&trace)) }
}

/// The one trace that `id` names, wholly or by its beginning.
async fn find_trace(id: &str, reader: &AuditReader) -> Result<TraceId, Failure> {
    if let Ok(trace) = id.parse() {
        return Ok(trace);
    }
    let traces =
        reader.traces_by_prefix(&SCOPE, id, page_size(11)?).await.map_err(Failure::database)?;
    match traces.as_slice() {
        [] => Err(Failure::not_found(format!("nothing begins with `{}`", plain(id)))),
        [trace] => Ok(*trace),
        several => {
            let names: Vec<_> = several.iter().take(10).map(ToString::to_string).collect();
            Err(Failure::usage(format!(
                "`{}` begins several traces, the newest first: {}",
                plain(id),
                names.join(", ")
            )))
        }
    }
}

/// The trace as a person reads it: one block per call, one line per point.
fn timeline(trace: &FivePointTrace) -> String {
    let mut text = format!("trace {}\n", trace.trace_id);
    for call in &trace.calls {
        text.push_str(&block(call));
    }
    for event in trace.events.iter().filter(|e| !matches!(&*e.kind, "decision" | "outcome")) {
        text.push_str(&format!("\n{} {}\n", event.occurred_at, plain(&event.kind)));
    }
    text
}

fn block(call: &TracedCall) -> String {
    let points = &call.points;
    let lines = [
        ("identity", &points.identity),
        ("agent context", &points.agent_context),
        ("permissions", &points.permissions),
        ("tool execution", &points.tool_execution),
        ("result", &points.result),
    ];
    let mut text = format!("\ncall {}\n", plain(call.call_id.as_deref().unwrap_or("-")));
    for (name, point) in lines {
        let (mark, words) = match point {
            Some(value) => ('*', words(value)),
            None => ('-', "missing".to_owned()),
        };
        text.push_str(&format!("  {mark} {name:<15} {words}\n"));
    }
    text
}

/// `key value` pairs of the members that say something.
fn words(point: &Value) -> String {
    let Value::Object(members) = point else { return plain(&point.to_string()) };
    let word = |(key, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{key}={}", plain(text))),
        Value::Object(inner) if key == "evaluation" => Some(checks(inner.get("checks"))),
        Value::Array(items) if items.is_empty() => None,
        other => Some(format!("{key}={}", plain(&other.to_string()))),
    };
    members.iter().filter_map(word).collect::<Vec<_>>().join("  ")
}

fn checks(checks: Option<&Value>) -> String {
    let Some(Value::Array(checks)) = checks else { return String::new() };
    let name = |check: &Value, key: &str| {
        plain(check.get(key).and_then(Value::as_str).unwrap_or_default())
    };
    let each = checks.iter().map(|c| format!("{}:{}", name(c, "check"), name(c, "outcome")));
    format!("[{}]", each.collect::<Vec<_>>().join(" "))
}

async fn tail(
    lines: u32,
    follow: bool,
    reader: &AuditReader,
    output: Output,
) -> Result<(), Failure> {
    let mut places: BTreeMap<String, i64> = BTreeMap::new();
    for (origin, last) in reader.logs().await.map_err(Failure::database)? {
        places.insert(origin, (last - i64::from(lines)).max(0));
    }
    let mut events = news(&mut places, reader).await?;
    let surplus = events.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    events.drain(..surplus);
    print(&events, output)?;
    if !follow {
        return Ok(());
    }
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for (origin, _) in reader.logs().await.map_err(Failure::database)? {
            places.entry(origin).or_insert(0);
        }
        print(&news(&mut places, reader).await?, output)?;
    }
}

/// What stands after `places`, which move on; in the order of time.
async fn news(
    places: &mut BTreeMap<String, i64>,
    reader: &AuditReader,
) -> Result<Vec<EventRecord>, Failure> {
    let mut all = Vec::new();
    for (name, place) in places.iter_mut() {
        let origin = Origin::parse(name).map_err(Failure::database)?;
        loop {
            let events = reader
                .tail(&SCOPE, &origin, *place, page_size(1000)?)
                .await
                .map_err(Failure::database)?;
            let Some(last) = events.last() else { break };
            *place = last.seq;
            all.extend(events);
        }
    }
    all.sort_by_key(|event| (event.occurred_at, event.id));
    Ok(all)
}

/// One line per event: JSON lines for programs.
fn print(events: &[EventRecord], output: Output) -> Result<(), Failure> {
    let mut lines = String::new();
    for event in events {
        if output.is_json() {
            lines.push_str(&serde_json::to_string(event).map_err(Failure::other)?);
        } else {
            let what = [
                text(event.user_id.as_ref()),
                tool(event),
                text(event.decision.as_ref().or(event.status.as_ref())),
                text(event.reason_code.as_ref()),
            ];
            let what: Vec<_> = what.into_iter().filter(|word| !word.is_empty()).collect();
            let (at, trace) = (event.occurred_at, event.trace_id);
            lines.push_str(&format!("{at}  {trace}  {:<16}", plain(&event.kind)));
            lines.push_str(&format!("  {}", what.join("  ")));
        }
        lines.push('\n');
    }
    output.text(&lines)
}

fn text(value: Option<&String>) -> String {
    plain(value.map_or("", String::as_str))
}

fn tool(event: &EventRecord) -> String {
    match (&event.server, &event.tool) {
        (Some(server), Some(tool)) => plain(&format!("mcp__{server}__{tool}")),
        (_, tool) => text(tool.as_ref()),
    }
}

fn page_size(rows: u32) -> Result<PageSize, Failure> {
    let rows = u16::try_from(rows).ok().and_then(PageSize::new);
    rows.ok_or_else(|| Failure::usage("a page has 1 to 1000 rows"))
}
