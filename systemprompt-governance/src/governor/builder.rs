use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::contract::{AuditSink, Check, PermitLedger, RateStore};

use super::{BUILT_IN, BuildError, Current, Governor, Inner, ReloadError};
use crate::check::HostChecks;
use crate::handle::Handles;
use crate::ledger::GovernedLedger;
use crate::policy::{KnownIds, Policy, PolicySource};
use crate::rate::MemoryRateStore;
use crate::repeat::Repeats;
use crate::secret::Scanner;
use crate::stats::Counters;

/// Collects the parts of a [`Governor`].
#[derive(Default)]
#[must_use]
pub struct GovernorBuilder {
    policy: Option<PolicySource>,
    scanner: Option<Scanner>,
    rates: Option<Arc<dyn RateStore>>,
    audit: Option<Arc<dyn AuditSink>>,
    ledger: Option<Arc<dyn PermitLedger>>,
    clock: Option<Arc<dyn Clock>>,
    checks: Vec<Arc<dyn Check>>,
}

impl GovernorBuilder {
    /// The policy: a document, or a policy compiled before. Required.
    pub fn policy(mut self, policy: impl Into<PolicySource>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Finds secrets in arguments and takes them out of what is recorded. Required. Which of its rules
    /// count in arguments is up to the policy, so leave all of them enabled.
    pub fn scanner(mut self, scanner: Scanner) -> Self {
        self.scanner = Some(scanner);
        self
    }

    /// Where limits keep their state; a [`MemoryRateStore`] unless set.
    pub fn rate_store(mut self, store: Arc<dyn RateStore>) -> Self {
        self.rates = Some(store);
        self
    }

    /// Where decisions are recorded. Required.
    pub fn audit(mut self, sink: Arc<dyn AuditSink>) -> Self {
        self.audit = Some(sink);
        self
    }

    /// Where permits are settled. Required.
    pub fn ledger(mut self, ledger: Arc<dyn PermitLedger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Where time comes from; the system's clock unless set.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Adds a host check. Checks run in the order of their ids.
    pub fn check(mut self, check: Arc<dyn Check>) -> Self {
        self.checks.push(check);
        self
    }

    /// Builds the governor.
    ///
    /// # Errors
    /// [`BuildError`] when a required part is missing, the policy does not hold, or a check's id is
    /// taken.
    pub fn build(self) -> Result<Governor, BuildError> {
        let clock = self.clock.unwrap_or_else(SystemClock::shared);
        let checks = ordered(self.checks)?;
        let scanner = self.scanner.ok_or(BuildError::Missing("secret scanner"))?;
        let known = KnownIds::new(checks.iter().map(|check| check.id().into()), &scanner);
        let policy = match self.policy.ok_or(BuildError::Missing("policy"))? {
            PolicySource::Compiled(policy) => policy,
            PolicySource::Document(document) => {
                Arc::new(Policy::compile(&document, &known).map_err(ReloadError)?)
            }
        };
        // Processes that share a rate store must agree on its buckets.
        let hash_key = scanner.derive_key("systemprompt rate buckets v1");
        let handles = Handles::new(scanner.derive_key("systemprompt handles v1"));
        let current = Arc::new(Current::new(policy, scanner));
        let repeats = Repeats::new(rand::random());
        let ledger = Arc::new(GovernedLedger {
            inner: self.ledger.ok_or(BuildError::Missing("permit ledger"))?,
            current: current.clone(),
            repeats: repeats.clone(),
        });
        Ok(Governor(Arc::new(Inner {
            current,
            shadows: ArcSwapOption::empty(),
            known,
            rates: self.rates.unwrap_or_else(|| Arc::new(MemoryRateStore::new(clock.clone()))),
            hash_key,
            handles,
            audit: self.audit.ok_or(BuildError::Missing("audit sink"))?,
            ledger,
            repeats,
            clock,
            checks: HostChecks::new(checks),
            counters: Counters::default(),
        })))
    }
}

fn ordered(mut checks: Vec<Arc<dyn Check>>) -> Result<Vec<Arc<dyn Check>>, BuildError> {
    checks.sort_by(|one, other| one.id().cmp(other.id()));
    let mut before: Option<&str> = None;
    for check in &checks {
        let id = check.id();
        let problem = if id.is_empty() {
            Some("is empty")
        } else if BUILT_IN.contains(&id) {
            Some("is taken by a built-in check")
        } else if before == Some(id) {
            Some("is used by two checks")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(BuildError::CheckId { id: id.to_owned(), problem });
        }
        before = Some(id);
    }
    Ok(checks)
}

impl fmt::Debug for GovernorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks: Vec<&str> = self.checks.iter().map(|check| check.id()).collect();
        f.debug_struct("GovernorBuilder").field("checks", &checks).finish_non_exhaustive()
    }
}
