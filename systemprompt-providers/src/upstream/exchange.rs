use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method};
use tokio::time::Instant;
use url::Url;

use super::answer::Encoding;
use super::body::{Bounds, Held};
use super::breaker::{Purpose, Ticket};
use super::bulkhead::Place;
use super::call::leave_connection;
use super::client::Inner;
use super::connections::Lane;
use super::{
    Attempt, AttemptOutcome, UpstreamAnswer, UpstreamBody, UpstreamCall, UpstreamError,
    UpstreamErrorKind, Waited, classify, retry,
};

/// Most bytes, and the longest time, that the rest of an answer is read for before the call is sent
/// again: so the connection can be used again.
const DRAINED: (usize, Duration) = (64 * 1024, Duration::from_millis(100));

/// A call as it is sent, each time it is.
pub(super) struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    pub(super) deadline: Instant,
    /// Whether the deadline is that of the settings, and not an earlier one of the caller.
    own_deadline: bool,
}

impl Inner {
    /// # Errors
    /// [`UpstreamErrorKind::Unsendable`].
    pub(super) fn prepare(&self, call: UpstreamCall) -> Result<Prepared, UpstreamErrorKind> {
        let own = after(Instant::now(), self.settings.total_timeout);
        let deadline = call.deadline.map_or(own, |deadline| deadline.min(own));
        Ok(Prepared {
            url: call.url(&self.base)?,
            headers: call.sent_headers()?,
            method: call.method,
            body: call.body,
            deadline,
            own_deadline: deadline == own,
        })
    }

    /// The same for a call that finds out how the provider is: one that takes longer than `patience` says that it
    /// is not well.
    ///
    /// # Errors
    /// [`UpstreamErrorKind::Unsendable`].
    pub(super) fn prepare_probe(
        &self,
        call: UpstreamCall,
        patience: Duration,
    ) -> Result<Prepared, UpstreamErrorKind> {
        let prepared = self.prepare(call.with_deadline(Instant::now() + patience))?;
        Ok(Prepared { own_deadline: true, ..prepared })
    }

    /// Sends the call, and again where that helps.
    pub(super) async fn send(
        &self,
        call: &Prepared,
        place: Place,
    ) -> Result<UpstreamAnswer, UpstreamError> {
        let lane = self.connections.lane();
        let mut attempts = Vec::new();
        let mut waited = Duration::ZERO;
        loop {
            let ticket = match self.breaker.admit(Purpose::Call) {
                Ok(ticket) => ticket,
                Err(retry_after) => {
                    let kind = UpstreamErrorKind::BreakerOpen { retry_after };
                    return Err(UpstreamError { kind, attempts });
                }
            };
            let (result, attempt, ticket) = self.once(&lane, call, (ticket, waited)).await;
            self.log(attempts.len() + 1, &attempt);
            attempts.push(attempt);
            waited = match result {
                Ok(response) => {
                    let Some(pause) = self.pause_after(&response, attempts.len(), call.deadline)
                    else {
                        let held = Held { ticket, _lane: lane, _place: place };
                        return self.answer(response, call, held, attempts);
                    };
                    drain(response).await;
                    pause
                }
                Err(kind) => {
                    let pause = self.settings.retries.after_error(attempts.len(), &kind);
                    match pause.filter(|pause| self.may_wait(*pause, call.deadline)) {
                        Some(pause) => pause,
                        None => return Err(UpstreamError { kind, attempts }),
                    }
                }
            };
            tokio::time::sleep(waited).await;
        }
    }

    /// Sends a call once that is to find out how the provider is.
    pub(super) async fn probe(
        &self,
        call: &Prepared,
        place: Place,
    ) -> Result<UpstreamAnswer, UpstreamError> {
        let ticket = self.breaker.admit(Purpose::Probe).map_err(UpstreamErrorKind::open)?;
        let lane = self.connections.lane();
        let (result, attempt, ticket) = self.once(&lane, call, (ticket, Duration::ZERO)).await;
        self.log(1, &attempt);
        let attempts = vec![attempt];
        match result {
            Ok(response) => {
                let held = Held { ticket, _lane: lane, _place: place };
                self.answer(response, call, held, attempts)
            }
            Err(kind) => Err(UpstreamError { kind, attempts }),
        }
    }

    /// Makes an attempt and tells the breaker. The ticket is left while the body may say more.
    async fn once(
        &self,
        lane: &Lane,
        call: &Prepared,
        (ticket, waited): (Ticket, Duration),
    ) -> (Result<reqwest::Response, UpstreamErrorKind>, Attempt, Option<Ticket>) {
        let started = Instant::now();
        let result = self.attempt(lane, call, started).await;
        let outcome = match &result {
            Ok(response) => AttemptOutcome::Status(response.status().as_u16()),
            Err(kind) => AttemptOutcome::Failed(kind.clone()),
        };
        let attempt = Attempt { outcome: outcome.clone(), elapsed: started.elapsed(), waited };
        (result, attempt, settle(ticket, outcome, call.own_deadline))
    }

    /// Sends the call once.
    async fn attempt(
        &self,
        lane: &Lane,
        call: &Prepared,
        started: Instant,
    ) -> Result<reqwest::Response, UpstreamErrorKind> {
        let mut request =
            lane.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        if !call.body.is_empty() || call.method == Method::POST {
            request = request.body(call.body.clone());
        }
        let first_byte = started.checked_add(self.settings.first_byte_timeout);
        let (until, waited) = match first_byte {
            Some(first_byte) if first_byte < call.deadline => (first_byte, Waited::FirstByte),
            _ => (call.deadline, Waited::Total),
        };
        match tokio::time::timeout_at(until, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(classify::before_answer(&error)),
            Err(_) => Err(UpstreamErrorKind::Timeout(waited)),
        }
    }

    fn pause_after(
        &self,
        response: &reqwest::Response,
        made: usize,
        deadline: Instant,
    ) -> Option<Duration> {
        let status = response.status().as_u16();
        let now = self.clock.now();
        let pause = self.settings.retries.after_answer(made, status, response.headers(), now);
        pause.filter(|pause| self.may_wait(*pause, deadline))
    }

    /// Whether there is a point in waiting: time is left afterwards, and the provider is asked still.
    fn may_wait(&self, pause: Duration, deadline: Instant) -> bool {
        let in_time = Instant::now().checked_add(pause).is_some_and(|at| at < deadline);
        in_time && self.breaker.check().is_ok()
    }

    fn answer(
        &self,
        response: reqwest::Response,
        call: &Prepared,
        held: Held,
        attempts: Vec<Attempt>,
    ) -> Result<UpstreamAnswer, UpstreamError> {
        let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        leave_connection(&mut parts.headers);
        let retry_after = retry::retry_after(&parts.headers, self.clock.now());
        let gzip = match Encoding::of(&parts.headers) {
            Encoding::Identity => false,
            Encoding::Gzip => {
                parts.headers.remove(CONTENT_ENCODING);
                parts.headers.remove(CONTENT_LENGTH);
                true
            }
            Encoding::Unknown => {
                let kind = UpstreamErrorKind::BadEncoding;
                if let Some(ticket) = held.ticket {
                    ticket.failed(AttemptOutcome::Failed(kind.clone()));
                }
                return Err(UpstreamError { kind, attempts });
            }
        };
        let bounds = Bounds {
            idle_timeout: self.settings.idle_timeout,
            deadline: call.deadline,
            blames_total: call.own_deadline,
            limit: self.settings.max_answer_bytes,
        };
        let body = UpstreamBody::new(body, gzip, &bounds, held);
        let (status, headers) = (parts.status, parts.headers);
        Ok(UpstreamAnswer { status, headers, body, attempts, retry_after })
    }

    fn log(&self, number: usize, attempt: &Attempt) {
        tracing::debug!(
            provider = %self.provider,
            attempt = number,
            outcome = %attempt.outcome,
            elapsed_ms = u64::try_from(attempt.elapsed.as_millis()).unwrap_or(u64::MAX),
            "asked a provider"
        );
    }
}

/// The time `duration` after `at`; one so long that it cannot be told is a year.
pub(super) fn after(at: Instant, duration: Duration) -> Instant {
    at.checked_add(duration).unwrap_or_else(|| at + Duration::from_secs(365 * 86_400))
}

/// Tells the breaker what the head of an answer, or its absence, says. The ticket is left while the body
/// of an answer may say more.
pub(super) fn settle(
    mut ticket: Ticket,
    outcome: AttemptOutcome,
    own_deadline: bool,
) -> Option<Ticket> {
    match &outcome {
        AttemptOutcome::Status(200..300) => {
            ticket.answered();
            return Some(ticket);
        }
        // It knows no such request, and works.
        AttemptOutcome::Status(501) => ticket.refused(outcome),
        AttemptOutcome::Status(500..) => ticket.failed(outcome),
        // What the account is refused, and what it does too often, is to be seen in the health.
        AttemptOutcome::Status(401..=403 | 408 | 429) => ticket.refused(outcome),
        AttemptOutcome::Status(_) => ticket.succeeded(),
        AttemptOutcome::Failed(UpstreamErrorKind::Timeout(Waited::Total)) if own_deadline => {
            ticket.failed(outcome);
        }
        AttemptOutcome::Failed(kind) if kind.is_failure() => ticket.failed(outcome),
        AttemptOutcome::Failed(_) => ticket.came_to_nothing(outcome),
    }
    None
}

/// Reads the rest of an answer that nobody is to have, if it is short and there.
async fn drain(mut response: reqwest::Response) {
    let (most, time) = DRAINED;
    let read = async {
        let mut read = 0;
        while let Ok(Some(piece)) = response.chunk().await {
            read += piece.len();
            if read > most {
                break;
            }
        }
    };
    // Late or long, it is dropped, and the connection with it.
    let _late = tokio::time::timeout(time, read).await;
}
