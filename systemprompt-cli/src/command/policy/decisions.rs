//! The decisions of a time, each log in its order.

use std::collections::{HashMap, VecDeque};

use serde::Deserialize as _;
use serde::de::IntoDeserializer as _;
use serde::de::value::Error as Unknown;
use systemprompt_audit::{
    AuditReader, EventFilter, EventRecord, FollowedEvent, Follower, LogHeads, ReadScope,
    parse_instant,
};
use systemprompt_core::call::Door;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::decision::CheckOutcome;
use systemprompt_core::event::{DecisionFeatures, EventKind, Verdict};
use systemprompt_governance::replay::{RecordedCheck, RecordedDecision};

use crate::failure::Failure;

/// A stretch of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
}

impl Span {
    pub(super) fn of(since: &str, until: Option<&str>, now: Timestamp) -> Result<Self, Failure> {
        let instant = |option: &str, text: &str| {
            parse_instant(text, now).map_err(|error| Failure::usage(format!("{option}: {error}")))
        };
        let from = instant("--since", since)?;
        let to = until.map(|until| instant("--until", until)).transpose()?;
        if to.is_some_and(|to| to <= from) {
            return Err(Failure::usage("--until is not after --since"));
        }
        Ok(Self { from, to })
    }
}

/// What is met on the way through the logs.
pub(super) enum Met<'m> {
    /// A decision.
    Decision(&'m EventRecord),
    /// A row that cannot be read.
    Unreadable,
    /// The server of a log started; it had decided nothing yet.
    Started(&'m str),
}

/// Gives `each` every decision of `span`, those of each log in its order.
pub(super) async fn all(
    reader: &AuditReader,
    span: Span,
    mut each: impl FnMut(Met<'_>),
) -> Result<(), Failure> {
    let Span { from, to } = span;
    let filter =
        |kind| EventFilter { kind: Some(kind), from: Some(from), to, ..EventFilter::default() };
    let position = reader.position_before(from).await.map_err(Failure::database)?;
    // What is written from now on is left for the next time: a busy log would never end.
    let heads = reader.heads().await.map_err(Failure::database)?;
    let follower =
        |kind| Follower::new(reader.clone(), ReadScope::All, filter(kind), position.clone());
    let mut starts: HashMap<String, VecDeque<i64>> = HashMap::new();
    until(&heads, follower(EventKind::ServerStarted), |event| {
        starts.entry(event.origin.clone()).or_default().push_back(event.seq);
    })
    .await?;
    until(&heads, follower(EventKind::Decision), |event| {
        let mut starts = starts.get_mut(&event.origin);
        while starts
            .as_mut()
            .is_some_and(|starts| starts.pop_front_if(|start| *start < event.seq).is_some())
        {
            each(Met::Started(&event.origin));
        }
        match &event.event {
            Some(record) => each(Met::Decision(record)),
            None => each(Met::Unreadable),
        }
    })
    .await
}

/// Gives `each` what `follower` finds up to `heads`.
async fn until(
    heads: &LogHeads,
    mut follower: Follower,
    mut each: impl FnMut(&FollowedEvent),
) -> Result<(), Failure> {
    while heads.are_after(follower.position()) {
        let followed = follower.next().await.map_err(Failure::database)?;
        followed
            .events
            .iter()
            .filter(|event| heads.have(&event.origin, event.seq))
            .for_each(&mut each);
    }
    Ok(())
}

/// The decision as a replay wants it; `None` when the event is not one that the log writes.
pub(super) fn recorded(event: &EventRecord) -> Option<RecordedDecision> {
    let verdict = match event.decision.as_deref()? {
        "allow" => Verdict::Allow,
        "deny" => Verdict::Deny,
        "pending" => Verdict::Pending,
        _ => return None,
    };
    let mut checks = Vec::new();
    for said in &event.evaluation.as_ref()?.checks {
        let outcome = said.outcome.as_str().into_deserializer();
        let outcome = CheckOutcome::deserialize(outcome).map_err(|_: Unknown| ()).ok()?;
        let (check, detail) = (said.check.clone(), said.detail.clone());
        checks.push(RecordedCheck { check, outcome, detail });
    }
    Some(RecordedDecision {
        origin: event.origin.clone(),
        id: event.id,
        occurred_at: event.occurred_at,
        tenant: event.tenant_id.clone().unwrap_or_default(),
        user: event.user_id.clone().unwrap_or_default(),
        department: event.department.clone(),
        session: event.session_id.clone(),
        agent: event.agent_id.clone(),
        server: event.server.clone(),
        tool: event.tool.clone().unwrap_or_default(),
        one_off: event.door.as_deref() == Some(Door::Cli.as_str()),
        verdict,
        reason_code: event.reason_code.clone(),
        reason_data: event.reason_data.clone(),
        permit: event.permit_id,
        checks,
        features: features(event),
    })
}

/// What the decision depended on; `None` when that was not kept.
pub(super) fn features(event: &EventRecord) -> Option<DecisionFeatures> {
    DecisionFeatures::from_value(event.detail.as_ref()?).ok()
}
