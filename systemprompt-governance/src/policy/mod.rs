//! The compiled policy: an immutable snapshot that every check of a call reads.

mod agent;
mod blocklist;
mod compile;
mod fault;
mod glob;
mod index;
mod limit;
mod scope;
pub(crate) mod secrets;
mod version;
mod vocabulary;
mod words;

pub(crate) use blocklist::Blocked;
pub(crate) use limit::absorb;
pub(crate) use scope::ScopeDenial;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::RateCharge;
use systemprompt_core::id::{AgentId, PolicyVersion};
use systemprompt_core::policy::{OnAllow, PolicyDocument};

use blocklist::Blocklists;
use limit::Limit;
use scope::ScopeTable;
use secrets::Secrets;

use crate::secret::Scanner;

/// A policy, compiled and checked.
#[derive(Debug)]
pub struct Policy {
    version: PolicyVersion,
    enabled: bool,
    on_allow: OnAllow,
    permit_lifetime: Duration,
    scope: ScopeTable,
    blocklists: Blocklists,
    limits: Vec<Limit>,
    secrets: Secrets,
    check_timeout: Duration,
    disabled_checks: BTreeSet<String>,
}

/// The ids that a policy may name and that are defined elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownIds {
    /// Host checks.
    pub checks: BTreeSet<Arc<str>>,
    /// Rules of the secret scanner.
    pub secret_rules: BTreeSet<Arc<str>>,
    /// The vendors of those rules.
    pub secret_vendors: BTreeSet<Arc<str>>,
}

impl KnownIds {
    /// These host checks, and the rules of `scanner`.
    #[must_use]
    pub fn new(checks: impl IntoIterator<Item = Arc<str>>, scanner: &Scanner) -> Self {
        Self {
            checks: checks.into_iter().collect(),
            secret_rules: scanner.rules_in_use().map(|(id, _)| id.clone()).collect(),
            secret_vendors: scanner.rules_in_use().map(|(_, vendor)| vendor.clone()).collect(),
        }
    }

    /// These host checks, and the rules that every scanner has.
    #[must_use]
    pub fn built_in(checks: impl IntoIterator<Item = Arc<str>>) -> Self {
        Self {
            checks: checks.into_iter().collect(),
            secret_rules: Scanner::formats().map(|format| format.id.into()).collect(),
            secret_vendors: Scanner::formats().map(|format| format.vendor.into()).collect(),
        }
    }
}

/// What a governor is built from: a document to compile, or a policy compiled before.
#[derive(Debug)]
pub enum PolicySource {
    /// Compiled by the builder, against its own checks and scanner.
    Document(Box<PolicyDocument>),
    /// Taken as it is.
    Compiled(Arc<Policy>),
}

impl From<PolicyDocument> for PolicySource {
    fn from(document: PolicyDocument) -> Self {
        Self::Document(Box::new(document))
    }
}

impl From<Policy> for PolicySource {
    fn from(policy: Policy) -> Self {
        Self::Compiled(Arc::new(policy))
    }
}

impl From<Arc<Policy>> for PolicySource {
    fn from(policy: Arc<Policy>) -> Self {
        Self::Compiled(policy)
    }
}

impl Policy {
    /// The version, derived from the content: equal documents have equal versions.
    #[must_use]
    pub fn version(&self) -> &PolicyVersion {
        &self.version
    }

    /// `false` when every check is turned off.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// What an allowed hook answers.
    #[must_use]
    pub fn on_allow(&self) -> OnAllow {
        self.on_allow
    }

    /// How long a permit accepts an outcome.
    #[must_use]
    pub fn permit_lifetime(&self) -> Duration {
        self.permit_lifetime
    }

    pub(crate) fn check_scope(&self, call: &ToolCall) -> Result<(), ScopeDenial> {
        self.scope.check(call)
    }

    /// Whether the agent is one of the policy, whose name is then the operator's own text.
    pub(crate) fn knows_agent(&self, agent: &AgentId) -> bool {
        self.scope.knows_agent(agent)
    }

    pub(crate) fn check_blocklists(&self, call: &ToolCall) -> Result<(), Blocked> {
        self.blocklists.check(call.tool(), call.principal())
    }

    /// What the call charges, one charge per limit in the order they are written.
    pub(crate) fn charges(&self, call: &ToolCall, hash_key: &[u8; 16]) -> Vec<RateCharge> {
        self.limits.iter().map(|limit| limit.charge(call, hash_key)).collect()
    }

    /// How long it takes at most until no limit remembers a call.
    pub(crate) fn memory(&self) -> Duration {
        self.limits.iter().map(Limit::memory).max().unwrap_or_default()
    }

    /// Whether the secret check is on.
    pub(crate) fn looks_for_secrets(&self) -> bool {
        self.enabled && self.secrets.disabled_rules().is_some()
    }

    /// What is done about secrets.
    pub(crate) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// `base` with the formats and canaries of the policy.
    pub(crate) fn scanner(&self, base: &Scanner) -> Scanner {
        match self.secrets.own().entries() {
            [] => base.clone(),
            entries => base.with_rules(entries),
        }
    }

    pub(crate) fn check_timeout(&self) -> Duration {
        self.check_timeout
    }

    pub(crate) fn disables_check(&self, id: &str) -> bool {
        self.disabled_checks.contains(id)
    }
}
