//! Whether a provider answers, asked by an operator and not on behalf of a caller: nothing is decided, nothing
//! counts against a budget, and nothing is recorded but the use of a key in custody.
//!
//! A [`Probe`] asks for the shortest answer there is, or for the list of a provider's models, which costs
//! nothing. Every question is asked once; there is no second attempt that hides that the first one failed.
//!
//! Providers whose configuration has `health` are asked by the application itself, over the gateway's own connections:
//! [`ModelGateway::probe_providers`](crate::gateway::ModelGateway::probe_providers).

mod question;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::SecretStore;
use systemprompt_core::id::TenantId;
use systemprompt_core::llm::{ErrorKind, ModelError};
use systemprompt_core::secret::Secret;

pub use question::ProbeQuestion;
pub(crate) use watch::{is_due, longest_pause, watch};

use crate::gateway::ProviderSecrets;
use crate::preset::{Endpoint, Provider};
use crate::price::PriceTable;
use crate::provider_key::{self, KeyFault, KeySource};
use crate::upstream::{RetrySettings, UpstreamClient, UpstreamSettings};

/// The longest a question takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest answer that is read.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// What a provider is asked with.
#[derive(Clone, Copy)]
pub struct Probe<'p> {
    /// The keys and certificates of providers that are found at the start.
    pub secrets: &'p ProviderSecrets,
    /// Where keys in custody are opened, and for which tenant; providers with such a key fail without it.
    pub custody: Option<(&'p dyn SecretStore, &'p TenantId)>,
    /// The limits of models.
    pub prices: &'p PriceTable,
}

/// What a provider answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// From the first byte sent to the last one read.
    pub took: Duration,
    /// Why it is not well: in the provider's words where it has some, without its key.
    pub problem: Option<ModelError>,
}

impl Probe<'_> {
    /// Asks a provider. One that is built in has no answer to give: it is well.
    pub async fn ask(&self, provider: &Provider, question: &ProbeQuestion) -> ProbeReport {
        let Some(endpoint) = provider.endpoints().first() else {
            return ProbeReport { status: None, took: Duration::ZERO, problem: None };
        };
        let started = Instant::now();
        let asked = self.exchange(provider, endpoint, question).await;
        let took = started.elapsed();
        match asked {
            Ok((status, None)) => ProbeReport { status: Some(status), took, problem: None },
            Ok((status, problem)) => ProbeReport { status: Some(status), took, problem },
            Err(problem) => ProbeReport { status: None, took, problem: Some(problem) },
        }
    }

    /// The status, and what is wrong.
    async fn exchange(
        &self,
        provider: &Provider,
        endpoint: &Endpoint,
        question: &ProbeQuestion,
    ) -> Result<(u16, Option<ModelError>), ModelError> {
        let mut call = question.call(provider, endpoint, self.prices)?;
        let source = KeySource { keys: &self.secrets.keys, custody: self.custody };
        let key = source.key(provider, endpoint).await.map_err(unusable)?;
        if let Some(key) = &key {
            let header = provider.key_header(endpoint.dialect);
            let sent = Secret::new(key.expose().clone());
            call.credential = Some(provider_key::sent(&header, sent).map_err(unusable)?);
        }
        let answer = self.client(provider, endpoint)?.send(call).await?;
        let status = answer.status.as_u16();
        let body = answer.collect(MOST_BYTES).await?;
        let problem = question.problem(provider, endpoint, status, &body);
        Ok((status, problem.map(|problem| without(key.as_ref(), problem))))
    }

    fn client(
        &self,
        provider: &Provider,
        endpoint: &Endpoint,
    ) -> Result<UpstreamClient, ModelError> {
        let all = self.secrets.settings(provider, endpoint);
        let settings = UpstreamSettings {
            first_byte_timeout: all.first_byte_timeout.min(PATIENCE),
            idle_timeout: all.idle_timeout.min(PATIENCE),
            total_timeout: all.total_timeout.min(PATIENCE),
            retries: RetrySettings { attempts: 1, ..all.retries },
            ..all
        };
        UpstreamClient::with_clock(Arc::clone(provider.name()), settings, SystemClock::shared())
            .map_err(|error| ModelError::invalid(error.setting, error.to_string()))
    }
}

fn unusable(fault: KeyFault) -> ModelError {
    ModelError::new(ErrorKind::BadGateway, format!("the key cannot be used: {fault}"))
        .with_code("provider_key")
}

/// A problem in whose words the key does not stand.
fn without(key: Option<&Secret<String>>, mut problem: ModelError) -> ModelError {
    let Some(key) = key.map(Secret::expose).filter(|key| !key.is_empty()) else { return problem };
    for text in [&mut problem.code, &mut problem.field].into_iter().flatten() {
        *text = text.replace(key.as_str(), "[key]");
    }
    problem.message = problem.message.replace(key.as_str(), "[key]");
    problem
}
