//! How long events are kept.
//!
//! What is old enough goes from the beginning of a log, in whole tiles of its tree (256 events), as far as it
//! is signed, its permits are closed and exports have it. The event `pruned` says so first: up to which place,
//! with the root of the tree there and the keys that were named before. The tree itself stays, 32 bytes for
//! each event, so that proofs and checkpoints go on as before and verification begins after what was pruned.

mod plan;
mod prune;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use systemprompt_core::id::EventId;

pub use self::plan::{PrunePlan, plan};
pub use self::prune::{PruneError, Pruned, prune};
use crate::verify::KeyEvent;

/// How long events are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Not longer than this.
    pub age: Option<Duration>,
    /// Not more than about so many bytes, over all logs.
    pub size: Option<u64>,
    /// Export sinks that must have an event before it goes.
    pub sinks: Vec<String>,
}

/// How far a log goes, and what holds retention up.
#[derive(Debug, Clone)]
pub(crate) struct LogExtent {
    pub(crate) log_id: i64,
    pub(crate) origin: String,
    pub(crate) swept_to: i64,
    /// The first and the last event that are there; 0 when there is none.
    pub(crate) first: i64,
    pub(crate) last: i64,
    /// Events of the largest checkpoint.
    pub(crate) signed: i64,
    pub(crate) pruned_to: i64,
    /// Up to where every sink has the events; `None` when there is no sink.
    pub(crate) exported: Option<i64>,
}

/// Some events that follow each other.
#[derive(Debug, Clone)]
pub(crate) struct Stretch {
    pub(crate) rows: i64,
    pub(crate) newest: Option<i64>,
    pub(crate) bytes: i64,
}

/// Up to where a log was pruned, as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct PrunedRow {
    pub(crate) up_to: i64,
    /// The details of the event that says so; `None` when there is no such event.
    pub(crate) detail: Option<String>,
}

/// What an event says about the pruning of another log than its own.
#[derive(Debug, Clone)]
pub(crate) struct SaidOfOther {
    pub(crate) log_id: i64,
    pub(crate) up_to: i64,
    pub(crate) detail: String,
}

/// The details of an event of the kind `pruned`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PrunedDetail {
    /// The name of the log.
    pub(crate) log: String,
    /// The place of the last event that goes.
    pub(crate) up_to: i64,
    /// The root of the tree there, in hex.
    pub(crate) root: String,
    /// The event there.
    pub(crate) last: EventId,
    /// Who wanted it.
    pub(crate) by: String,
    /// The events about keys among those that have gone.
    pub(crate) keys: Vec<KeyEvent>,
}

impl PrunedRow {
    /// What was pruned of the log `origin`; `None` when no event says so.
    pub(crate) fn proven(&self, origin: &str) -> Option<PrunedDetail> {
        let detail: PrunedDetail = serde_json::from_str(self.detail.as_deref()?).ok()?;
        (detail.log == origin && detail.up_to == self.up_to).then_some(detail)
    }
}
