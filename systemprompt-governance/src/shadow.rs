//! Policies that are asked beside the one in force and never answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use systemprompt_core::call::ToolCall;
use systemprompt_core::clock::Clock;
use systemprompt_core::decision::Evaluation;
use systemprompt_core::event::{ShadowVerdict, Verdict};
use systemprompt_core::id::PolicyVersion;

use crate::policy::Policy;
use crate::rate::MemoryRateStore;
use crate::replay::{Judge, Judged, Observed, Unknown};

/// The shadow policies of a governor.
#[derive(Debug)]
pub(crate) struct Shadows(Vec<Shadow>);

#[derive(Debug)]
struct Shadow {
    id: Arc<str>,
    judge: Judge,
    memory: Arc<Memory>,
}

/// What a shadow keeps when its policy changes.
#[derive(Debug)]
struct Memory {
    rates: MemoryRateStore,
    same: AtomicU64,
    allow_to_deny: AtomicU64,
    deny_to_allow: AtomicU64,
    undecided: AtomicU64,
}

/// What a shadow policy would have decided so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowStats {
    /// The shadow.
    pub id: Arc<str>,
    /// Its policy.
    pub policy_version: PolicyVersion,
    /// The same as was decided.
    pub same: u64,
    /// Denied where it was allowed.
    pub allow_to_deny: u64,
    /// Allowed where it was denied.
    pub deny_to_allow: u64,
    /// Could not be told, because a host check was not asked.
    pub undecided: u64,
}

/// A call as it was decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decided<'d> {
    pub(crate) call: &'d ToolCall,
    pub(crate) evaluation: &'d Evaluation,
    /// The secret rules that found something, if anybody looked.
    pub(crate) scan: Option<&'d [Arc<str>]>,
    pub(crate) allowed: bool,
    pub(crate) repeat: bool,
}

impl Shadows {
    /// Shadows of these policies; what those of the same ids among `before` have used up stays used up.
    pub(crate) fn new(
        policies: impl IntoIterator<Item = (Arc<str>, Arc<Policy>)>,
        before: Option<&Self>,
        hash_key: [u8; 16],
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let shadow = |(id, policy): (Arc<str>, Arc<Policy>)| {
            let known = before.and_then(|before| before.0.iter().find(|shadow| shadow.id == id));
            let memory = match known {
                Some(known) => known.memory.clone(),
                None => Arc::new(Memory::new(clock.clone())),
            };
            Shadow { id, judge: Judge::new(policy, hash_key), memory }
        };
        Self(policies.into_iter().map(shadow).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them wants to know about secrets.
    pub(crate) fn look_for_secrets(&self) -> bool {
        self.0.iter().any(|shadow| shadow.judge.policy().looks_for_secrets())
    }

    /// What those would have decided that would have decided differently.
    pub(crate) fn judge(&self, decided: Decided<'_>) -> Vec<ShadowVerdict> {
        self.0.iter().filter_map(|shadow| shadow.judge(decided)).collect()
    }

    pub(crate) fn stats(&self) -> Vec<ShadowStats> {
        let stats = |shadow: &Shadow| ShadowStats {
            id: shadow.id.clone(),
            policy_version: shadow.judge.policy().version().clone(),
            same: shadow.memory.same.load(Relaxed),
            allow_to_deny: shadow.memory.allow_to_deny.load(Relaxed),
            deny_to_allow: shadow.memory.deny_to_allow.load(Relaxed),
            undecided: shadow.memory.undecided.load(Relaxed),
        };
        self.0.iter().map(stats).collect()
    }
}

impl Shadow {
    fn judge(&self, decided: Decided<'_>) -> Option<ShadowVerdict> {
        let Decided { call, evaluation, scan, allowed, repeat } = decided;
        let host = evaluation.checks.iter().filter(|check| !crate::is_built_in(&check.check));
        let not_scanned = Unknown::SecretNotScanned;
        let observed = Observed {
            secrets: scan.ok_or(&not_scanned),
            host: host.map(|check| (&*check.check, check.outcome)),
            repeat,
            allowed,
        };
        // Whatever goes wrong here must not be noticed by the caller.
        let judge = || self.judge.judge(call, observed, &self.memory.rates);
        let judged = catch_unwind(AssertUnwindSafe(judge));
        let (count, verdict) = match judged {
            Err(_) | Ok(Judged::Undecided(_)) => (&self.memory.undecided, None),
            Ok(Judged::Allow) if !allowed => {
                (&self.memory.deny_to_allow, Some((Verdict::Allow, None)))
            }
            Ok(Judged::Deny(grounds)) if allowed => {
                (&self.memory.allow_to_deny, Some((Verdict::Deny, Some(grounds.to_string()))))
            }
            Ok(_) => (&self.memory.same, None),
        };
        count.fetch_add(1, Relaxed);
        let (decision, by) = verdict?;
        let policy_version = self.judge.policy().version().to_string();
        Some(ShadowVerdict { id: self.id.clone(), policy_version, decision, by })
    }
}

impl Memory {
    fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            rates: MemoryRateStore::new(clock),
            same: AtomicU64::new(0),
            allow_to_deny: AtomicU64::new(0),
            deny_to_allow: AtomicU64::new(0),
            undecided: AtomicU64::new(0),
        }
    }
}
