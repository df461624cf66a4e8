//! How many decisions the audit log makes durable, and what each costs.
//!
//! `cargo bench --bench audit_writer`: SQLite with `synchronous=FULL`, every append answered after its
//! commit. The database lies in the folder `AUDIT_BENCH_DIR`, else in the current one (a temporary file
//! system would make commits free). With `AUDIT_BENCH_URL` it is that one, such as a PostgreSQL server's.

#![expect(clippy::print_stdout, reason = "a bench prints its numbers")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt::audit::checkpoint::{CheckpointOptions, SigningKey, SigningKeys};
use systemprompt::audit::proof::{WhichEvent, prove};
use systemprompt::audit::verify::{AuditSource, VerifyOptions, verify};
use systemprompt::audit::{AuditLog, AuditOptions, schema};
use systemprompt::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt::identifiers::{AgentId, Audience, CallId, EventId, PermitId, SessionId, TraceId};
use systemprompt::models::{
    AuditBody, AuditEvent, CheckOutcome, CheckRecord, Clock, DecisionBody, Digest, Door,
    Evaluation, EventContext, EventSubject, LimitState, Outcome, OutcomeStatus, Principal,
    PrincipalClaims, SystemClock, Verdict,
};
use systemprompt::security::Secret;
use systemprompt::traits::{AuditSink as _, PermitLedger as _};

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
    let folder = tempfile::Builder::new().prefix("audit-bench-").tempdir_in(folder)?;
    systemprompt_benches::print_machine(folder.path())?;
    price_of_proof(folder.path()).await?;
    let file = folder.path().join("audit.db");
    let server = std::env::var("AUDIT_BENCH_URL").ok();
    let url = server.clone().unwrap_or_else(|| format!("sqlite://{}", file.display()));
    let house = House::open(url.clone(), true).await?;
    println!("one decision after the other for each caller (bar: 25,000/s with 64 callers)");
    println!("| callers | decisions/s | p50 ms | p99 ms | CPU us each | rows a batch |");
    println!("|--:|--:|--:|--:|--:|--:|");
    for callers in [1, 8, 64, 200] {
        decisions(&house, callers).await?;
    }
    if file.exists() {
        size(&house.log, &file);
    }
    println!("\nbatches of 100 (bar: 60,000 rows/s)");
    println!("| callers | rows/s | CPU us each |");
    println!("|--:|--:|--:|");
    for callers in [1, 2] {
        batches(&house, callers).await?;
    }
    println!("\na decision, then its outcome");
    println!("| callers | calls/s | CPU us each |");
    println!("|--:|--:|--:|");
    calls(&house, 64).await?;
    house.log.close().await;
    if server.is_some() {
        println!("\nten logs at once, with 20 callers each");
        println!("| logs | decisions/s | CPU us each |");
        println!("|--:|--:|--:|");
        ten_logs(&url).await?;
    }
    verification(&url).await
}

/// As many replicas as write to one server, in one process.
async fn ten_logs(url: &str) -> Result<(), Failure> {
    let mut houses = Vec::new();
    for _ in 0..10 {
        houses.push(House::open(url.to_owned(), true).await?);
    }
    let meter = Meter::start();
    let one = |house: House| async move {
        let append = |house: House| async move { Ok(house.log.append(house.decision()).await?) };
        house.each(20, append).await
    };
    let tasks: Vec<_> = houses.iter().map(|house| tokio::spawn(one(house.clone()))).collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??.len();
    }
    let (seconds, cpu) = meter.stop();
    let decisions = count(done);
    println!("| {} | {:.0} | {:.1} |", houses.len(), decisions / seconds, cpu / decisions);
    for house in houses {
        house.log.close().await;
    }
    Ok(())
}

/// The same writer with the tree and signatures, and without, in turns.
async fn price_of_proof(folder: &Path) -> Result<(), Failure> {
    println!("64 callers, with tree and signatures and without (bar: 90 %, 1.5 us)");
    println!("| tree | decisions/s | CPU us each |");
    println!("|---|--:|--:|");
    let (mut rates, mut cpus) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 0..3 {
        for merkle in [true, false] {
            let path = folder.join(format!("{merkle}-{round}.db"));
            let house = House::open(format!("sqlite://{}", path.display()), merkle).await?;
            let meter = Meter::start();
            let done = house
                .each(64, |house| async move { Ok(house.log.append(house.decision()).await?) })
                .await?;
            let (seconds, cpu) = meter.stop();
            house.log.close().await;
            let (rate, cpu) = (count(done.len()) / seconds, cpu / count(done.len()));
            println!("| {} | {rate:.0} | {cpu:.1} |", if merkle { "on" } else { "off" });
            if let (Some(rates), Some(cpus)) =
                (rates.get_mut(usize::from(merkle)), cpus.get_mut(usize::from(merkle)))
            {
                rates.push(rate);
                cpus.push(cpu);
            }
        }
    }
    let [off, on] = rates.map(median);
    let [cpu_off, cpu_on] = cpus.map(median);
    println!("medians: {:.0} %, {:+.1} us\n", on / off * 100.0, cpu_on - cpu_off);
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// Everything that was written, computed anew.
async fn verification(url: &str) -> Result<(), Failure> {
    let mut source = AuditSource::open(url).await?;
    let meter = Meter::start();
    let report = verify(&mut source, &VerifyOptions::default(), &mut |_| {}).await?;
    let (seconds, cpu) = meter.stop();
    let rows = report.rows as f64;
    println!("\nverification (bar: 200,000 rows/s per core)");
    println!("| rows | clean | rows/s | CPU us each |");
    println!("|--:|---|--:|--:|");
    println!("| {rows} | {} | {:.0} | {:.2} |", report.is_clean(), rows / seconds, cpu / rows);
    let Some(log) = report.logs.iter().max_by_key(|log| log.last_seq) else { return Ok(()) };
    let origin = log.origin.clone();
    let mut times = Vec::new();
    for part in 1..=100 {
        let seq = log.last_seq / 101 * part;
        let start = Instant::now();
        prove(&mut source, &WhichEvent::Place { origin: origin.clone(), seq }, false).await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    println!("\na proof takes {:.2} ms (median of 100; bar: 1)", median(times));
    Ok(())
}

/// One append after the other in each of `callers` tasks.
async fn decisions(house: &House, callers: usize) -> Result<(), Failure> {
    let before = house.log.stats();
    let meter = Meter::start();
    let latencies = house
        .each(callers, |house| async move {
            let start = Instant::now();
            house.log.append(house.decision()).await?;
            Ok(start.elapsed())
        })
        .await?;
    let (seconds, cpu) = meter.stop();
    let mut latencies = latencies;
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = latencies.len().saturating_sub(1) * percent / 100;
        latencies.get(index).copied().unwrap_or_default().as_secs_f64() * 1e3
    };
    let after = house.log.stats();
    println!(
        "| {callers} | {:.0} | {:.2} | {:.2} | {:.1} | {:.1} |",
        count(latencies.len()) / seconds,
        at(50),
        at(99),
        cpu / count(latencies.len()),
        (after.events - before.events) as f64 / (after.batches - before.batches) as f64,
    );
    Ok(())
}

async fn batches(house: &House, callers: usize) -> Result<(), Failure> {
    let meter = Meter::start();
    let appends = house
        .each(callers, |house| async move {
            let events = (0..100).map(|_| house.decision()).collect();
            Ok(house.log.append_all(events).await?)
        })
        .await?;
    let (seconds, cpu) = meter.stop();
    let rows = count(appends.len() * 100);
    println!("| {callers} | {:.0} | {:.1} |", rows / seconds, cpu / rows);
    Ok(())
}

async fn calls(house: &House, callers: usize) -> Result<(), Failure> {
    let meter = Meter::start();
    let calls = house
        .each(callers, |house| async move {
            let event = house.decision();
            let permit = PermitId::from(event.id);
            house.log.append(event).await?;
            let outcome = Outcome::new(OutcomeStatus::Success, Duration::from_millis(12));
            Ok(house.log.settle(permit, &house.principal, outcome).await?)
        })
        .await?;
    let (seconds, cpu) = meter.stop();
    let calls = count(calls.len());
    println!("| {callers} | {:.0} | {:.1} |", calls / seconds, cpu / calls);
    Ok(())
}

/// Bytes on disk for each decision: the file and what has not moved into it yet is left out.
fn size(log: &AuditLog, database: &Path) {
    let bytes = std::fs::metadata(database).map(|file| file.len()).unwrap_or_default();
    let decisions = log.stats().events;
    println!(
        "\n{:.0} bytes per decision with indexes (bar: 1,200)",
        bytes as f64 / decisions as f64
    );
}

fn count(number: usize) -> f64 {
    number as f64
}

/// Time and processor time.
struct Meter {
    start: Instant,
    cpu: Duration,
}

impl Meter {
    fn start() -> Self {
        Self { start: Instant::now(), cpu: cpu_time() }
    }

    /// Seconds passed and microseconds of processor time used.
    fn stop(self) -> (f64, f64) {
        let cpu = cpu_time().saturating_sub(self.cpu);
        (self.start.elapsed().as_secs_f64(), cpu.as_secs_f64() * 1e6)
    }
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
    log: AuditLog,
    principal: Principal,
    session: SessionId,
    agent: AgentId,
    user_agent: Arc<str>,
    server: Arc<str>,
    tool: Arc<str>,
    evaluation: Arc<Evaluation>,
    digest: Digest,
    clock: Arc<dyn Clock>,
}

impl House {
    async fn open(url: String, merkle: bool) -> Result<Self, Failure> {
        let clock = SystemClock::shared();
        let pool = DbPool::open(&DatabaseOptions::new(url).create(true)).await?;
        SchemaInstaller::new(&[schema()])?.apply(&pool, &*clock).await?;
        let key = SigningKey::parse(&Secret::new("5a".repeat(32)))?;
        let checkpoints = merkle.then(|| CheckpointOptions::new(SigningKeys::new(key)));
        let options = AuditOptions { checkpoints, merkle, ..AuditOptions::default() };
        let log = AuditLog::open(&pool, options).await?;
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
        Ok(Self {
            log,
            principal,
            session: SessionId::generate(),
            agent: "developer_agent".parse()?,
            user_agent: "curl/8.9.1".into(),
            server: "files".into(),
            tool: "Read".into(),
            evaluation: Arc::new(evaluation()?),
            digest: Digest::of(b"{}"),
            clock,
        })
    }

    /// What `work` gave, done over and over by `callers` tasks.
    async fn each<T, F>(
        &self,
        callers: usize,
        work: impl Fn(Self) -> F + Copy + Send + 'static,
    ) -> Result<Vec<T>, Failure>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Failure>> + Send,
    {
        let end = Instant::now() + TIME;
        let tasks: Vec<_> = (0..callers)
            .map(|_| {
                let house = self.clone();
                tokio::spawn(async move {
                    let mut results = Vec::new();
                    while Instant::now() < end {
                        results.push(work(house.clone()).await?);
                    }
                    Ok::<_, Failure>(results)
                })
            })
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.extend(task.await??);
        }
        Ok(results)
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
                agent: Some(self.agent.clone()),
                door: Some(Door::Api),
                user_agent: Some(self.user_agent.clone()),
                client_addr: Some([127, 0, 0, 1].into()),
                ..EventContext::default()
            },
            body: AuditBody::Decision(Box::new(DecisionBody {
                server: Some(self.server.clone()),
                tool: self.tool.clone(),
                arguments_digest: Some(self.digest),
                arguments_bytes: 312,
                call_digest: Some(self.digest),
                verdict: Verdict::Allow,
                reason_code: None,
                reason: None,
                reason_data: None,
                evaluation: self.evaluation.clone(),
                duration: Duration::from_micros(3),
                permit: Some(id.into()),
                expires_at: Some(now.after(Duration::from_secs(900))),
                features: Some(
                    r#"{"scopes":"tools:use","roles":"user","rules":"3fa9c2d1"}"#.into(),
                ),
            })),
        }
    }
}

fn evaluation() -> Result<Evaluation, Failure> {
    let check = |check: &'static str| CheckRecord {
        check: check.into(),
        outcome: CheckOutcome::Passed,
        detail: None,
        duration_ns: 412,
    };
    Ok(Evaluation {
        policy_version: "p-3f9a2b7c11d0e4a8".parse()?,
        checks: ["scope", "secret", "blocklist", "rate"].map(check).into(),
        limits: vec![LimitState { name: "per-session".into(), remaining: 299, reset_ms: 200 }],
    })
}
