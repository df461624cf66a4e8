//! Who may pass: finding a request's credential, refusing, and writing the refusals down.

mod credential;
mod failures;
mod proxies;
mod refusals;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use systemprompt_core::api::{AuthRefusal, Authenticate, RequestHead};
use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{AuditSink, TokenError, TokenVerifier};
use systemprompt_core::id::Audience;
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::Redact;

pub use proxies::TrustedProxies;

use failures::Failures;
use refusals::{Refusal, Refusals};

use crate::verify::Background;

/// How a [`Gate`] treats those it refuses.
#[derive(Debug, Clone)]
pub struct GateSettings {
    /// Failed authentications that one address may make per minute; an IPv6 /64 is one address.
    pub failures_per_minute: u32,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
}

impl Default for GateSettings {
    fn default() -> Self {
        Self { failures_per_minute: 60, trusted_proxies: TrustedProxies::none() }
    }
}

/// What a gate has done so far, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateStats {
    /// Requests that were let in.
    pub passed: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Refused requests whose address had failed too often.
    pub slowed: u64,
    /// Refusals that wait to be written to the audit log.
    pub unwritten: u64,
}

/// Authenticates requests. Cloning is a reference count.
///
/// A credential is verified before anything is counted, so that a valid one is never slowed. Refusals
/// are written to the audit log within a second, one event per cause, surface and address.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    verifier: Arc<dyn TokenVerifier>,
    failures: Failures,
    proxies: TrustedProxies,
    refusals: Arc<Refusals>,
    passed: AtomicU64,
    refused: AtomicU64,
    slowed: AtomicU64,
    background: Mutex<Option<Background>>,
}

impl Gate {
    /// A gate before `verifier` that writes refusals to `sink`, caller-supplied text in them cleaned by
    /// `redact`. Needs a running tokio runtime; its task ends with [`Self::close`] or the last clone.
    #[must_use]
    pub fn start(
        verifier: Arc<dyn TokenVerifier>,
        sink: Arc<dyn AuditSink>,
        redact: Arc<dyn Redact>,
        clock: Arc<dyn Clock>,
        settings: GateSettings,
    ) -> Self {
        let refusals = Arc::new(Refusals::new(sink, redact, clock.clone()));
        let writer = refusals.clone();
        let background = Background::spawn(async move { writer.write_forever().await });
        Self(Arc::new(Inner {
            verifier,
            failures: Failures::new(settings.failures_per_minute, clock),
            proxies: settings.trusted_proxies,
            refusals,
            passed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            slowed: AtomicU64::new(0),
            background: Mutex::new(Some(background)),
        }))
    }

    /// What was done so far.
    #[must_use]
    pub fn stats(&self) -> GateStats {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        GateStats {
            passed: read(&self.0.passed),
            refused: read(&self.0.refused),
            slowed: read(&self.0.slowed),
            unwritten: self.0.refusals.unwritten(),
        }
    }

    /// Stops the background task and writes the refusals that it still had to. To be called before
    /// the audit log is closed.
    pub async fn close(&self) {
        let task = self.0.background.lock().take();
        self.0.refusals.close(task).await;
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

#[async_trait]
impl Authenticate for Gate {
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal> {
        let token = match credential::find(request.headers) {
            Ok(token) => token,
            Err(refusal) => return Err(self.0.refuse(request, audience, None, refusal)),
        };
        match self.0.verifier.verify(token, audience).await {
            Ok(principal) => {
                self.0.passed.fetch_add(1, Ordering::Relaxed);
                Ok(principal)
            }
            Err(error) => Err(self.0.refuse(request, audience, Some(token), error.into())),
        }
    }

    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr> {
        self.0.proxies.client_addr(request.peer, request.headers)
    }
}

impl Inner {
    /// Counts a refusal, has it written, and turns it into another one when there were too many.
    fn refuse(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
        token: Option<&str>,
        refusal: AuthRefusal,
    ) -> AuthRefusal {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let client = self.proxies.client_addr(request.peer, request.headers);
        let refusal = match self.charge(client, &refusal) {
            Some(retry_after) => {
                self.slowed.fetch_add(1, Ordering::Relaxed);
                AuthRefusal::TooManyFailures { retry_after }
            }
            None => refusal,
        };
        self.refusals.note(Refusal {
            refusal: &refusal,
            surface: audience,
            client,
            trace_id: request.trace_id,
            user_agent: token.and_then(|token| credential::user_agent(request.headers, token)),
        });
        refusal
    }

    /// Counts a failed attempt; `Some` when the address has made too many. What is no attempt (no
    /// credential) and what is not the caller's fault (no store) is not counted.
    fn charge(&self, client: Option<IpAddr>, refusal: &AuthRefusal) -> Option<Duration> {
        match refusal {
            AuthRefusal::Missing | AuthRefusal::Token(TokenError::Unavailable) => None,
            _ => self.failures.charge(client).err(),
        }
    }
}
