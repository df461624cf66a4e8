//! Load, and what must be true of a log after it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use systemprompt_audit::checkpoint::{CheckpointOptions, SigningKeys};
use systemprompt_audit::{AuditLog, AuditOptions};
use systemprompt_core::clock::{Clock as _, ManualClock};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::database::{DatabaseOptions, DbPool};
use systemprompt_core::event::Verdict;
use tokio::task::JoinSet;

use crate::fixture::{Fixture, decision, principal};
use crate::signed::signing_key;

const GAPS: &str = "SELECT count(*) FROM (SELECT max(seq) - count(*) AS gap FROM audit_events \
                    GROUP BY log_id) AS logs WHERE gap <> 0";

/// Tells a test process that it is one that writes, and where.
const WRITER: &str = "SYSTEMPROMPT_AUDIT_TEST_WRITER";

/// For how long replicas write; more than the default is for a long run.
pub(super) fn seconds() -> Duration {
    let named = std::env::var("SYSTEMPROMPT_TEST_SECONDS").ok();
    Duration::from_secs(named.and_then(|seconds| seconds.parse().ok()).unwrap_or(2))
}

/// What callers were told.
#[derive(Default)]
pub(super) struct Answers {
    acknowledged: Mutex<BTreeSet<String>>,
    denied: Mutex<BTreeSet<String>>,
}

impl Answers {
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    pub(super) fn denied(&self) -> usize {
        self.denied.lock().unwrap().len()
    }

    pub(super) fn acknowledge(&self, id: String) {
        self.acknowledged.lock().unwrap().insert(id);
    }

    /// Appends an event and notes the answer.
    pub(super) async fn append(&self, log: &AuditLog, fixture: &Fixture) -> bool {
        let event = fixture.allow("ada");
        let id = event.id.to_string();
        let answer = log.append(event).await;
        let answers = if answer.is_ok() { &self.acknowledged } else { &self.denied };
        answers.lock().unwrap().insert(id);
        answer.is_ok()
    }

    /// Nothing that was acknowledged is missing, no place is empty, and what was denied and yet stands
    /// in the log has no permit that could be used.
    pub(super) async fn check(&self, fixture: &Fixture) {
        let rows = fixture.texts("SELECT id FROM governance_decisions").await;
        let all = rows.len();
        let rows: BTreeSet<_> = rows.into_iter().flatten().collect();
        assert_eq!(rows.len(), all, "an event stands twice in the logs");
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let lost = acknowledged.difference(&rows).count();
        assert_eq!(lost, 0, "of {} acknowledged events", acknowledged.len());
        assert_eq!(fixture.number(GAPS).await, 0);
        let open = "SELECT id FROM governance_decisions WHERE permit_id NOT IN \
                    (SELECT permit_id FROM tool_executions)";
        let open: BTreeSet<_> = fixture.texts(open).await.into_iter().flatten().collect();
        let denied = self.denied.lock().unwrap().clone();
        let usable: Vec<_> = denied.intersection(&open).collect();
        assert!(usable.is_empty(), "{usable:?} were denied and can be used");
    }
}

/// Callers that append until they are dropped.
pub(super) struct Load {
    tasks: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Load {
    pub(super) fn start(log: &AuditLog, fixture: &Arc<Fixture>, answers: &Arc<Answers>) -> Self {
        let (mut tasks, stop) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
        for _ in 0..8 {
            let (log, fixture, answers) = (log.clone(), fixture.clone(), answers.clone());
            let stop = stop.clone();
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    if !answers.append(&log, &fixture).await {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            });
        }
        Self { tasks, stop }
    }

    pub(super) async fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
    }
}

/// Waits until something is the case.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain until {what}");
}

/// Starts a process that writes a log and prints what was acknowledged.
pub(super) fn spawn_writer(url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["postgres::load::writer", "--exact", "--nocapture", "--test-threads=1"])
        .env(WRITER, url)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The ids that a process prints, as it prints them.
pub(super) fn acknowledged_by(writer: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let id = line.strip_prefix("acknowledged ").filter(|id| id.len() == 36)?;
        Some(id.to_owned())
    })
}

/// Not a test of its own: what the other processes run. It ends when its time is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer() {
    let Ok(url) = std::env::var(WRITER) else { return };
    let pool = DbPool::open(&DatabaseOptions::new(url)).await.unwrap();
    let clock = Arc::new(ManualClock::at("2026-11-22T20:15:00Z".parse().unwrap()));
    let options = AuditOptions {
        clock: clock.clone(),
        sweep_interval: Duration::from_millis(200),
        checkpoints: Some(CheckpointOptions::new(SigningKeys::new(signing_key(1)))),
        ..AuditOptions::default()
    };
    let log = AuditLog::open(&pool, options).await.unwrap();
    let end = tokio::time::Instant::now() + seconds();
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (log, clock) = (log.clone(), clock.clone());
        tasks.spawn(async move {
            while tokio::time::Instant::now() < end {
                let event = decision(&principal("acme", "ada"), clock.now(), Verdict::Allow);
                let id = event.id;
                log.append(event).await.unwrap();
                println!("acknowledged {id}");
            }
        });
    }
    tasks.join_all().await;
    log.close().await;
}
