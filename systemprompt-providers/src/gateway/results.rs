use std::time::Duration;

use systemprompt_core::contract::{GrantedCall, SettleError};
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::CallId;
use systemprompt_core::llm::{Block, BlockKind, ModelRequest, Role};

use super::{Caller, ModelGateway};

impl ModelGateway {
    /// Records the results of tools that a request brings as outcomes of their permits, and returns how many
    /// there are that nobody here permitted.
    pub(super) async fn settle_results(&self, caller: &Caller, request: &ModelRequest) -> u32 {
        let mut unpermitted = 0;
        for (id, is_error, bytes) in new_results(request) {
            let Ok(call_id) = CallId::parse(id) else {
                unpermitted += 1;
                continue;
            };
            let call = GrantedCall {
                principal: &caller.principal,
                session: caller.context.session.as_ref(),
                call_id: &call_id,
            };
            let Ok(found) = self.parts().ledger.find(call).await else { continue };
            let Some(permit) = found else {
                unpermitted += 1;
                continue;
            };
            let status = if is_error { OutcomeStatus::Failed } else { OutcomeStatus::Success };
            let mut outcome = Outcome::new(status, Duration::ZERO);
            outcome.result_bytes = Some(bytes);
            match self.parts().ledger.settle(permit.id, &caller.principal, outcome).await {
                // A client that asks again sends its results again.
                Ok(()) | Err(SettleError::AlreadySettled | SettleError::Expired) => {}
                Err(error) => {
                    tracing::warn!("the outcome of a permitted call is not recorded: {error}")
                }
            }
        }
        unpermitted
    }
}

/// The results behind the last turn of the model: the id of the call, whether it failed, how many bytes.
fn new_results(request: &ModelRequest) -> impl Iterator<Item = (&str, bool, u64)> {
    let last = request.messages.iter().rposition(|message| message.role == Role::Assistant);
    let new = request.messages.iter().skip(last.map_or(0, |last| last + 1));
    new.flat_map(|message| &message.content).filter_map(|block| match &block.kind {
        BlockKind::ToolResult { tool_use_id, content, is_error } => {
            Some((tool_use_id.as_str(), *is_error, size(content)))
        }
        _ => None,
    })
}

fn size(content: &[Block]) -> u64 {
    let size = |block: &Block| match &block.kind {
        BlockKind::Text { text } => text.len() as u64,
        BlockKind::Image(media) | BlockKind::Document(media) | BlockKind::Audio(media) => {
            match &media.source {
                systemprompt_core::llm::MediaSource::Base64 { data, .. } => data.len() as u64,
                systemprompt_core::llm::MediaSource::Text { text } => text.len() as u64,
                _ => 0,
            }
        }
        _ => 0,
    };
    content.iter().map(size).sum()
}
