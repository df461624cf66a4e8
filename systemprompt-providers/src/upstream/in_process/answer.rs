use std::any::Any;
use std::fmt;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use systemprompt_core::llm::{Delta, EventOrder, LossReport, StreamEvent};
use tokio::time::Instant;

use crate::upstream::breaker::Ticket;
use crate::upstream::bulkhead::Place;
use crate::upstream::exchange::after;
use crate::upstream::{AttemptOutcome, UpstreamErrorKind, Waited};

/// The answer of a provider in this process, event by event.
///
/// Whatever the provider does, the events are those of an answer: from a `Start` to a `Stop`, or to an `Error` where
/// it stops before, stands still, panics, says too much or says it in an order that no answer has.
pub struct InProcessAnswer {
    losses: LossReport,
    usage_estimated: bool,
    first: Option<StreamEvent>,
    /// `None` when the answer is over.
    source: Option<Source>,
    order: EventOrder,
    bounds: Bounds,
    written: u64,
}

/// Events, and a panic in the place of one.
type Events = BoxStream<'static, Result<StreamEvent, Box<dyn Any + Send>>>;

struct Source {
    events: Events,
    held: Held,
}

/// An answer that has begun.
pub(super) struct Begun {
    pub(super) losses: LossReport,
    pub(super) usage_estimated: bool,
    pub(super) first: StreamEvent,
    pub(super) events: Events,
}

/// What bounds an answer.
pub(super) struct Bounds {
    pub(super) idle_timeout: Duration,
    pub(super) deadline: Instant,
    /// Most bytes of texts and arguments.
    pub(super) limit: u64,
}

/// What is let go of at the end.
pub(super) struct Held {
    /// What the breaker is told by; `None` when it has been told.
    pub(super) ticket: Option<Ticket>,
    pub(super) _place: Place,
}

impl InProcessAnswer {
    pub(super) fn new(begun: Begun, bounds: Bounds, held: Held) -> Self {
        Self {
            losses: begun.losses,
            usage_estimated: begun.usage_estimated,
            first: Some(begun.first),
            source: Some(Source { events: begun.events, held }),
            order: EventOrder::default(),
            bounds,
            written: 0,
        }
    }

    /// What the model could not be told.
    #[must_use]
    pub const fn losses(&self) -> &LossReport {
        &self.losses
    }

    /// Whether the usage is an estimate.
    #[must_use]
    pub const fn usage_estimated(&self) -> bool {
        self.usage_estimated
    }

    /// The next event; `None` after the last one. Waiting for it can be given up and begun again.
    pub async fn next_event(&mut self) -> Option<StreamEvent> {
        if let Some(first) = self.first.take() {
            return Some(self.take(first));
        }
        let idle = after(Instant::now(), self.bounds.idle_timeout);
        let until = idle.min(self.bounds.deadline);
        let waited = if idle < self.bounds.deadline { Waited::Idle } else { Waited::Total };
        let events = &mut self.source.as_mut()?.events;
        let event = match tokio::time::timeout_at(until, events.next()).await {
            Ok(Some(Ok(event))) => self.take(event),
            Ok(Some(Err(_))) => self.fail(UpstreamErrorKind::Panicked),
            Ok(None) => self.fail(UpstreamErrorKind::CutOff),
            Err(_) => self.fail(UpstreamErrorKind::Timeout(waited)),
        };
        Some(event)
    }

    fn take(&mut self, event: StreamEvent) -> StreamEvent {
        if let Err(problem) = self.order.take(&event) {
            return self.fail(UpstreamErrorKind::OutOfOrder { problem });
        }
        match &event {
            StreamEvent::Stop { .. } => {
                if let Some(ticket) = self.end() {
                    ticket.succeeded();
                }
            }
            StreamEvent::Error(error) => {
                let outcome = AttemptOutcome::Status(error.kind.status());
                match (self.end(), error.kind.is_transient()) {
                    (Some(ticket), true) => ticket.failed(outcome),
                    (Some(ticket), false) => ticket.came_to_nothing(outcome),
                    (None, _) => {}
                }
            }
            StreamEvent::Delta { delta, .. } => {
                let size = match delta {
                    Delta::Text(text) | Delta::Input(text) => text.len(),
                    Delta::State(state) => state.data.len(),
                };
                self.written = self.written.saturating_add(size as u64);
                if self.written > self.bounds.limit {
                    return self.fail(UpstreamErrorKind::TooLarge { limit: self.bounds.limit });
                }
            }
            _ => {}
        }
        event
    }

    /// Lets go of the provider.
    fn end(&mut self) -> Option<Ticket> {
        self.source.take()?.held.ticket
    }

    fn fail(&mut self, kind: UpstreamErrorKind) -> StreamEvent {
        if let Some(ticket) = self.end() {
            ticket.failed(AttemptOutcome::Failed(kind.clone()));
        }
        StreamEvent::Error(kind.model_error())
    }
}

impl fmt::Debug for InProcessAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessAnswer")
            .field("ended", &self.source.is_none())
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
