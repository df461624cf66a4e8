use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What sums are taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// What requests to models cost.
    Costs,
    /// How tools were called, what was denied and how long they ran.
    Tools,
    /// What agents did, and what that cost.
    Agents,
    /// How models were asked.
    Requests,
    /// All of it.
    Overview,
}

/// What sums are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The provider of the model.
    Provider,
    /// The model.
    Model,
    /// The agent.
    Agent,
    /// The user.
    User,
    /// The user's department.
    Department,
    /// The tool, with its server as in `mcp__server__tool`.
    Tool,
    /// The tenant.
    Tenant,
    /// The code of the reason of a denial.
    Reason,
    /// The hour, such as `2026-11-22T20:00Z` (UTC, as all of them).
    Hour,
    /// The day, such as `2026-11-22`.
    Day,
    /// The month, such as `2026-11`.
    Month,
}

/// A name that is not one of those there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not one of {expected}")]
pub struct DimensionError {
    expected: String,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Costs, Self::Tools, Self::Agents, Self::Requests, Self::Overview];

    /// The subject's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Costs => "costs",
            Self::Tools => "tools",
            Self::Agents => "agents",
            Self::Requests => "requests",
            Self::Overview => "overview",
        }
    }

    /// What is grouped by unless something else is asked for.
    #[must_use]
    pub fn default_by(self) -> Vec<Dimension> {
        match self {
            Self::Costs => vec![Dimension::Model],
            Self::Tools => vec![Dimension::Tool],
            Self::Agents => vec![Dimension::Agent],
            Self::Requests => vec![Dimension::Provider, Dimension::Model],
            Self::Overview => vec![Dimension::Day],
        }
    }

    /// Whether requests to models count.
    pub(super) fn has_requests(self) -> bool {
        self != Self::Tools
    }

    /// Whether calls of tools count.
    pub(super) fn has_calls(self) -> bool {
        matches!(self, Self::Tools | Self::Agents | Self::Overview)
    }
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Provider,
        Self::Model,
        Self::Agent,
        Self::User,
        Self::Department,
        Self::Tool,
        Self::Tenant,
        Self::Reason,
        Self::Hour,
        Self::Day,
        Self::Month,
    ];

    /// The dimension's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Model => "model",
            Self::Agent => "agent",
            Self::User => "user",
            Self::Department => "department",
            Self::Tool => "tool",
            Self::Tenant => "tenant",
            Self::Reason => "reason",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// Whether it is a time.
    #[must_use]
    pub fn is_time(self) -> bool {
        matches!(self, Self::Hour | Self::Day | Self::Month)
    }

    /// Reads names with commas between them.
    ///
    /// # Errors
    /// [`DimensionError`] when one is not among [`ALL`](Self::ALL).
    pub fn list(names: &str) -> Result<Vec<Self>, DimensionError> {
        names.split(',').map(|name| name.trim().parse()).collect()
    }
}

impl FromStr for Subject {
    type Err = DimensionError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == name);
        found.ok_or_else(|| DimensionError { expected: Self::ALL.map(Self::as_str).join(", ") })
    }
}

impl FromStr for Dimension {
    type Err = DimensionError;
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|it| it.as_str() == name);
        found.ok_or_else(|| DimensionError { expected: Self::ALL.map(Self::as_str).join(", ") })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
