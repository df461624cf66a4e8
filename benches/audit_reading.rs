//! How long the questions that people ask of the audit log take.
//!
//! `cargo bench --bench audit_reading`: fills a database with `AUDIT_BENCH_ROWS` events (1,000,000 unless
//! given; half decisions, half outcomes) in the folder `AUDIT_BENCH_DIR`, else the current one, has them
//! indexed, and asks for pages of 100.

#![expect(clippy::print_stdout, reason = "a bench prints its numbers")]

use std::path::Path;
use std::time::{Duration, Instant};

use systemprompt::audit::{
    AuditLog, AuditOptions, AuditReader, EventFilter, PageSize, ReadScope, schema,
};
use systemprompt::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt::identifiers::TraceId;
use systemprompt::models::{SystemClock, Timestamp, Verdict};

/// Where time starts in the database.
const START: i64 = 1_790_000_000_000_000;

/// Microseconds between two events.
const STEP: i64 = 40_000;

/// Events that are made by one statement.
const CHUNK: i64 = 50_000;

/// How often each question is asked.
const TIMES: usize = 20;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let rows: i64 = std::env::var("AUDIT_BENCH_ROWS").map_or(Ok(1_000_000), |rows| rows.parse())?;
    let folder = std::env::var_os("AUDIT_BENCH_DIR").unwrap_or_else(|| ".".into());
    let folder = tempfile::Builder::new().prefix("audit-bench-").tempdir_in(folder)?;
    let path = folder.path().join("audit.db");
    let clock = SystemClock::shared();
    let options = DatabaseOptions::new(format!("sqlite://{}", path.display())).create(true);
    let pool = DbPool::open(&options).await?;
    SchemaInstaller::new(&[schema()])?.apply(&pool, &*clock).await?;
    let quiet = AuditOptions { index_interval: Duration::ZERO, ..AuditOptions::default() };
    let log = AuditLog::open(&pool, quiet).await?;
    let start = Instant::now();
    fill(&pool, rows).await?;
    println!("{rows} events in {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let indexed = log.index().await?;
    let seconds = start.elapsed().as_secs_f64();
    println!("indexed {indexed} in {seconds:.1} s, {:.0} a second", indexed as f64 / seconds);
    sizes(&pool, &path, rows).await?;
    questions(&AuditReader::new(pool), rows).await?;
    log.close().await;
    Ok(())
}

fn sqlite(pool: &DbPool) -> Result<&sqlx::SqlitePool, Failure> {
    pool.sqlite().ok_or_else(|| "not SQLite".into())
}

/// Decisions at odd places, each with its outcome behind it.
async fn fill(pool: &DbPool, rows: i64) -> Result<(), Failure> {
    sqlx::query("PRAGMA cache_size = -400000").execute(sqlite(pool)?).await?;
    let mut from = 1;
    while from <= rows {
        let to = rows.min(from + CHUNK - 1);
        sqlx::query(FILL).bind(from).bind(to).bind(START).bind(STEP).execute(sqlite(pool)?).await?;
        from = to + 1;
    }
    Ok(())
}

const FILL: &str = r#"
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2),
     c AS (SELECT i, (i + 1) / 2 AS k, i % 2 AS d, (i + 1) / 2 * 7919 % 1000003 AS r FROM n)
INSERT INTO audit_events (log_id, seq, id, kind, occurred_at, trace_id, call_id, session_id, tenant_id,
    user_id, department, credential_id, agent_id, door, user_agent, client_addr, server, tool,
    arguments_digest, arguments_bytes, call_digest, decision, reason_code, reason, evaluation,
    policy_version, duration_us, permit_id, expires_at, status, duration_ms, result_bytes, salt, leaf_hash)
SELECT 1, i, unhex(printf('%032x', i)), CASE d WHEN 1 THEN 'decision' ELSE 'outcome' END,
    ?3 + i * ?4,
    unhex(printf('%016x%016x', k * 2654435761 % 4294967296, k)),
    printf('toolu_%08x%08x', k * 2246822519 % 4294967296, k),
    CASE d WHEN 1 THEN printf('%08x-%04x-7000-8000-%012x', (?3 + k / 20 * 40 * ?4) / 1000 >> 16,
        (?3 + k / 20 * 40 * ?4) / 1000 & 65535, k / 20) END,
    CASE WHEN r % 10 < 7 THEN 'default' ELSE printf('tenant-%d', r % 10) END,
    CASE WHEN k % 100003 = 7 THEN 'rare@example.com' ELSE printf('user-%d@example.com', r % 3000) END,
    CASE d WHEN 1 THEN printf('department-%d', r % 12) END,
    CASE d WHEN 1 THEN printf('key%09d', r % 3000) END,
    CASE d WHEN 1 THEN printf('agent_%d', r % 40) END,
    CASE d WHEN 1 THEN 'api' END, CASE d WHEN 1 THEN 'claude-code/2.1' END,
    CASE d WHEN 1 THEN '10.1.2.3' END, CASE d WHEN 1 THEN 'files' END,
    CASE d WHEN 1 THEN printf('tool_%d', r % 60) END,
    CASE d WHEN 1 THEN randomblob(32) END, CASE d WHEN 1 THEN 312 END,
    CASE d WHEN 1 THEN randomblob(32) END,
    CASE d WHEN 1 THEN CASE WHEN r % 20 = 0 THEN 'deny' ELSE 'allow' END END,
    CASE WHEN d = 1 AND r % 20 = 0 THEN 'blocked' END,
    CASE WHEN d = 1 AND r % 20 = 0 THEN 'The tool is blocked by the list of dangerous words.' END,
    CASE d WHEN 1 THEN '[[["scope","passed",412],["secret","passed",3120],["blocklist","passed",205],'
        || '["rate","passed",310]],[["per-session",299,200]]]' END,
    CASE d WHEN 1 THEN 'p-3f9a2b7c11d0e4a8' END, CASE d WHEN 1 THEN 3 END,
    CASE d WHEN 0 THEN unhex(printf('%032x', i - 1)) END,
    CASE WHEN d = 1 AND r % 20 > 0 THEN ?3 + i * ?4 + 900000000 END,
    CASE d WHEN 0 THEN 'success' END, CASE d WHEN 0 THEN r % 900 END, CASE d WHEN 0 THEN 4096 END,
    randomblob(16), randomblob(32)
FROM c"#;

async fn sizes(pool: &DbPool, path: &Path, rows: i64) -> Result<(), Failure> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(sqlite(pool)?).await?;
    let index = path.with_file_name("audit.db-index");
    let bytes = |path: &Path| std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    let (log, index) = (bytes(path) as f64 / rows as f64, bytes(&index) as f64 / rows as f64);
    println!("bytes per event: {log:.0} in the log, {index:.0} in its index");
    Ok(())
}

async fn questions(reader: &AuditReader, rows: i64) -> Result<(), Failure> {
    println!("| question | median ms | slowest ms | rows |");
    println!("|---|--:|--:|--:|");
    let middle = Timestamp::from_micros(START + rows / 2 * STEP);
    let base = EventFilter::default;
    let text = |text: &str| Some(text.to_owned());
    let k = rows / 4;
    let trace = format!("{:016x}{k:016x}", k * 2_654_435_761 % 4_294_967_296);
    let trace: TraceId = trace.parse()?;
    let call = format!("toolu_{:08x}{k:08x}", k * 2_246_822_519 % 4_294_967_296);
    let begun = (START + k / 20 * 40 * STEP) / 1000;
    let session = format!("{:08x}-{:04x}-7000-8000-{:012x}", begun >> 16, begun & 0xffff, k / 20);
    let filters = [
        ("no filter", base()),
        ("trace", EventFilter { trace_id: Some(trace), ..base() }),
        ("call", EventFilter { call_id: Some(call), ..base() }),
        ("session", EventFilter { session_id: Some(session), ..base() }),
        ("user", EventFilter { user_id: text("user-17@example.com"), ..base() }),
        ("a rare user", EventFilter { user_id: text("rare@example.com"), ..base() }),
        ("no such user", EventFilter { user_id: text("nobody"), ..base() }),
        ("agent", EventFilter { agent_id: text("agent_7"), ..base() }),
        ("tool", EventFilter { tool: text("tool_9"), ..base() }),
        ("tenant", EventFilter { tenant_id: text("default"), ..base() }),
        ("deny", EventFilter { decision: Some(Verdict::Deny), ..base() }),
        ("allow", EventFilter { decision: Some(Verdict::Allow), ..base() }),
        (
            "user and tool",
            EventFilter { user_id: text("user-17@example.com"), tool: text("tool_17"), ..base() },
        ),
        ("text, found", EventFilter { text: text("dangerous"), ..base() }),
        ("text, not found", EventFilter { text: text("harmless"), ..base() }),
        ("department", EventFilter { department: text("department-3"), ..base() }),
    ];
    for (name, filter) in filters {
        ask(name, reader, &filter).await?;
        let at_that_time = EventFilter { to: Some(middle), ..filter };
        ask(&format!("{name}, before the middle"), reader, &at_that_time).await?;
    }
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        reader.trace(&ReadScope::All, trace).await?;
        times.push(start.elapsed());
    }
    print("five points of a trace", times, 2);
    Ok(())
}

async fn ask(name: &str, reader: &AuditReader, filter: &EventFilter) -> Result<(), Failure> {
    let mut times = Vec::new();
    let mut rows = 0;
    for _ in 0..TIMES {
        let start = Instant::now();
        let page = reader.decisions(&ReadScope::All, filter, None, PageSize::default()).await?;
        times.push(start.elapsed());
        rows = page.items.len();
    }
    print(name, times, rows);
    Ok(())
}

fn print(name: &str, mut times: Vec<Duration>, rows: usize) {
    times.sort_unstable();
    let ms = |at: usize| times.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3;
    println!("| {name} | {:.2} | {:.2} | {rows} |", ms(times.len() / 2), ms(times.len() - 1));
}
