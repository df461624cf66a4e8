//! Providers in this process: a host's own, and the one that is built in.

mod answer;

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::{FutureExt as _, StreamExt as _};
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{LlmProvider, LlmRequest};
use systemprompt_core::llm::{ModelError, StreamEvent};
use tokio::time::Instant;

pub use answer::InProcessAnswer;

use self::answer::{Begun, Bounds, Held};
use super::breaker::{Breaker, Purpose, Ticket};
use super::bulkhead::{Bulkhead, Place};
use super::exchange::{after, settle};
use super::{AttemptOutcome, UpstreamErrorKind, UpstreamHealth, UpstreamSettings, Waited};

/// A provider in this process, with the timeouts, the breaker and the bulkhead that any other has. It is asked
/// once: whether asking again helps is known to itself.
pub struct InProcess {
    provider: Arc<dyn LlmProvider>,
    settings: UpstreamSettings,
    breaker: Arc<Breaker>,
    bulkhead: Bulkhead,
}

/// What became of asking.
pub(crate) struct Asked {
    /// How the attempt ended; `None` when the provider was not asked.
    pub(crate) outcome: Option<AttemptOutcome>,
    /// The answer, which has begun.
    pub(crate) answer: Result<InProcessAnswer, ModelError>,
}

impl From<UpstreamErrorKind> for Asked {
    /// The provider was not asked.
    fn from(kind: UpstreamErrorKind) -> Self {
        Self { outcome: None, answer: Err(kind.model_error()) }
    }
}

impl InProcess {
    /// The provider of this name in the configuration. Of the settings those of a connection mean nothing.
    #[must_use]
    pub fn new(
        name: Arc<str>,
        provider: Arc<dyn LlmProvider>,
        settings: UpstreamSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let breaker = Breaker::new(name, settings.breaker.clone(), clock);
        let bulkhead = Bulkhead::of(&settings);
        Self { provider, settings, breaker, bulkhead }
    }

    /// Asks, and waits until the answer begins.
    pub(crate) async fn ask(&self, request: LlmRequest) -> Asked {
        let deadline = after(Instant::now(), self.settings.total_timeout);
        let (ticket, place) = match self.admit(deadline).await {
            Ok(admitted) => admitted,
            Err(kind) => return kind.into(),
        };
        let first_byte = after(Instant::now(), self.settings.first_byte_timeout);
        let waited = if first_byte < deadline { Waited::FirstByte } else { Waited::Total };
        let begun = tokio::time::timeout_at(first_byte.min(deadline), self.begin(request)).await;
        let begun = begun.unwrap_or_else(|_| Err(UpstreamErrorKind::Timeout(waited).into()));
        let outcome = match &begun {
            Ok(_) => AttemptOutcome::Status(200),
            Err(Failed::Kind(kind)) => AttemptOutcome::Failed(kind.clone()),
            Err(Failed::Said(error)) => AttemptOutcome::Status(error.kind.status()),
        };
        let ticket = settle(ticket, outcome.clone(), true);
        let answer = begun.map_err(Failed::model_error).map(|begun| {
            let UpstreamSettings { idle_timeout, max_answer_bytes: limit, .. } = self.settings;
            let bounds = Bounds { idle_timeout, deadline, limit };
            InProcessAnswer::new(begun, bounds, Held { ticket, _place: place })
        });
        Asked { outcome: Some(outcome), answer }
    }

    async fn admit(&self, deadline: Instant) -> Result<(Ticket, Place), UpstreamErrorKind> {
        self.breaker.check().map_err(UpstreamErrorKind::open)?;
        let place = self.bulkhead.place(deadline).await?;
        let ticket = self.breaker.admit(Purpose::Call).map_err(UpstreamErrorKind::open)?;
        Ok((ticket, place))
    }

    /// The answer up to its first event that says something.
    async fn begin(&self, request: LlmRequest) -> Result<Begun, Failed> {
        let panicked = |_| Failed::Kind(UpstreamErrorKind::Panicked);
        let answering = AssertUnwindSafe(self.provider.answer(request)).catch_unwind();
        let answer = answering.await.map_err(panicked)?.map_err(Failed::Said)?;
        let (losses, usage_estimated) = (answer.losses, answer.usage_estimated);
        let mut events = AssertUnwindSafe(answer.events).catch_unwind().boxed();
        loop {
            return match events.next().await.transpose().map_err(panicked)? {
                None => Err(UpstreamErrorKind::CutOff.into()),
                Some(StreamEvent::Ping) => continue,
                Some(StreamEvent::Error(error)) => Err(Failed::Said(error)),
                Some(first) => Ok(Begun { losses, usage_estimated, first, events }),
            };
        }
    }

    /// The tokens of a request, as the provider counts them; `None` where it does not.
    pub(crate) async fn count_tokens(
        &self,
        request: LlmRequest,
    ) -> Result<Option<u64>, ModelError> {
        let counting = AssertUnwindSafe(self.provider.count_tokens(request)).catch_unwind();
        match tokio::time::timeout(self.settings.first_byte_timeout, counting).await {
            Ok(Ok(counted)) => counted,
            Ok(Err(_)) => Err(UpstreamErrorKind::Panicked.model_error()),
            Err(_) => Err(UpstreamErrorKind::Timeout(Waited::FirstByte).model_error()),
        }
    }

    /// How the provider is doing.
    #[must_use]
    pub fn health(&self) -> UpstreamHealth {
        UpstreamHealth::of(&self.breaker, &self.bulkhead)
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}

/// Why an answer did not begin.
enum Failed {
    /// It is the provider's own word.
    Said(ModelError),
    Kind(UpstreamErrorKind),
}

impl Failed {
    fn model_error(self) -> ModelError {
        match self {
            Self::Said(error) => error,
            Self::Kind(kind) => kind.model_error(),
        }
    }
}

impl From<UpstreamErrorKind> for Failed {
    fn from(kind: UpstreamErrorKind) -> Self {
        Self::Kind(kind)
    }
}

#[cfg(test)]
mod tests;
