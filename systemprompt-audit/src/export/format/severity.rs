use crate::EventRecord;

/// How much an event deserves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Severity {
    Informational,
    Low,
    Medium,
    High,
}

impl Severity {
    pub(super) fn of(event: &EventRecord) -> Self {
        match event.kind.as_str() {
            "decision" => match event.decision.as_deref() {
                Some("allow") => Self::Informational,
                Some("deny") => Self::of_denial(event.reason_code.as_deref().unwrap_or_default()),
                _ => Self::Low,
            },
            "outcome" => match event.status.as_deref() {
                Some("success") => Self::Informational,
                Some("abandoned") => Self::Medium,
                _ => Self::Low,
            },
            "governance_disabled" => Self::High,
            "auth_refused" | "policy_rejected" | "secret_denied" => Self::Medium,
            "key_created" | "key_revoked" | "token_revoked" | "secret_created"
            | "secret_rotated" | "secret_granted" | "secret_revoked" | "secret_rewrapped" => {
                Self::Low
            }
            _ => Self::Informational,
        }
    }

    fn of_denial(reason_code: &str) -> Self {
        match reason_code {
            "secret_detected"
            | "scan_budget_exceeded"
            | "flow_violation"
            | "check_failed"
            | "audit_unavailable" => Self::High,
            "rate_limited" | "budget_exceeded" | "shutting_down" => Self::Low,
            _ => Self::Medium,
        }
    }
}
