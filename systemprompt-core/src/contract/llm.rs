use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use crate::id::AiRequestId;
use crate::llm::{Answer, LossReport, ModelError, ModelRequest, StreamEvent};
use crate::principal::Principal;
use crate::secret::Secret;

/// Models that are asked in the process itself, over a wire of the provider's own or none. Object-safe.
///
/// A request comes in the [canonical form](crate::llm), whatever dialect its caller speaks, after it was decided,
/// looked through and counted against budgets; the events of the answer go the way of every answer. Everything
/// around a model is the gateway's; the provider asks it.
#[async_trait]
pub trait LlmProvider: Send + Sync + 'static {
    /// Its name: that of the provider of kind `extension` in the profile.
    fn name(&self) -> &str;

    /// Begins to answer. Dropped, the request is given up, as its caller has left or its time is over.
    ///
    /// # Errors
    /// [`ModelError`] that the caller gets in their dialect. Where its kind is
    /// [transient](crate::llm::ErrorKind::is_transient) the next provider of the route is asked, if there is one.
    async fn answer(&self, request: LlmRequest) -> Result<LlmAnswer, ModelError>;

    /// The tokens of a request, as the model counts them; `None` where that is not known, so that they are
    /// estimated.
    ///
    /// # Errors
    /// [`ModelError`] when they cannot be counted now.
    async fn count_tokens(&self, request: LlmRequest) -> Result<Option<u64>, ModelError> {
        drop(request);
        Ok(None)
    }
}

/// One request to a model.
#[derive(Clone)]
pub struct LlmRequest {
    /// The id of the request in the audit log.
    pub id: AiRequestId,
    /// On whose behalf.
    pub principal: Principal,
    /// The model, as the route names it; [`ModelRequest::model`] is what the caller asked for.
    pub model: String,
    /// What is asked.
    pub request: Arc<ModelRequest>,
    /// The key of the provider, where its configuration has one.
    pub key: Option<Arc<Secret<String>>>,
}

impl fmt::Debug for LlmRequest {
    /// Without what is asked, and the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmRequest")
            .field("id", &self.id)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// The answer of a model, as it comes.
pub struct LlmAnswer {
    /// The answer in pieces, in the order of [`StreamEvent`]: from a `Start` to a `Stop` or an `Error`. A stream
    /// that ends before is a failure.
    pub events: BoxStream<'static, StreamEvent>,
    /// What the model could not be told, with fields as the caller's dialect names them.
    pub losses: LossReport,
    /// Whether the usage in the events is an estimate of the provider.
    pub usage_estimated: bool,
}

impl LlmAnswer {
    /// An answer that comes in pieces.
    pub fn stream(events: impl Stream<Item = StreamEvent> + Send + 'static) -> Self {
        Self { events: events.boxed(), losses: LossReport::default(), usage_estimated: false }
    }

    /// An answer that is whole. It goes to callers who asked for a stream as well.
    #[must_use]
    pub fn whole(answer: Answer) -> Self {
        Self::stream(stream::iter(answer.into_events()))
    }
}

impl fmt::Debug for LlmAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmAnswer")
            .field("losses", &self.losses)
            .field("usage_estimated", &self.usage_estimated)
            .finish_non_exhaustive()
    }
}
