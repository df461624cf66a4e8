use std::collections::BTreeMap;

use serde::Serialize;
use systemprompt_core::id::EventId;

use super::{Grounds, RecordedDecision, Replayed, Unknown};

/// Most events that are named as examples for one direction.
const EXAMPLES: usize = 5;

/// Which way a decision changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// What was allowed would be denied.
    AllowToDeny,
    /// What was denied would be allowed.
    DenyToAllow,
}

impl Direction {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowToDeny => "allow_to_deny",
            Self::DenyToAllow => "deny_to_allow",
        }
    }
}

/// One decision that changes.
#[derive(Debug, Clone, Copy)]
pub struct Change<'c> {
    /// Which way.
    pub direction: Direction,
    /// What denies: the new policy for what was allowed, the old one for what was denied.
    pub rule: &'c str,
    /// The tool, qualified.
    pub tool: &'c str,
    /// The user, behind the tenant: `acme/ada`.
    pub user: &'c str,
    /// The event.
    pub event: EventId,
}

/// What another policy would change.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ReplayReport {
    /// Decisions that were looked at.
    pub decisions: u64,
    /// Those that stay as they are.
    pub unchanged: u64,
    /// Those of them that would be denied on other grounds than before.
    pub other_grounds: u64,
    /// What would be denied.
    pub allow_to_deny: ChangeReport,
    /// What would be allowed.
    pub deny_to_allow: ChangeReport,
    /// What cannot be told.
    pub undecided: UndecidedReport,
}

/// The changes in one direction.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ChangeReport {
    /// How many.
    pub total: u64,
    /// By the rule that denies, now or then.
    pub by_rule: Counted,
    /// By tool.
    pub by_tool: Counted,
    /// By user.
    pub by_user: Counted,
    /// The first few events.
    pub examples: Vec<EventId>,
}

/// Decisions that cannot be made again.
#[derive(Debug, Clone, Default, Serialize)]
pub struct UndecidedReport {
    /// How many.
    pub total: u64,
    /// By reason.
    pub by_reason: Counted,
}

/// How often each of some texts occurred.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct Counted(BTreeMap<String, u64>);

impl Counted {
    /// Counts one more.
    pub fn add(&mut self, text: &str) {
        match self.0.get_mut(text) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(text.to_owned(), 1)),
        }
    }

    /// The texts, the most frequent first.
    #[must_use]
    pub fn most_frequent(&self) -> Vec<(&str, u64)> {
        let mut counts: Vec<_> = self.0.iter().map(|(text, count)| (&**text, *count)).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }
}

impl ReplayReport {
    /// Counts a decision and how it comes out the second time.
    pub fn add(&mut self, recorded: &RecordedDecision, replayed: &Replayed) {
        self.decisions += 1;
        match replayed {
            Replayed::Allowed => self.unchanged += 1,
            Replayed::Denied(grounds) => {
                self.unchanged += 1;
                self.other_grounds += u64::from(*grounds != recorded.grounds());
            }
            Replayed::NowDenied(grounds) => {
                self.changed(recorded, Direction::AllowToDeny, grounds);
            }
            Replayed::NowAllowed => {
                self.changed(recorded, Direction::DenyToAllow, &recorded.grounds());
            }
            Replayed::Undecided(unknown) => {
                self.undecided.total += 1;
                self.undecided.by_reason.add(&unknown.to_string());
            }
        }
    }

    fn changed(&mut self, recorded: &RecordedDecision, direction: Direction, grounds: &Grounds) {
        let (tool, user) = (recorded.qualified_tool(), recorded.qualified_user());
        let event = recorded.id;
        self.count(Change { direction, rule: grounds.as_str(), tool: &tool, user: &user, event });
    }

    /// Counts rows that hold no decision that can be read.
    pub fn unreadable(&mut self, count: u64) {
        self.decisions += count;
        self.undecided.total += count;
        *self.undecided.by_reason.0.entry(Unknown::Unreadable.to_string()).or_default() += count;
    }

    /// Counts a change alone.
    pub fn count(&mut self, change: Change<'_>) {
        let report = match change.direction {
            Direction::AllowToDeny => &mut self.allow_to_deny,
            Direction::DenyToAllow => &mut self.deny_to_allow,
        };
        report.total += 1;
        report.by_rule.add(change.rule);
        report.by_tool.add(change.tool);
        report.by_user.add(change.user);
        if report.examples.len() < EXAMPLES {
            report.examples.push(change.event);
        }
    }

    /// The changes in one direction.
    #[must_use]
    pub fn changes(&self, direction: Direction) -> &ChangeReport {
        match direction {
            Direction::AllowToDeny => &self.allow_to_deny,
            Direction::DenyToAllow => &self.deny_to_allow,
        }
    }
}
