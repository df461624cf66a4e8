//! The audit writer: durable decisions per second, latency, CPU and bytes for each.
//!
//! `cargo bench --bench audit_writer`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt_audit::{AuditLog, AuditOptions, schema};
use systemprompt_core::call::{Digest, Door};
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::contract::{AuditSink, PermitLedger};
use systemprompt_core::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt_core::decision::{
    CheckOutcome, CheckRecord, Evaluation, LimitState, Outcome, OutcomeStatus,
};
use systemprompt_core::event::{
    AuditBody, AuditEvent, DecisionBody, EventContext, EventSubject, Verdict,
};
use systemprompt_core::id::{Audience, CallId, EventId, PermitId, SessionId, TraceId};
use systemprompt_core::principal::{Principal, PrincipalClaims};

const SECONDS: Duration = Duration::from_secs(3);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("audit-bench")
        .tempdir_in(std::env::var("AUDIT_BENCH_DIR").unwrap_or_else(|_| ".".to_owned()))?;
    let path = folder.path().join("audit.db");
    let clock = SystemClock::shared();
    let pool =
        DbPool::open(&DatabaseOptions::new(format!("sqlite://{}", path.display())).create(true))
            .await?;
    SchemaInstaller::new(&[schema()])?.apply(&pool, &*clock).await?;
    let options = AuditOptions { sweep_interval: Duration::ZERO, ..AuditOptions::default() };
    let log = AuditLog::open(&pool, options).await?;
    let template = Template::new()?;

    println!("durable decisions, synchronous=FULL");
    println!("| callers | decisions/s | p50 ms | p99 ms | CPU us each | rows a batch |");
    println!("|--:|--:|--:|--:|--:|--:|");
    for callers in [1, 8, 64, 200] {
        decisions(&log, &template, callers).await?;
    }
    println!("\nbatches of 100");
    println!("| callers | rows/s | CPU us each |");
    println!("|--:|--:|--:|");
    for callers in [1, 2] {
        batches(&log, &template, callers).await?;
    }
    println!("\nwhole calls (decision, then outcome), 64 callers");
    calls(&log, &template).await?;
    log.close().await;
    size(&pool, &path).await
}

async fn decisions(log: &AuditLog, template: &Template, callers: usize) -> Result<(), Failure> {
    let before = log.stats();
    let cpu = cpu_time();
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (log, template) = (log.clone(), template.clone());
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                while start.elapsed() < SECONDS {
                    let at = Instant::now();
                    log.append(template.decision()).await?;
                    latencies.push(at.elapsed());
                }
                Ok::<_, Failure>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let elapsed = start.elapsed();
    let cpu = cpu_time() - cpu;
    latencies.sort_unstable();
    let at = |share: f64| {
        let index = (latencies.len() as f64 * share) as usize;
        latencies.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    let after = log.stats();
    println!(
        "| {callers} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} |",
        latencies.len() as f64 / elapsed.as_secs_f64(),
        at(0.5),
        at(0.99),
        cpu.as_secs_f64() * 1e6 / latencies.len() as f64,
        (after.events - before.events) as f64 / (after.batches - before.batches) as f64,
    );
    Ok(())
}

async fn batches(log: &AuditLog, template: &Template, callers: usize) -> Result<(), Failure> {
    let before = log.stats().events;
    let cpu = cpu_time();
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (log, template) = (log.clone(), template.clone());
            tokio::spawn(async move {
                while start.elapsed() < SECONDS {
                    log.append_all((0..100).map(|_| template.decision()).collect()).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let elapsed = start.elapsed();
    let rows = (log.stats().events - before) as f64;
    let cpu = cpu_time() - cpu;
    println!(
        "| {callers} | {:.0} | {:.1} |",
        rows / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / rows
    );
    Ok(())
}

async fn calls(log: &AuditLog, template: &Template) -> Result<(), Failure> {
    let cpu = cpu_time();
    let start = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (log, template) = (log.clone(), template.clone());
            tokio::spawn(async move {
                let mut calls = 0_u64;
                while start.elapsed() < SECONDS {
                    let event = template.decision();
                    let permit = PermitId::from(event.id);
                    log.append(event).await?;
                    let outcome = Outcome::new(OutcomeStatus::Success, Duration::from_millis(12));
                    log.settle(permit, &template.principal, outcome).await?;
                    calls += 1;
                }
                Ok::<_, Failure>(calls)
            })
        })
        .collect();
    let mut calls = 0;
    for task in tasks {
        calls += task.await??;
    }
    let elapsed = start.elapsed();
    let cpu = cpu_time() - cpu;
    println!(
        "{:.0} calls/s, CPU {:.1} us each",
        calls as f64 / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / calls as f64
    );
    Ok(())
}

async fn size(pool: &DbPool, path: &Path) -> Result<(), Failure> {
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool.sqlite()).await?;
    let (decisions, outcomes): (i64, i64) =
        sqlx::query_as("SELECT sum(kind = 'decision'), sum(kind = 'outcome') FROM audit_events")
            .fetch_one(pool.sqlite())
            .await?;
    let bytes = std::fs::metadata(path)?.len();
    println!(
        "\n{decisions} decisions and {outcomes} outcomes in {bytes} bytes: {:.0} bytes a row",
        bytes as f64 / (decisions + outcomes) as f64
    );
    let parts: Vec<(String, i64)> = sqlx::query_as(
        "SELECT name, sum(pgsize) FROM dbstat WHERE name LIKE 'audit_events%' GROUP BY name",
    )
    .fetch_all(pool.sqlite())
    .await
    .unwrap_or_default();
    for (name, bytes) in parts {
        println!("{name}: {:.1} bytes a row", bytes as f64 / (decisions + outcomes) as f64);
    }
    Ok(())
}

/// User and system time of the process.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

#[derive(Clone)]
struct Template {
    principal: Principal,
    session: SessionId,
    evaluation: Arc<Evaluation>,
    clock: Arc<dyn Clock>,
}

impl Template {
    fn new() -> Result<Self, Failure> {
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
        let evaluation = Evaluation {
            policy_version: "p-3f9a2b7c11d0e4a8".parse()?,
            checks: ["scope", "secret", "blocklist", "rate"].map(check).into(),
            limits: vec![LimitState { name: "per-session".into(), remaining: 299, reset_ms: 200 }],
        };
        Ok(Self {
            principal,
            session: SessionId::generate(),
            evaluation: Arc::new(evaluation),
            clock: SystemClock::shared(),
        })
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
                arguments_digest: Some(Digest::of(id.as_bytes())),
                arguments_bytes: 312,
                call_digest: Some(Digest::of(id.as_bytes())),
                verdict: Verdict::Allow,
                reason_code: None,
                reason: None,
                reason_data: None,
                evaluation: self.evaluation.clone(),
                duration: Duration::from_micros(3),
                permit: Some(id.into()),
                expires_at: Some(now.after(Duration::from_secs(900))),
            })),
        }
    }
}
