//! `audit decisions`, `audit events`, `audit trace`, `audit body`, `audit export`, `audit tail`, `audit erase`,
//! `audit prune`, `audit rewrap`.

mod body;
mod export;
mod keep;
mod tail;

use serde_json::{Value, json};
use systemprompt_audit::{
    AuditReader, Cursor, EventFilter, EventRecord, FivePointTrace, Named, Page, PageSize, ReadScope,
};
use systemprompt_core::clock::Timestamp;

use crate::args::{AuditCommand, EventsArgs, FilterArgs, SearchArgs, VerdictArg};
use crate::failure::Failure;
use crate::output::{Output, clipped, plain};
use crate::paper::Paper;
use crate::session::Session;
use crate::timeline;

/// Whoever runs the command line on the database sees all of it.
const SCOPE: ReadScope = ReadScope::All;

/// Most calls that are drawn together.
const MOST_CALLS: u32 = 200;

pub(crate) async fn run(
    command: &AuditCommand,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let reader = session.reader()?;
    let now = session.clock.now();
    match command {
        AuditCommand::Decisions(args) => decisions(args, &reader, now, output).await,
        AuditCommand::Events(args) => events(args, &reader, now, output).await,
        AuditCommand::Trace { id, call, session } => {
            let named = match (call, session) {
                (true, _) => Named::Call(id.clone()),
                (_, true) => Named::Session(id.clone()),
                _ => find(id, &reader).await?,
            };
            trace(named, &reader, now, output).await
        }
        AuditCommand::Body { id } => body::run(id, &reader, output).await,
        AuditCommand::Export(args) => export::run(args, session, output).await,
        AuditCommand::Tail(args) => tail::run(args, session, &reader, output).await,
        AuditCommand::Erase(args) => keep::erase(args, session, output).await,
        AuditCommand::Prune(args) => keep::prune(args, session, output).await,
        AuditCommand::Rewrap => keep::rewrap(session, output).await,
        // They need no session.
        AuditCommand::Verify(_)
        | AuditCommand::Prove(_)
        | AuditCommand::VerifyProof(_)
        | AuditCommand::RotateKey { .. } => Ok(()),
    }
}

async fn decisions(
    args: &SearchArgs,
    reader: &AuditReader,
    now: Timestamp,
    output: Output,
) -> Result<(), Failure> {
    let (cursor, size) = place(args)?;
    let page =
        reader.decisions(&SCOPE, &filter(&args.filter, None, now)?, cursor.as_ref(), size).await;
    let page = page.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({
            "decisions": page.items,
            "next_cursor": page.next_cursor,
            "scanned_to": page.scanned_to,
        }));
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
    more(&page, output);
    Ok(())
}

async fn events(
    args: &EventsArgs,
    reader: &AuditReader,
    now: Timestamp,
    output: Output,
) -> Result<(), Failure> {
    let (cursor, size) = place(&args.search)?;
    let filter = filter(&args.search.filter, args.kind.as_deref(), now)?;
    let page = reader.events(&SCOPE, &filter, cursor.as_ref(), size).await;
    let page = page.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({
            "events": page.items,
            "next_cursor": page.next_cursor,
            "scanned_to": page.scanned_to,
        }));
    }
    print(&page.items, output)?;
    more(&page, output);
    Ok(())
}

/// Says how to go on.
fn more<T>(page: &Page<T>, output: Output) {
    if let Some(scanned_to) = page.scanned_to {
        output.note(&format!("looked back as far as {scanned_to}"));
    }
    if let Some(next) = page.next_cursor {
        output.note(&format!("more with --cursor {next}"));
    }
}

fn place(args: &SearchArgs) -> Result<(Option<Cursor>, PageSize), Failure> {
    let cursor = args.cursor.as_deref().map(str::parse).transpose();
    let cursor = cursor.map_err(|error| Failure::usage(format!("--cursor: {error}")))?;
    Ok((cursor, page_size(args.limit)?))
}

fn filter(args: &FilterArgs, kind: Option<&str>, now: Timestamp) -> Result<EventFilter, Failure> {
    let mut filter = EventFilter::default();
    if let Some(kind) = kind {
        set(&mut filter, "kind", kind, "--kind", now)?;
    }
    let verdict = args.decision.map(|verdict| match verdict {
        VerdictArg::Allow => "allow".to_owned(),
        VerdictArg::Deny => "deny".to_owned(),
        VerdictArg::Pending => "pending".to_owned(),
    });
    for (option, name, value) in [
        ("--user", "user_id", &args.user),
        ("--agent", "agent_id", &args.agent),
        ("--tool", "tool", &args.tool),
        ("--session", "session_id", &args.session),
        ("--tenant", "tenant_id", &args.tenant),
        ("--department", "department", &args.department),
        ("--trace", "trace_id", &args.trace),
        ("--decision", "decision", &verdict),
        ("--reason", "reason_code", &args.reason),
        ("--text", "q", &args.text),
        ("--from", "from", &args.from),
        ("--to", "to", &args.to),
    ] {
        if let Some(value) = value {
            set(&mut filter, name, value, option, now)?;
        }
    }
    for column in &args.columns {
        let (name, value) = column
            .split_once('=')
            .ok_or_else(|| Failure::usage("--where takes a column, `=` and a value"))?;
        set(&mut filter, name, value, &format!("--where {name}"), now)?;
    }
    filter.split_tool();
    Ok(filter)
}

fn set(
    filter: &mut EventFilter,
    name: &str,
    value: &str,
    option: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let set = filter.set(name, value, now);
    set.map_err(|error| Failure::usage(format!("{}: {error}", plain(option))))
}

async fn trace(
    named: Named,
    reader: &AuditReader,
    now: Timestamp,
    output: Output,
) -> Result<(), Failure> {
    match named {
        Named::Trace(id) => {
            let trace = reader.trace(&SCOPE, id).await.map_err(Failure::database)?;
            let trace =
                trace.ok_or_else(|| Failure::not_found(format!("there is no trace `{id}`")))?;
            if output.is_json() { output.value(&trace) } else { draw_trace(&trace, now, output) }
        }
        Named::Session(session) => {
            let title = format!("session {session}");
            let filter = EventFilter { session_id: Some(session), ..EventFilter::default() };
            draw_calls(&title, &filter, reader, now, output).await
        }
        Named::Call(call) => {
            let title = format!("call {call}");
            let filter = EventFilter { call_id: Some(call), ..EventFilter::default() };
            draw_calls(&title, &filter, reader, now, output).await
        }
        _ => Err(Failure::not_found("nothing is called that")),
    }
}

fn draw_trace(trace: &FivePointTrace, now: Timestamp, output: Output) -> Result<(), Failure> {
    let title = format!("trace {}", trace.trace_id);
    output.text(&timeline::draw(&title, &trace.calls, now, Paper::stdout()))?;
    let others: Vec<_> = trace.events.iter().filter(|event| !is_of_call(event)).cloned().collect();
    if !others.is_empty() {
        output.text("\nalso in this trace\n")?;
        print(&others, output)?;
    }
    if trace.truncated {
        output.note("the trace has older events, which are not shown");
    }
    Ok(())
}

fn is_of_call(event: &EventRecord) -> bool {
    matches!(event.kind.as_str(), "decision" | "outcome")
}

async fn draw_calls(
    title: &str,
    filter: &EventFilter,
    reader: &AuditReader,
    now: Timestamp,
    output: Output,
) -> Result<(), Failure> {
    let page = reader.calls(&SCOPE, filter, page_size(MOST_CALLS)?).await;
    let page = page.map_err(Failure::database)?;
    if page.items.is_empty() {
        return Err(Failure::not_found(format!("no call is in the log for the {}", plain(title))));
    }
    if output.is_json() {
        return output
            .value(&json!({ "calls": page.items, "truncated": page.next_cursor.is_some() }));
    }
    output.text(&timeline::draw(title, &page.items, now, Paper::stdout()))?;
    if page.next_cursor.is_some() {
        output.note(&format!("there are older calls; these are the newest {MOST_CALLS}"));
    }
    Ok(())
}

/// What `id` names, wholly or by its beginning. Agents choose the ids of calls and sessions, so that one
/// that names both is not guessed at.
async fn find(id: &str, reader: &AuditReader) -> Result<Named, Failure> {
    if let Ok(trace) = id.parse() {
        return Ok(Named::Trace(trace));
    }
    let one = page_size(1)?;
    let call = EventFilter { call_id: Some(id.to_owned()), ..EventFilter::default() };
    let session = EventFilter { session_id: Some(id.to_owned()), ..EventFilter::default() };
    let mut exact = Vec::new();
    for (filter, named) in
        [(call, Named::Call(id.to_owned())), (session, Named::Session(id.to_owned()))]
    {
        let page = reader.decisions(&SCOPE, &filter, None, one).await.map_err(Failure::database)?;
        if !page.items.is_empty() {
            exact.push(named);
        }
    }
    match exact.as_slice() {
        [] => {}
        [named] => return Ok(named.clone()),
        _ => {
            let id = plain(id);
            return Err(Failure::usage(format!(
                "`{id}` is a call and a session; say which with --call or --session"
            )));
        }
    }
    let found = reader.named(&SCOPE, id, page_size(11)?).await.map_err(Failure::database)?;
    match found.as_slice() {
        [] => Err(Failure::not_found(format!("nothing begins with `{}`", plain(id)))),
        [named] => Ok(named.clone()),
        several => {
            let names: Vec<_> = several.iter().take(10).map(name).collect();
            let names = names.join(", ");
            Err(Failure::usage(format!("`{}` begins several: {names}", plain(id))))
        }
    }
}

fn name(named: &Named) -> String {
    match named {
        Named::Trace(trace) => format!("trace {trace}"),
        Named::Call(call) => format!("call {}", plain(call)),
        Named::Session(session) => format!("session {}", plain(session)),
        _ => String::new(),
    }
}

/// One line per event: JSON lines for programs.
fn print(events: &[EventRecord], output: Output) -> Result<(), Failure> {
    let lines: Result<String, _> = events.iter().map(|event| line(event, output)).collect();
    output.text(&lines?)
}

fn line(event: &EventRecord, output: Output) -> Result<String, Failure> {
    if output.is_json() {
        return Ok(serde_json::to_string(event).map_err(Failure::other)? + "\n");
    }
    let what = [
        text(event.user_id.as_ref()),
        tool(event),
        text(event.decision.as_ref().or(event.status.as_ref())),
        text(event.reason_code.as_ref()),
        secret(event),
    ];
    let what: Vec<_> =
        what.iter().filter(|word| !word.is_empty()).map(|word| clipped(word)).collect();
    let (at, trace, kind) = (event.occurred_at, event.trace_id, plain(&event.kind));
    Ok(format!("{at}  {trace}  {kind:<16}  {}\n", what.join("  ")))
}

fn text(value: Option<&String>) -> String {
    plain(value.map_or("", String::as_str))
}

/// What an event says about a secret: which, to whom, where, and why not.
fn secret(event: &EventRecord) -> String {
    let Some(detail) = event.detail.as_ref().filter(|_| event.kind.starts_with("secret_")) else {
        return String::new();
    };
    let detail = serde_json::to_value(detail).unwrap_or_default();
    let word = |path: &str| match detail.pointer(path) {
        Some(Value::String(text)) => Some(plain(text)),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let name = word("/name").map(|name| match word("/version") {
        Some(version) => format!("{name}@{version}"),
        None => name,
    });
    let place = match (word("/sink/header"), word("/sink/host")) {
        (Some(header), Some(host)) => Some(format!("{header}@{host}")),
        _ => word("/sink/variable"),
    };
    let keys = word("/keys").map(|keys| format!("{keys} data keys"));
    let retired = word("/retired").map(|version| format!("version {version} retired"));
    let of = word("/revoked").map(|what| format!("the {what}"));
    let words = [name, word("/server"), place, word("/reason"), retired, of, keys];
    words.into_iter().flatten().collect::<Vec<_>>().join("  ")
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
