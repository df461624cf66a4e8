use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::call::MalformedCall;
use crate::id::AgentId;

/// Why a call was denied.
///
/// Exhaustive on purpose: a host is told by its compiler when a reason is added. Each reason has a
/// stable [`code`](Self::code), a sentence a model can act on (`Display`) and structured
/// [`data`](Self::data). No reason repeats a value of the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DenialReason {
    /// No valid credential.
    Unauthenticated,
    /// A valid credential for another surface.
    AudienceMismatch,
    /// No rule knows the tool.
    UnknownTool {
        /// The tool, as it is safe to show.
        tool: Arc<str>,
    },
    /// The policy does not name the agent.
    UnknownAgent,
    /// The principal lacks what the rules for the tool, or for the agent, ask for.
    ScopeViolation {
        /// The tool, as it is safe to show.
        tool: Arc<str>,
        /// Scopes or roles, any set of which would have been enough; empty when a deny rule matched.
        required: Vec<Arc<str>>,
        /// The agent the principal is not granted, if that is the reason.
        agent: Option<AgentId>,
    },
    /// A secret in the arguments.
    SecretDetected {
        /// The rule that found it.
        rule: Arc<str>,
        /// Where.
        location: SecretLocation,
        /// A keyed fingerprint of the secret, to recognise it again; it does not reveal a character.
        fingerprint: String,
    },
    /// The text would cost more to look through than the scanner may spend, so what is in it is not known.
    ScanBudgetExceeded {
        /// Where.
        location: SecretLocation,
    },
    /// A blocklist pattern matched.
    Blocked {
        /// The list.
        list: Arc<str>,
        /// The pattern.
        pattern: Arc<str>,
    },
    /// A limit is used up.
    RateLimited {
        /// The limit that was hit first.
        limit: Arc<str>,
        /// Its size.
        window: RateWindow,
        /// When the same call would be allowed.
        retry_after: Duration,
    },
    /// A budget is used up.
    BudgetExceeded {
        /// The budget.
        budget: Arc<str>,
    },
    /// The call would complete a forbidden flow of data.
    FlowViolation {
        /// The rule.
        rule: Arc<str>,
    },
    /// A person must approve and cannot be asked through this door.
    ApprovalRequired,
    /// A person said no.
    ApprovalRejected,
    /// Nobody answered in time.
    ApprovalExpired,
    /// A host check or policy rule said no.
    Policy {
        /// The check or rule.
        id: Arc<str>,
        /// Its own words.
        detail: Arc<str>,
    },
    /// What came in is not a tool call.
    MalformedCall(MalformedCall),
    /// A check failed itself: error, panic or deadline.
    CheckFailed {
        /// The check.
        check: Arc<str>,
    },
    /// The decision could not be recorded.
    AuditUnavailable,
    /// The server is shutting down.
    ShuttingDown,
}

/// Where in the arguments a secret was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct SecretLocation(String);

impl SecretLocation {
    /// A JSON path such as `$.env[2].token`; a key that is itself the secret shows as `[key:<n>]`.
    #[must_use]
    pub fn new(path: String) -> Self {
        Self(path)
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The size of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWindow {
    /// Calls per window.
    pub limit: u64,
    /// The window.
    pub window: Duration,
}

impl DenialReason {
    /// The reason's stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "unauthenticated",
            Self::AudienceMismatch => "audience_mismatch",
            Self::UnknownTool { .. } => "unknown_tool",
            Self::UnknownAgent => "unknown_agent",
            Self::ScopeViolation { .. } => "scope_violation",
            Self::SecretDetected { .. } => "secret_detected",
            Self::ScanBudgetExceeded { .. } => "scan_budget_exceeded",
            Self::Blocked { .. } => "blocked",
            Self::RateLimited { .. } => "rate_limited",
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::FlowViolation { .. } => "flow_violation",
            Self::ApprovalRequired => "approval_required",
            Self::ApprovalRejected => "approval_rejected",
            Self::ApprovalExpired => "approval_expired",
            Self::Policy { .. } => "policy",
            Self::MalformedCall(_) => "malformed_call",
            Self::CheckFailed { .. } => "check_failed",
            Self::AuditUnavailable => "audit_unavailable",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// The reason's structured data; an object, `{}` when there is none.
    #[must_use]
    pub fn data(&self) -> Value {
        match self {
            Self::UnknownTool { tool } => json!({ "tool": **tool }),
            Self::ScopeViolation { tool, required, agent } => {
                json!({ "tool": **tool, "required": required, "agent": agent })
            }
            Self::SecretDetected { rule, location, fingerprint } => {
                json!({ "rule": **rule, "location": location, "fingerprint": fingerprint })
            }
            Self::ScanBudgetExceeded { location } => json!({ "location": location }),
            Self::Blocked { list, pattern } => json!({ "list": **list, "pattern": **pattern }),
            Self::RateLimited { limit, window, .. } => json!({
                "limit": **limit,
                "max": window.limit,
                "window_ms": millis(window.window),
                "retry_after_ms": self.retry_after_ms(),
            }),
            Self::BudgetExceeded { budget } => json!({ "budget": **budget }),
            Self::FlowViolation { rule } => json!({ "rule": **rule }),
            Self::Policy { id, detail } => json!({ "id": **id, "detail": **detail }),
            Self::CheckFailed { check } => json!({ "check": **check }),
            Self::Unauthenticated
            | Self::AudienceMismatch
            | Self::UnknownAgent
            | Self::ApprovalRequired
            | Self::ApprovalRejected
            | Self::ApprovalExpired
            | Self::MalformedCall(_)
            | Self::AuditUnavailable
            | Self::ShuttingDown => json!({}),
        }
    }

    /// Milliseconds until the same call would be allowed, rounded up; `None` unless rate limited.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(millis_up(*retry_after)),
            _ => None,
        }
    }
}

impl fmt::Display for DenialReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("The call carries no valid credential."),
            Self::AudienceMismatch => f.write_str("The credential was issued for another service."),
            Self::UnknownTool { tool } => {
                write!(f, "No rule allows the tool `{tool}`; ask for it to be added to the policy.")
            }
            Self::UnknownAgent => f.write_str("The policy does not know the agent that was named."),
            Self::ScopeViolation { agent: Some(agent), .. } => {
                write!(f, "You may not act as the agent `{agent}`.")
            }
            Self::ScopeViolation { tool, required, .. } if required.is_empty() => {
                write!(f, "A rule denies the tool `{tool}` here.")
            }
            Self::ScopeViolation { tool, required, .. } => {
                write!(f, "The tool `{tool}` needs {}.", required.join(" or "))
            }
            Self::SecretDetected { rule, location, .. } => write!(
                f,
                "The call carries a secret ({rule}) at {}; remove it and refer to the secret by name.",
                location.as_str()
            ),
            Self::ScanBudgetExceeded { location } => write!(
                f,
                "The text at {} takes too long to search for secrets; send less of it, or send it plain.",
                location.as_str()
            ),
            Self::Blocked { list, pattern } => {
                write!(f, "The tool is blocked by `{pattern}` of the list `{list}`.")
            }
            Self::RateLimited { limit, window, retry_after } => write!(
                f,
                "The limit `{limit}` of {} calls per {} s is used up; try again in {} ms.",
                window.limit,
                window.window.as_secs_f64(),
                millis_up(*retry_after)
            ),
            Self::BudgetExceeded { budget } => write!(f, "The budget `{budget}` is used up."),
            Self::FlowViolation { rule } => {
                write!(f, "The call would send data where the rule `{rule}` forbids it.")
            }
            Self::ApprovalRequired => f.write_str("A person must approve this call first."),
            Self::ApprovalRejected => f.write_str("A person rejected this call."),
            Self::ApprovalExpired => f.write_str("Nobody approved this call in time."),
            Self::Policy { id, detail } => write!(f, "The check `{id}` denied the call: {detail}"),
            Self::MalformedCall(fault) => write!(f, "The call cannot be read: {fault}."),
            Self::CheckFailed { check } => {
                write!(f, "The check `{check}` failed, so the call was denied; try again later.")
            }
            Self::AuditUnavailable => f.write_str(
                "The decision could not be recorded, so the call was denied; try again later.",
            ),
            Self::ShuttingDown => f.write_str("The server is shutting down; try again later."),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn millis_up(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}
