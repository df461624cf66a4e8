use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::{Clock, SystemClock};
use url::Url;

use super::breaker::Breaker;
use super::bulkhead::Bulkhead;
use super::connections::Connections;
use super::{
    SettingsError, UpstreamAnswer, UpstreamCall, UpstreamError, UpstreamErrorKind, UpstreamHealth,
    UpstreamSettings,
};

/// A provider's connections. Cloning is a reference count.
#[derive(Clone)]
pub struct UpstreamClient(Arc<Inner>);

pub(super) struct Inner {
    pub(super) provider: Arc<str>,
    pub(super) base: Url,
    pub(super) settings: UpstreamSettings,
    pub(super) connections: Connections,
    pub(super) breaker: Arc<Breaker>,
    pub(super) bulkhead: Bulkhead,
    pub(super) clock: Arc<dyn Clock>,
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
        let connections = Connections::new(&settings, &base)?;
        let provider = provider.into();
        let breaker =
            Breaker::new(Arc::clone(&provider), settings.breaker.clone(), Arc::clone(&clock));
        let bulkhead =
            Bulkhead::new(settings.max_concurrent, settings.max_queued, settings.queue_wait);
        Ok(Self(Arc::new(Inner {
            provider,
            base,
            settings,
            connections,
            breaker,
            bulkhead,
            clock,
        })))
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
        self.0.breaker.check().map_err(UpstreamErrorKind::open)?;
        let place = self.0.bulkhead.place(prepared.deadline).await?;
        self.0.send(&prepared, place).await
    }

    /// Sends a call once, to find out how the provider is: it is let through when the breaker has been open for long
    /// enough, and closes it or opens it again. An answer that takes longer than `patience` is a failure.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub async fn probe(
        &self,
        call: UpstreamCall,
        patience: Duration,
    ) -> Result<UpstreamAnswer, UpstreamError> {
        let prepared = self.0.prepare_probe(call, patience)?;
        let place = self.0.bulkhead.place(prepared.deadline).await?;
        self.0.probe(&prepared, place).await
    }

    /// How long nothing was sent to the provider; `None` when nothing ever was.
    #[must_use]
    pub fn unused_for(&self) -> Option<Duration> {
        self.0.breaker.unused_for()
    }

    /// How the provider is doing.
    #[must_use]
    pub fn health(&self) -> UpstreamHealth {
        UpstreamHealth::of(&self.0.breaker, &self.0.bulkhead)
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
