use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, Method};
use systemprompt_core::clock::{Clock, SystemClock};
use tokio::time::Instant;
use url::Url;

use super::body::Bounds;
use super::breaker::{Breaker, Ticket};
use super::bulkhead::{Bulkhead, Place};
use super::connections::connections;
use super::{
    Attempt, AttemptOutcome, SettingsError, UpstreamAnswer, UpstreamBody, UpstreamCall,
    UpstreamError, UpstreamErrorKind, UpstreamHealth, UpstreamSettings, Waited, classify, retry,
};

/// Most bytes, and the longest time, that the rest of an answer is read for before the call is sent
/// again: so the connection can be used again.
const DRAINED: (usize, Duration) = (64 * 1024, Duration::from_millis(100));

/// A provider's connections. Cloning is a reference count.
#[derive(Clone)]
pub struct UpstreamClient(Arc<Inner>);

struct Inner {
    provider: Arc<str>,
    base: Url,
    settings: UpstreamSettings,
    http: reqwest::Client,
    breaker: Arc<Breaker>,
    bulkhead: Bulkhead,
    clock: Arc<dyn Clock>,
}

/// A call as it is sent, each time it is.
struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
    deadline: Instant,
    /// Whether the deadline is that of the settings, and not an earlier one of the caller.
    own_deadline: bool,
}

impl UpstreamClient {
    /// A client for the provider of this name. Nothing is connected to yet.
    ///
    /// # Errors
    /// [`SettingsError`] that names the setting that cannot be meant; an address that is written out in
    /// the base URL and must not be connected to is one, too.
    pub fn new(
        provider: impl Into<Arc<str>>,
        settings: UpstreamSettings,
    ) -> Result<Self, SettingsError> {
        Self::with_clock(provider, settings, SystemClock::shared())
    }

    /// The same with a clock, which the breaker, dates in `retry-after` and the health go by.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_clock(
        provider: impl Into<Arc<str>>,
        settings: UpstreamSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SettingsError> {
        let base = settings.check()?;
        let http = connections(&settings, &base)?;
        let breaker = Breaker::new(settings.breaker.clone(), Arc::clone(&clock));
        let bulkhead =
            Bulkhead::new(settings.max_concurrent, settings.max_queued, settings.queue_wait);
        let provider = provider.into();
        Ok(Self(Arc::new(Inner { provider, base, settings, http, breaker, bulkhead, clock })))
    }

    /// The provider, by its name in the configuration.
    #[must_use]
    pub fn provider(&self) -> &Arc<str> {
        &self.0.provider
    }

    /// Sends a call, and sends it again where that helps and can do no harm.
    ///
    /// An answer with any status is an answer. While its body is not read to the end or dropped, the call
    /// counts as under way.
    ///
    /// # Errors
    /// [`UpstreamError`] when there is no answer, with the attempts that were made.
    pub async fn send(&self, call: UpstreamCall) -> Result<UpstreamAnswer, UpstreamError> {
        let prepared = self.0.prepare(call)?;
        let open = |retry_after| UpstreamErrorKind::BreakerOpen { retry_after };
        self.0.breaker.check().map_err(open)?;
        let Some(place) = self.0.bulkhead.enter(prepared.deadline).await else {
            let over = Instant::now() >= prepared.deadline;
            let late = UpstreamErrorKind::Timeout(Waited::Total);
            return Err(if over { late } else { UpstreamErrorKind::Saturated }.into());
        };
        self.0.send(&prepared, place).await
    }

    /// How the provider is doing.
    #[must_use]
    pub fn health(&self) -> UpstreamHealth {
        let seen = self.0.breaker.seen();
        UpstreamHealth {
            state: self.0.breaker.state(),
            consecutive_failures: self.0.breaker.failures_in_a_row(),
            in_flight: self.0.bulkhead.in_flight(),
            queued: self.0.bulkhead.queued(),
            last_error: seen.last_error.map(|error| error.code()),
            last_success: seen.last_success,
            last_failure: seen.last_failure,
        }
    }
}

impl fmt::Debug for UpstreamClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamClient")
            .field("provider", &self.0.provider)
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn prepare(&self, call: UpstreamCall) -> Result<Prepared, UpstreamErrorKind> {
        let now = Instant::now();
        // A time so long that it cannot be told is a year.
        let own = now
            .checked_add(self.settings.total_timeout)
            .unwrap_or_else(|| now + Duration::from_secs(365 * 86_400));
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

    async fn send(&self, call: &Prepared, place: Place) -> Result<UpstreamAnswer, UpstreamError> {
        let mut attempts = Vec::new();
        let mut waited = Duration::ZERO;
        loop {
            let ticket = match self.breaker.admit() {
                Ok(ticket) => ticket,
                Err(retry_after) => {
                    let kind = UpstreamErrorKind::BreakerOpen { retry_after };
                    return Err(UpstreamError { kind, attempts });
                }
            };
            let started = Instant::now();
            let result = self.attempt(call, started).await;
            let outcome = match &result {
                Ok(response) => AttemptOutcome::Status(response.status().as_u16()),
                Err(kind) => AttemptOutcome::Failed(kind.clone()),
            };
            let attempt = Attempt { outcome: outcome.clone(), elapsed: started.elapsed(), waited };
            self.log(attempts.len() + 1, &attempt);
            attempts.push(attempt);
            let ticket = settle(ticket, outcome, call.own_deadline);
            waited = match result {
                Ok(response) => {
                    let Some(pause) = self.pause_after(&response, attempts.len(), call.deadline)
                    else {
                        return self.answer(response, call, (ticket, place), attempts);
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

    /// Sends the call once.
    async fn attempt(
        &self,
        call: &Prepared,
        started: Instant,
    ) -> Result<reqwest::Response, UpstreamErrorKind> {
        let mut request =
            self.http.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
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
        (ticket, place): (Option<Ticket>, Place),
        attempts: Vec<Attempt>,
    ) -> Result<UpstreamAnswer, UpstreamError> {
        let (mut parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
        let retry_after = retry::retry_after(&parts.headers, self.clock.now());
        let gzip = match encoding(&parts.headers) {
            Encoding::Identity => false,
            Encoding::Gzip => {
                parts.headers.remove(CONTENT_ENCODING);
                parts.headers.remove(CONTENT_LENGTH);
                true
            }
            Encoding::Unknown => {
                let kind = UpstreamErrorKind::BadEncoding;
                if let Some(ticket) = ticket {
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
        let body = UpstreamBody::new(body, gzip, &bounds, ticket, place);
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

/// Tells the breaker what the head of an answer, or its absence, says. The ticket is left while the body
/// of an answer may say more.
fn settle(mut ticket: Ticket, outcome: AttemptOutcome, own_deadline: bool) -> Option<Ticket> {
    match &outcome {
        AttemptOutcome::Status(200..300) => {
            ticket.answered();
            return Some(ticket);
        }
        AttemptOutcome::Status(500..) => ticket.failed(outcome),
        // Too many requests are the account's; the provider works.
        AttemptOutcome::Status(408 | 429) => ticket.limited(outcome),
        AttemptOutcome::Status(_) => ticket.succeeded(),
        AttemptOutcome::Failed(UpstreamErrorKind::Timeout(Waited::Total)) if own_deadline => {
            ticket.failed(outcome);
        }
        AttemptOutcome::Failed(kind) if kind.is_failure() => ticket.failed(outcome),
        AttemptOutcome::Failed(_) => {}
    }
    None
}

enum Encoding {
    Identity,
    Gzip,
    Unknown,
}

fn encoding(headers: &HeaderMap) -> Encoding {
    let mut found = Encoding::Identity;
    for value in headers.get_all(CONTENT_ENCODING) {
        let Ok(text) = value.to_str() else { return Encoding::Unknown };
        for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
            found = match (name.as_str(), found) {
                ("" | "identity", found) => found,
                ("gzip" | "x-gzip", Encoding::Identity) => Encoding::Gzip,
                _ => return Encoding::Unknown,
            };
        }
    }
    found
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
