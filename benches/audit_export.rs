//! What exporting the audit log costs the decisions that are written to it.
//!
//! `cargo bench --bench audit_export`: 64 callers append decisions one after the other, without an export,
//! with one to a file, and with one to an HTTP receiver that never answers; in turns, so that the ratios
//! are of the same minutes. The file gets all of them; what that costs is scaled to 20,000 events a second.
//! Then how fast each format goes to a file from a log that is there already. The database lies in the
//! folder `AUDIT_BENCH_DIR`, else in the current one.

#![expect(clippy::print_stdout, reason = "a bench prints its numbers")]

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt::audit::export::{
    Destination, Exporter, FileSettings, Format, HttpSettings, SinkSettings, StartAt,
};
use systemprompt::audit::{AuditLog, AuditOptions, schema};
use systemprompt::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt::identifiers::{Audience, CallId, EventId, SessionId, TraceId};
use systemprompt::models::{
    AuditBody, AuditEvent, CheckOutcome, CheckRecord, Clock, DecisionBody, Digest, Door,
    Evaluation, EventContext, EventSubject, LimitState, Principal, PrincipalClaims, SystemClock,
    Verdict,
};
use systemprompt::security::Secret;
use systemprompt::traits::AuditSink as _;

const CALLERS: usize = 64;
const ROUNDS: usize = 5;
/// How long each measurement takes.
const TIME: Duration = Duration::from_secs(3);

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
    let folder = std::env::var_os("AUDIT_BENCH_DIR").unwrap_or_else(|| ".".into());
    let folder = tempfile::Builder::new().prefix("export-bench-").tempdir_in(folder)?;
    let house = House::open(&folder.path().join("audit.db")).await?;
    // It accepts connections and reads nothing.
    let stalled = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", stalled.local_addr()?);

    println!(
        "decisions/s with {CALLERS} callers, beside an export (bar: 20,000 events/s cost at most 10 %; stalled: nothing)"
    );
    println!("| round | none | file | exported/s | cost of 20,000/s | HTTP, stalled | ratio |");
    println!("|--:|--:|--:|--:|--:|--:|--:|");
    let (mut to_file, mut to_nobody) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let plain = decisions(&house).await?;
        // A sink of its own, so that it has nothing to catch up with.
        let mut sink = file(folder.path(), Format::JsonLines, StartAt::End);
        sink.id = format!("{}-{round}", sink.id);
        let (file, exported) = beside(&house, sink).await?;
        let again = decisions(&house).await?;
        let (nobody, _) = beside(&house, http(folder.path(), &url)).await?;
        let plain = f64::midpoint(plain, again);
        let cost = (1.0 - file / plain) * 20_000.0 / exported;
        to_file.push(cost);
        to_nobody.push(nobody / plain);
        println!(
            "| {round} | {plain:.0} | {file:.0} | {exported:.0} | {:.1} % | {nobody:.0} | {:.2} |",
            cost * 100.0,
            nobody / plain
        );
    }
    println!(
        "medians: 20,000 events/s to a file cost {:.1} % of the decisions, stalled {:.2}",
        median(to_file) * 100.0,
        median(to_nobody)
    );

    println!("\na log that is there, to a file");
    println!("| format | events/s | CPU us each | bytes each |");
    println!("|---|--:|--:|--:|");
    for format in Format::ALL {
        catch_up(&house, folder.path(), format).await?;
    }
    house.log.close().await;
    Ok(())
}

/// Decisions per second beside a sink, and what the sink exported per second meanwhile.
async fn beside(house: &House, sink: SinkSettings) -> Result<(f64, f64), Failure> {
    let exporter = Exporter::start(&house.pool, vec![sink])?;
    // Until it has found its place.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let rate = decisions(house).await?;
    let exported = exporter.stats().first().map_or(0, |sink| sink.events);
    exporter.stop(Duration::ZERO).await;
    Ok((rate, exported as f64 / TIME.as_secs_f64()))
}

/// Decisions per second that are made durable.
async fn decisions(house: &House) -> Result<f64, Failure> {
    let start = Instant::now();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| {
            let house = house.clone();
            tokio::spawn(async move {
                let mut count = 0_u32;
                while start.elapsed() < TIME {
                    house.log.append(house.decision()).await?;
                    count += 1;
                }
                Ok::<_, Failure>(count)
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await??;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}

async fn catch_up(house: &House, folder: &Path, format: Format) -> Result<(), Failure> {
    let sink = file(folder, format, StartAt::Beginning);
    let cpu = cpu_time();
    let start = Instant::now();
    let exporter = Exporter::start(&house.pool, vec![sink])?;
    tokio::time::sleep(TIME).await;
    let events = exporter.stats().first().map_or(0, |sink| sink.events) as f64;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = cpu_time().saturating_sub(cpu).as_secs_f64() * 1e6;
    exporter.stop(Duration::ZERO).await;
    let bytes = std::fs::metadata(folder.join(format!("{format}.out")))?.len() as f64;
    println!(
        "| `{format}` | {:.0} | {:.1} | {:.0} |",
        events / seconds,
        cpu / events,
        bytes / events
    );
    Ok(())
}

fn file(folder: &Path, format: Format, start_at: StartAt) -> SinkSettings {
    let settings = FileSettings {
        path: folder.join(match start_at {
            StartAt::End => "live.out".to_owned(),
            StartAt::Beginning => format!("{format}.out"),
        }),
        rotate_bytes: u64::MAX,
        keep: 1,
        sync: true,
    };
    let id = format!("{format}-{}", if start_at == StartAt::End { "live" } else { "all" });
    let spool = folder.join("spool").join(&id);
    let mut sink = SinkSettings::new(id, format, Destination::File(settings), spool);
    sink.start_at = start_at;
    sink
}

fn http(folder: &Path, url: &str) -> SinkSettings {
    let settings = HttpSettings {
        url: Secret::new(url.to_owned()),
        headers: Vec::new(),
        gzip: true,
        timeout: Duration::from_secs(30),
        splunk_ack: false,
    };
    let to = Destination::Http(settings);
    let mut sink =
        SinkSettings::new("stalled", Format::JsonLines, to, folder.join("spool/stalled"));
    sink.start_at = StartAt::End;
    // Full before the measurement begins in earnest, as after an hour.
    sink.spool_bytes = 4 << 20;
    sink
}

fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or_default()
}

/// User and system time of the process so far, in steps of 10 ms; zero where `/proc` is missing.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum::<u64>();
    Duration::from_millis(ticks * 10)
}

/// A log and what decisions in it look like.
#[derive(Clone)]
struct House {
    pool: DbPool,
    log: AuditLog,
    principal: Principal,
    session: SessionId,
    evaluation: Arc<Evaluation>,
    clock: Arc<dyn Clock>,
}

impl House {
    async fn open(database: &Path) -> Result<Self, Failure> {
        let clock = SystemClock::shared();
        let options = DatabaseOptions::new(format!("sqlite://{}", database.display())).create(true);
        let pool = DbPool::open(&options).await?;
        SchemaInstaller::new(&[schema()])?.apply(&pool, &*clock).await?;
        let log = AuditLog::open(&pool, AuditOptions::default()).await?;
        let principal = Principal::assert_authenticated(PrincipalClaims {
            tenant: "default".parse()?,
            user: "ada@example.com".parse()?,
            roles: ["user".parse()?].into(),
            scopes: ["tools:use".parse()?].into(),
            department: Some("research".parse()?),
            audience: Audience::parse("api")?,
            credential: "k7q2m9x4c1ha".parse()?,
            actors: Vec::new(),
        })?;
        let check = |check: &'static str| CheckRecord {
            check: check.into(),
            outcome: CheckOutcome::Passed,
            detail: None,
            duration_ns: 412,
        };
        let evaluation = Arc::new(Evaluation {
            policy_version: "p-3f9a2b7c11d0e4a8".parse()?,
            checks: ["scope", "secret", "blocklist", "rate"].map(check).into(),
            limits: vec![LimitState { name: "per-session".into(), remaining: 299, reset_ms: 200 }],
        });
        Ok(Self { pool, log, principal, session: SessionId::generate(), evaluation, clock })
    }

    fn decision(&self) -> AuditEvent {
        let id = EventId::generate();
        let now = self.clock.now();
        AuditEvent {
            id,
            occurred_at: now,
            trace_id: TraceId::generate(),
            subject: Some(EventSubject::from(&self.principal)),
            context: EventContext {
                call_id: Some(CallId::generate()),
                session: Some(self.session.clone()),
                agent: "developer_agent".parse().ok(),
                door: Some(Door::Api),
                user_agent: Some("curl/8.9.1".into()),
                client_addr: Some([127, 0, 0, 1].into()),
                ..EventContext::default()
            },
            body: AuditBody::Decision(Box::new(DecisionBody {
                server: Some("files".into()),
                tool: "Read".into(),
                arguments_digest: Some(Digest::of(b"{}")),
                arguments_bytes: 312,
                call_digest: Some(Digest::of(b"call")),
                verdict: Verdict::Allow,
                reason_code: None,
                reason: None,
                reason_data: None,
                evaluation: self.evaluation.clone(),
                duration: Duration::from_micros(3),
                permit: Some(id.into()),
                expires_at: Some(now.after(Duration::from_secs(900))),
                features: None,
            })),
        }
    }
}
