use async_trait::async_trait;
use futures_util::stream;
use systemprompt_core::contract::{LlmAnswer, LlmProvider, LlmRequest};
use systemprompt_core::llm::ModelError;

/// The model that is built in, as a provider. Its usage is an estimate.
#[derive(Debug, Clone, Copy, Default)]
pub struct EchoProvider;

#[async_trait]
impl LlmProvider for EchoProvider {
    fn name(&self) -> &str {
        super::MODEL
    }

    async fn answer(&self, request: LlmRequest) -> Result<LlmAnswer, ModelError> {
        let events = stream::iter(super::events(&request.request));
        Ok(LlmAnswer { usage_estimated: true, ..LlmAnswer::stream(events) })
    }
}
