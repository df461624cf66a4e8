//! Running a tool whose result goes to a model.

use bytes::Bytes;
use systemprompt_core::content::{
    Content, ContentBody, ContentFinding, ContentOrigin, ContentVerdict,
};
use systemprompt_core::contract::{SettleError, ToolError, ToolProvider};
use systemprompt_core::decision::{DenialReason, Permit, RunError};
use systemprompt_core::policy::SecretDirection;
use systemprompt_core::secret::Redact as _;

use super::Governor;

/// What a tool returned, as the model may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolResult {
    /// The result, with something else in the place of its secrets.
    pub body: Bytes,
    /// What was found in it.
    pub findings: Vec<ContentFinding>,
}

/// Why there is no result to show.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolFailure {
    /// The permit had expired; the tool was not run.
    #[error("the permit expired before the tool was run")]
    Expired,
    /// A repeat of the call was faster, or the permit was settled; the tool was not run.
    #[error("the permit was spent before")]
    AlreadySpent,
    /// The tool failed; the text is without secrets.
    #[error("{0}")]
    Tool(String),
    /// The outcome could not be recorded. The tool did run.
    #[error("the outcome could not be recorded")]
    Unrecorded(#[source] SettleError),
    /// The tool did run, and the policy withholds its result.
    #[error("the result is withheld: {0}")]
    Withheld(DenialReason),
}

impl Governor {
    /// Runs a permitted call by `provider` and does what the policy says about the secrets in its result and in
    /// the text of its failure. A result that is not UTF-8 is searched as the text that is left without the
    /// bytes that are none, and comes back as it was when nothing is found.
    ///
    /// # Errors
    /// [`ToolFailure`] when the permit cannot be used, the tool fails, or its result may not be seen.
    pub async fn run_tool(
        &self,
        permit: Permit,
        provider: &dyn ToolProvider,
    ) -> Result<ToolResult, ToolFailure> {
        let call = permit.call().clone();
        let result = permit.run_bytes(|injected| provider.call(injected)).await;
        let body = result.map_err(|error| self.failure(error))?;
        let text = String::from_utf8_lossy(&body);
        let context = systemprompt_core::call::CallContext {
            call_id: Some(call.call_id().clone()),
            trace_id: Some(call.trace_id()),
            ..call.context().clone()
        };
        let origin = ContentOrigin {
            direction: SecretDirection::Result,
            principal: call.principal(),
            tool: Some(call.tool()),
            door: call.door(),
            context: &context,
        };
        let inspection = self.inspect(Content { origin, body: ContentBody::Json(&text) }).await;
        let findings = inspection.findings;
        match inspection.verdict {
            ContentVerdict::Pass => Ok(ToolResult { body, findings }),
            ContentVerdict::Rewritten(text) => Ok(ToolResult { body: text.into(), findings }),
            ContentVerdict::Withheld(reason) => Err(ToolFailure::Withheld(reason)),
        }
    }

    fn failure(&self, error: RunError<ToolError>) -> ToolFailure {
        match error {
            RunError::Expired => ToolFailure::Expired,
            RunError::AlreadySpent => ToolFailure::AlreadySpent,
            RunError::Tool(ToolError(text)) => {
                ToolFailure::Tool(self.0.current.redact(&text).into_owned())
            }
            RunError::Unrecorded(error) => ToolFailure::Unrecorded(error),
        }
    }
}
