//! The gateway: what happens between a request of a caller and the answer of a provider.
//!
//! ```text
//! read     the body, and what it asks for
//! scan     every text in it, by what the policy says of secrets
//! route    which provider, which model; 404 for a model that there is not
//! decide   the call of the tool `model:<name>`: scope, limits, audit, before anything is sent
//! look up  whether the answer is kept from an earlier request; if so, it is relayed and recorded
//! reserve  what it may cost at most
//! send     with the provider's key, to the next provider when one fails before its first byte
//! relay    the answer: each call of a tool in it is held until it is decided
//! settle   what it did cost, and the record of it
//! ```
//!
//! Where caller and provider speak the same dialect, bytes are passed on as they came (the *byte lane*), until
//! the policy changes something; else the answer is written anew from the
//! [canonical form](systemprompt_core::llm) (the *translate lane*).

mod answer;
mod ask;
mod bodies;
mod body;
mod capable;
mod connect;
mod count;
mod credential;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzed;
mod health;
mod held;
mod judge;
mod kept;
mod lane;
mod meter;
mod record;
mod refusal;
mod relay;
mod rest;
mod results;
mod scan;
mod seen;
mod send;
mod spend;
mod stream;

#[cfg(feature = "http")]
pub mod http;

use std::fmt;
use std::sync::Arc;

use systemprompt_core::call::CallContext;
use systemprompt_core::clock::Clock;
use systemprompt_core::config::ModelCache;
use systemprompt_core::contract::{
    AuditSink, BudgetStore, Decide, Inspect, LlmProvider, PermitLedger, SecretStore,
};
use systemprompt_core::principal::Principal;
use systemprompt_core::secret::Redact;

pub use bodies::BodyRules;
pub use connect::{ConnectFault, GatewayError, ProviderSecrets};
pub use kept::CacheStats;

use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::budget::BudgetRules;
use crate::route::RouteTable;
use crate::upstream::{InProcess, UpstreamClient};
use connect::Connections;
use count::Countless;
use kept::AnswerCache;

/// What the gateway is connected to.
#[derive(Clone)]
pub struct GatewayParts {
    /// Which requests go where.
    pub routes: RouteTable,
    /// The keys and certificates of providers that are found at the start.
    pub secrets: ProviderSecrets,
    /// The providers that extensions bring; those of the routes are found by their names.
    pub extensions: Vec<Arc<dyn LlmProvider>>,
    /// Who decides.
    pub decide: Arc<dyn Decide>,
    /// What looks through texts on their way.
    pub inspect: Arc<dyn Inspect>,
    /// Where permits are settled.
    pub ledger: Arc<dyn PermitLedger>,
    /// Where requests are recorded.
    pub audit: Arc<dyn AuditSink>,
    /// Where providers' keys in custody are opened.
    pub custody: Arc<dyn SecretStore>,
    /// What removes secrets from texts that are recorded.
    pub redact: Arc<dyn Redact>,
    /// What may be spent.
    pub budgets: BudgetRules,
    /// Where that is counted.
    pub budget_store: Arc<dyn BudgetStore>,
    /// Which answers are kept for the same request; none when absent.
    pub cache: Option<ModelCache>,
    /// Which bodies are recorded.
    pub bodies: BodyRules,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// The gateway. Cloning is a reference count.
#[derive(Clone)]
pub struct ModelGateway(Arc<Inner>);

struct Inner {
    parts: GatewayParts,
    connections: Connections,
    /// Requests that are not settled and recorded yet.
    unsettled: TaskTracker,
    countless: Countless,
    cache: Option<AnswerCache>,
}

/// Who asks, and in which circumstances.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) context: CallContext,
}

impl ModelGateway {
    /// A gateway that is connected to nothing yet.
    ///
    /// # Errors
    /// [`GatewayError`] that names the provider and the setting that cannot be meant.
    pub fn new(parts: GatewayParts) -> Result<Self, GatewayError> {
        let GatewayParts { routes, secrets, extensions, clock, .. } = &parts;
        let connections = Connections::open(routes, secrets, extensions, clock)?;
        let (countless, unsettled) = (Countless::default(), TaskTracker::new());
        let cache = parts.cache.clone().map(AnswerCache::new);
        Ok(Self(Arc::new(Inner { parts, connections, unsettled, countless, cache })))
    }

    /// The routes.
    #[must_use]
    pub fn routes(&self) -> &RouteTable {
        &self.0.parts.routes
    }

    /// Waits until every request that has come so far is settled and recorded. Those whose callers have left are
    /// given up at once.
    pub async fn settled(&self) {
        self.0.unsettled.close();
        self.0.unsettled.wait().await;
    }

    /// Runs what is to be finished although its caller may leave.
    fn finish<F>(&self, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.0.unsettled.spawn(task.in_current_span());
    }

    fn client(
        &self,
        provider: &str,
        dialect: systemprompt_core::llm::Dialect,
    ) -> Option<&UpstreamClient> {
        self.0.connections.client(provider, dialect)
    }

    /// A provider in this process.
    fn in_process(&self, provider: &str) -> Option<&InProcess> {
        self.0.connections.in_process(provider)
    }

    fn parts(&self) -> &GatewayParts {
        &self.0.parts
    }

    fn cache(&self) -> Option<&AnswerCache> {
        self.0.cache.as_ref()
    }
}

impl fmt::Debug for ModelGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModelGateway").field("routes", &self.0.parts.routes).finish_non_exhaustive()
    }
}
