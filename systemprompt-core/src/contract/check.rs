use async_trait::async_trait;

use crate::call::ToolCall;

/// A host's own check. It may only deny: there is no way to say "allow" over another check's head.
/// Object-safe.
#[async_trait]
pub trait Check: Send + Sync + 'static {
    /// The check's id, unique among checks; part of the evaluation and the audit row.
    fn id(&self) -> &str;

    /// Looks at the call. Runs after the four built-in checks have passed, under a deadline; a panic
    /// or an overrun denies.
    ///
    /// # Errors
    /// [`CheckFailure`] when the check cannot tell; the call is denied.
    async fn check(&self, call: &ToolCall) -> Result<CheckVerdict, CheckFailure>;
}

/// What a check says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckVerdict {
    /// Nothing against the call.
    Pass,
    /// The call must not run.
    Deny {
        /// Why, in a sentence a model can act on; redacted before it is stored.
        detail: String,
    },
}

/// A check could not tell.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct CheckFailure(pub String);
