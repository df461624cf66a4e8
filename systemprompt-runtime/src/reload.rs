use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;
use systemprompt_audit::{AuditLog, AuditReader};
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::{ConfigError, LoadedProfile, Profile};
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::id::PolicyVersion;
use systemprompt_core::policy::PolicyFault;
use systemprompt_governance::{Governor, KnownIds, Policy};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::journal::Journal;
use crate::shadow;

/// How often the profile's file is looked at.
const POLL: Duration = Duration::from_millis(200);

/// Puts the policy of the profile's file in force, all or nothing. Cloning is a reference count.
#[derive(Clone)]
pub(crate) struct Reloader(Arc<Inner>);

struct Inner {
    config: Arc<Config>,
    governor: Governor,
    known: KnownIds,
    audit: AuditLog,
    journal: Journal,
    clock: Arc<dyn Clock>,
    one_at_a_time: Mutex<()>,
    loaded: AtomicU64,
    rejected: AtomicU64,
    stale: AtomicBool,
}

/// What reloading has come to so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReloadStats {
    /// Policies that were put in force.
    pub(crate) loaded: u64,
    /// Policies that were refused.
    pub(crate) rejected: u64,
    /// Whether the last one was refused, so that what is in force is not what the file says.
    pub(crate) stale: bool,
}

impl Reloader {
    /// A reloader of the file that `config` came from; `known` is what its policy may name.
    pub(crate) fn new(
        config: Arc<Config>,
        (governor, known): (Governor, KnownIds),
        (audit, reader): (AuditLog, AuditReader),
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner {
            config,
            governor,
            known,
            journal: Journal::new(audit.clone(), reader),
            audit,
            clock,
            one_at_a_time: Mutex::new(()),
            loaded: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            stale: AtomicBool::new(false),
        }))
    }

    /// What reloading has come to so far.
    pub(crate) fn stats(&self) -> ReloadStats {
        ReloadStats {
            loaded: self.0.loaded.load(Ordering::Relaxed),
            rejected: self.0.rejected.load(Ordering::Relaxed),
            stale: self.0.stale.load(Ordering::Relaxed),
        }
    }

    /// Loads the file and puts its policy in force; the policy that was stays when anything is wrong.
    /// One audit event and one count say how it went. A policy that turns governance off is in force
    /// only after that is recorded.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong.
    pub(crate) async fn reload(&self) -> Result<PolicyVersion, ConfigError> {
        let _one = self.0.one_at_a_time.lock().await;
        let result = self.0.swap().await;
        match &result {
            Ok(version) => self.0.accepted(version).await,
            Err(error) => self.0.refused(error).await,
        }
        result
    }

    /// Reloads whenever the file has changed. `None` when the profile has no file. Needs a running
    /// tokio runtime.
    pub(crate) fn watch(&self) -> Option<FileWatch> {
        let files = self.0.files(vec![self.0.config.file()?.to_owned()]);
        let reloader = self.clone();
        // First the marks and then the comparison, so that no change since the start is missed.
        let marks = marks(&files);
        let seen = if self.0.is_in_force() { Some(marks) } else { None };
        let task = tokio::spawn(async move { reloader.follow(files, seen).await });
        Some(FileWatch(task.abort_handle()))
    }

    /// Writes the events that the audit log did not take yet.
    pub(crate) async fn write_events(&self) {
        if let Err(error) = self.0.journal.write().await {
            tracing::error!(%error, "a reload was not recorded");
        }
    }

    async fn follow(&self, mut files: Vec<PathBuf>, mut loaded: Option<Vec<Option<Mark>>>) {
        let mut before = loaded.clone();
        loop {
            tokio::time::sleep(POLL).await;
            let mut now = Some(marks(&files));
            // Two equal looks: whoever is writing has finished.
            if now != loaded && now == before {
                files = self.0.files(files);
                now = Some(marks(&files));
                loaded = now.clone();
                drop(self.reload().await);
            }
            before = now;
        }
    }
}

impl Inner {
    async fn swap(&self) -> Result<PolicyVersion, ConfigError> {
        let loaded = self.config.reload()?;
        let document = &loaded.profile.governance;
        let policy = Policy::compile(document, &self.known)
            .map_err(|faults| loaded.policy_error(&faults))?;
        let shadows = shadow::load(&loaded, self.config.environment(), &self.known)?;
        if !policy.enabled() {
            self.record_disabled(policy.version(), &loaded).await?;
        }
        let version =
            self.governor.reload(document).map_err(|faults| loaded.policy_error(&faults.0))?;
        self.governor.set_shadows(shadows);
        self.warn_of_other_changes(&loaded);
        Ok(version)
    }

    /// Nothing turns governance off without a durable event.
    async fn record_disabled(
        &self,
        version: &PolicyVersion,
        loaded: &LoadedProfile,
    ) -> Result<(), ConfigError> {
        let detail = json!({ "policy_version": version });
        let event = AuditEvent::system(self.clock.now(), EventKind::GovernanceDisabled, detail);
        self.audit.append(event).await.map_err(|error| {
            loaded.policy_error(&[PolicyFault {
                path: "enabled".to_owned(),
                problem: format!("governance stays on, because this cannot be recorded: {error}"),
            }])
        })
    }

    /// Whether the policies in force and asked are those of the files.
    fn is_in_force(&self) -> bool {
        self.config.reload().is_ok_and(|loaded| {
            Policy::compile(&loaded.profile.governance, &self.known)
                .is_ok_and(|policy| *policy.version() == self.governor.policy_version())
                && self.are_asked(&loaded)
        })
    }

    fn are_asked(&self, loaded: &LoadedProfile) -> bool {
        let asked = self.governor.shadows();
        shadow::load(loaded, self.config.environment(), &self.known).is_ok_and(|shadows| {
            let named = shadows.iter().map(|(id, policy)| (id, policy.version()));
            named.eq(asked.iter().map(|shadow| (&shadow.id, &shadow.policy_version)))
        })
    }

    /// The profile and the shadow policies that it names now; those of `before` when it cannot be read.
    fn files(&self, before: Vec<PathBuf>) -> Vec<PathBuf> {
        let Ok(loaded) = self.config.reload() else { return before };
        let shadows = loaded.profile.shadow.into_iter().map(|shadow| shadow.file);
        self.config.file().map(Path::to_owned).into_iter().chain(shadows).collect()
    }

    async fn accepted(&self, version: &PolicyVersion) {
        self.loaded.fetch_add(1, Ordering::Relaxed);
        self.stale.store(false, Ordering::Relaxed);
        tracing::info!(%version, "the policy was loaded");
        let detail = shadow::policy_detail(&self.governor);
        if !self.governor.policy().enabled() {
            tracing::warn!("governance is turned off: every authenticated call is allowed");
        }
        self.record(EventKind::PolicyLoaded, detail).await;
    }

    async fn refused(&self, error: &ConfigError) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
        self.stale.store(true, Ordering::Relaxed);
        let in_force = self.governor.policy_version();
        tracing::error!(%error, %in_force, "the policy was refused; the last good one stays");
        let faults = error.diagnostics().iter().map(|fault| {
            json!({
                "path": fault.path,
                "line": fault.position.map(|at| at.line),
                "column": fault.position.map(|at| at.column),
            })
        });
        let faults: Vec<_> = faults.collect();
        let detail = json!({ "policy_version": in_force, "faults": faults });
        self.record(EventKind::PolicyRejected, detail).await;
    }

    async fn record(&self, kind: EventKind, detail: serde_json::Value) {
        self.journal.record(AuditEvent::system(self.clock.now(), kind, detail)).await;
    }

    /// Everything but the policy takes effect at the next start; say so.
    fn warn_of_other_changes(&self, loaded: &LoadedProfile) {
        let without_policy = |profile: &Profile| Profile {
            governance: Default::default(),
            shadow: Vec::new(),
            database: self.config.profile().database.clone(),
            ..profile.clone()
        };
        if without_policy(&loaded.profile) != without_policy(self.config.profile()) {
            tracing::warn!(
                "settings outside of `governance` and `shadow` take effect at the next start"
            );
        }
    }
}

/// A task that watches the files of the profile and its shadows; it ends with this.
#[derive(Debug)]
pub(crate) struct FileWatch(AbortHandle);

impl FileWatch {
    /// Ends it now.
    pub(crate) fn stop(&self) {
        self.0.abort();
    }
}

impl Drop for FileWatch {
    fn drop(&mut self) {
        self.stop();
    }
}

fn marks(files: &[PathBuf]) -> Vec<Option<Mark>> {
    files.iter().map(|file| Mark::of(file)).collect()
}

/// By what a changed file is told.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    modified: Option<SystemTime>,
    length: u64,
    /// Device and inode: a file that was put in another's place may carry an old time.
    file: Option<(u64, u64)>,
    /// Where a link led.
    target: Option<PathBuf>,
}

impl Mark {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let file = {
            use std::os::unix::fs::MetadataExt as _;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let file = None;
        let (modified, length) = (metadata.modified().ok(), metadata.len());
        Some(Self { modified, length, file, target: fs::read_link(path).ok() })
    }
}
