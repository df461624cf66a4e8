//! What another policy would have decided: recorded decisions, decided again by the same checks.
//!
//! [`Replay`] takes [`RecordedDecision`]s in the order of their logs. *scope* and *blocklist* see the
//! call as it was; *rate* charges limits of its own at the recorded times, one memory for each log, empty
//! again where its server started anew; *secret* goes by what the scanner found then; host checks count
//! as they answered then. What cannot be told from the record is [`Unknown`], and never guessed.

mod grounds;
mod judge;
mod recorded;
mod report;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::{Clock as _, ManualClock, Timestamp};
use systemprompt_core::event::Verdict;
use systemprompt_core::id::PermitId;

pub use grounds::Grounds;
pub use recorded::{RecordedCheck, RecordedDecision};
pub use report::{Change, ChangeReport, Counted, Direction, ReplayReport, UndecidedReport};

pub(crate) use judge::{Judge, Judged, Observed};

use crate::policy::Policy;
use crate::rate::MemoryRateStore;

/// Keys the buckets of a replay, which nobody else sees.
const HASH_KEY: [u8; 16] = *b"policy replay v1";

/// Buckets that the limits of one log may have.
const BUCKETS: usize = 1_000_000;

/// Why a decision cannot be made again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unknown {
    /// What came in was no tool call.
    Malformed,
    /// What the decision depended on was not kept.
    NoFeatures,
    /// A name in the call was recorded without the secret in it.
    Redacted,
    /// The arguments were not searched for secrets.
    SecretNotScanned,
    /// The arguments were searched for secrets by other rules than there are now.
    SecretRulesChanged,
    /// Whether a secret counts depends on where it was and how sure its rule was, which is not kept.
    SecretPlaceNotKept,
    /// A host check that would have had to answer was not asked.
    CheckNotAsked(String),
    /// It was left to a person.
    Pending,
    /// The event does not hold a call that can be read.
    Unreadable,
}

impl Unknown {
    /// The reason's stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_call",
            Self::NoFeatures => "features_not_kept",
            Self::Redacted => "name_redacted",
            Self::SecretNotScanned => "secret_not_scanned",
            Self::SecretRulesChanged => "secret_rules_changed",
            Self::SecretPlaceNotKept => "secret_place_not_kept",
            Self::CheckNotAsked(_) => "check_not_asked",
            Self::Pending => "pending",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "what came in was no tool call",
            Self::NoFeatures => "what the decision depended on was not kept",
            Self::Redacted => "a name in the call held a secret and was not kept",
            Self::SecretNotScanned => "the arguments were not searched for secrets then",
            Self::SecretRulesChanged => "the arguments were searched by other secret rules then",
            Self::SecretPlaceNotKept => {
                "whether the secret counts depends on where it was, which is not kept"
            }
            Self::CheckNotAsked(check) => {
                return write!(f, "the check `{check}` was not asked then");
            }
            Self::Pending => "the decision was left to a person",
            Self::Unreadable => "the event holds no call that can be read",
        })
    }
}

/// How a recorded decision comes out the second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// Allowed both times.
    Allowed,
    /// Denied both times, now on these grounds.
    Denied(Grounds),
    /// Allowed then, denied now on these grounds.
    NowDenied(Grounds),
    /// Denied then, allowed now.
    NowAllowed,
    /// It cannot be told.
    Undecided(Unknown),
}

/// Decides recorded decisions by another policy.
#[derive(Debug)]
pub struct Replay {
    judge: Judge,
    /// What the rules of the secret scanner are called now.
    rules: Arc<str>,
    logs: HashMap<String, Limits>,
    /// Permits of calls that are denied now, so that their repeats are no repeats.
    denied: HashSet<PermitId>,
}

/// What is used up of the limits, as the server of one log sees it.
#[derive(Debug)]
struct Limits {
    clock: Arc<ManualClock>,
    rates: MemoryRateStore,
}

impl Replay {
    /// A replay by `policy`. `rules` is what [`Scanner::rules`](crate::secret::Scanner::rules) says now.
    #[must_use]
    pub fn new(policy: Arc<Policy>, rules: Arc<str>) -> Self {
        let judge = Judge::new(policy, HASH_KEY);
        Self { judge, rules, logs: HashMap::new(), denied: HashSet::new() }
    }

    /// For how long before the first decision of interest decisions matter, because a limit may still
    /// remember them.
    #[must_use]
    pub fn memory(&self) -> Duration {
        self.judge.policy().memory()
    }

    /// The server of a log started anew, with nothing used up.
    pub fn restarted(&mut self, origin: &str) {
        self.logs.remove(origin);
    }

    /// Decides again what was decided next in its log.
    pub fn decide(&mut self, recorded: &RecordedDecision) -> Replayed {
        let (call, features) = match recorded.call() {
            Ok(known) => known,
            Err(unknown) => return Replayed::Undecided(unknown),
        };
        let secrets = RecordedDecision::secrets(features, &self.rules);
        let repeats = recorded.repeats();
        let allowed = recorded.verdict == Verdict::Allow;
        let observed = Observed {
            secrets: secrets.as_deref(),
            host: recorded.host(),
            repeat: repeats.is_some_and(|permit| !self.denied.contains(&permit)),
            allowed,
        };
        let judged = if recorded.one_off {
            self.judge.judge(&call, observed, &Limits::at(recorded.occurred_at, 64).rates)
        } else {
            let limits = match self.logs.get_mut(&recorded.origin) {
                Some(limits) => limits,
                None => self
                    .logs
                    .entry(recorded.origin.clone())
                    .or_insert_with(|| Limits::at(recorded.occurred_at, BUCKETS)),
            };
            limits.pass(recorded.occurred_at);
            self.judge.judge(&call, observed, &limits.rates)
        };
        if let Some(permit) = recorded.permit {
            match judged {
                Judged::Deny(_) => self.denied.insert(permit),
                Judged::Allow | Judged::Undecided(_) => self.denied.remove(&permit),
            };
        }
        match (judged, allowed) {
            (Judged::Undecided(unknown), _) => Replayed::Undecided(unknown),
            (Judged::Allow, true) => Replayed::Allowed,
            (Judged::Allow, false) => Replayed::NowAllowed,
            (Judged::Deny(grounds), true) => Replayed::NowDenied(grounds),
            (Judged::Deny(grounds), false) => Replayed::Denied(grounds),
        }
    }
}

impl Limits {
    fn at(start: Timestamp, buckets: usize) -> Self {
        let clock = Arc::new(ManualClock::at(start));
        // Time that has passed before anything was charged.
        let rates = MemoryRateStore::with_capacity(buckets, clock.clone());
        Self { clock, rates }
    }

    /// Lets time pass up to `instant`; events of one log may be microseconds out of order.
    fn pass(&self, instant: Timestamp) {
        let passed = instant.as_micros().saturating_sub(self.clock.now().as_micros());
        self.clock.advance(Duration::from_micros(u64::try_from(passed).unwrap_or(0)));
    }
}
