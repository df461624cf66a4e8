use std::time::Duration;

use systemprompt_core::decision::DenialReason;
use systemprompt_core::id::AiRequestId;
use systemprompt_core::secret::Redact;

use systemprompt_core::llm::{ErrorKind, ModelError};

/// The id of a request that has no record of its own.
pub(super) fn unrecorded_id() -> String {
    format!("req_{}", AiRequestId::generate().to_string().replace('-', ""))
}

/// A refusal of a request by policy, as the caller is told.
pub(super) fn refusal(reason: &DenialReason, redact: &dyn Redact) -> ModelError {
    let text = format!("refused by policy ({}): {reason}", reason.code());
    let text = redact.redact(&text).into_owned();
    let mut error = ModelError::new(kind(reason), text).with_code(reason.code());
    error.retry_after = reason.retry_after_ms().map(Duration::from_millis);
    error
}

/// A refusal because of a text in `field`, as the caller is told.
pub(super) fn withheld(field: &str, reason: &DenialReason) -> ModelError {
    let message = format!("`{field}`: refused by policy ({}): {reason}", reason.code());
    let mut error = ModelError::invalid(field, message).with_code(reason.code());
    error.kind = kind(reason);
    error
}

/// A request that policy refuses is one that cannot be used: 403 makes some clients log in again. What
/// passes by itself is no fault of the request.
fn kind(reason: &DenialReason) -> ErrorKind {
    match reason {
        DenialReason::AuditUnavailable | DenialReason::ShuttingDown => ErrorKind::Overloaded,
        _ => ErrorKind::InvalidRequest,
    }
}
