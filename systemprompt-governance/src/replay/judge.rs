//! A policy that decides what was decided already: by its own checks, with the findings of others.

use std::sync::Arc;

use systemprompt_core::call::ToolCall;
use systemprompt_core::decision::CheckOutcome;

use super::{Grounds, Unknown};
use crate::policy::Policy;
use crate::policy::secrets::Place;
use crate::rate::MemoryRateStore;

/// A policy that decides calls a second time.
#[derive(Debug)]
pub(crate) struct Judge {
    policy: Arc<Policy>,
    hash_key: [u8; 16],
}

/// What was seen when a call was decided the first time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observed<'o, H> {
    /// The ids of the secret rules that found something.
    pub(crate) secrets: Result<&'o [Arc<str>], &'o Unknown>,
    /// The host checks with their outcomes, in their order.
    pub(crate) host: H,
    /// The call repeats one whose permit is open: it is not charged.
    pub(crate) repeat: bool,
    /// Whether it was allowed then.
    pub(crate) allowed: bool,
}

/// How a call is decided the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    Allow,
    Deny(Grounds),
    Undecided(Unknown),
}

impl Judge {
    /// `hash_key` keys the buckets of limits.
    pub(crate) fn new(policy: Arc<Policy>, hash_key: [u8; 16]) -> Self {
        Self { policy, hash_key }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides `call` in the order of the pipeline. What is missing for one check matters only if no other
    /// one denies.
    pub(crate) fn judge<'o, H>(
        &self,
        call: &ToolCall,
        observed: Observed<'o, H>,
        rates: &MemoryRateStore,
    ) -> Judged
    where
        H: Iterator<Item = (&'o str, CheckOutcome)>,
    {
        if !self.policy.enabled() {
            return Judged::Allow;
        }
        let mut unknown = None;
        match self.look(call, observed.secrets) {
            Ok(missing) => unknown = missing.or(unknown),
            Err(grounds) => return Judged::Deny(grounds),
        }
        let charges = match observed.repeat {
            true => Vec::new(),
            false => self.policy.charges(call, &self.hash_key),
        };
        if let Err(refusal) = rates.fits(&charges) {
            let limit = charges.get(refusal.charge).map(|charge| charge.limit.clone());
            return Judged::Deny(Grounds::new("rate", limit.as_deref().unwrap_or_default()));
        }
        for (check, outcome) in observed.host {
            if self.policy.disables_check(check) {
                continue;
            }
            match outcome {
                CheckOutcome::Passed => {}
                CheckOutcome::Denied => return Judged::Deny(Grounds::new("check", check)),
                CheckOutcome::Errored => return Judged::Deny(Grounds::new("failed", check)),
                CheckOutcome::Skipped | CheckOutcome::Disabled => {
                    unknown.get_or_insert_with(|| Unknown::CheckNotAsked(check.to_owned()));
                }
            }
        }
        if unknown.is_none() || observed.allowed {
            rates.charge(&charges);
        }
        unknown.map_or(Judged::Allow, Judged::Undecided)
    }

    /// *scope*, *secret*, *blocklist*; what could not be told when none of them denies.
    fn look(
        &self,
        call: &ToolCall,
        secrets: Result<&[Arc<str>], &Unknown>,
    ) -> Result<Option<Unknown>, Grounds> {
        self.policy.check_scope(call).map_err(|denial| Grounds::of_scope(&denial))?;
        let mut unknown = None;
        if self.policy.looks_for_secrets() {
            match secrets {
                Ok(found) => unknown = self.weigh(call, found)?,
                Err(missing) => unknown = Some(missing.clone()),
            }
        }
        match self.policy.check_blocklists(call) {
            Ok(()) => Ok(unknown),
            Err(blocked) => Err(Grounds::new("blocklist", &blocked.list)),
        }
    }

    /// What the policy makes of the rules that found something in a call.
    fn weigh(&self, call: &ToolCall, found: &[Arc<str>]) -> Result<Option<Unknown>, Grounds> {
        let place = Place::of_call(call);
        let mut unknown = None;
        for rule in found {
            match self.policy.secrets().denies(rule, place) {
                Some(true) => return Err(Grounds::new("secret", rule)),
                Some(false) => {}
                None => unknown = Some(Unknown::SecretPlaceNotKept),
            }
        }
        Ok(unknown)
    }
}
