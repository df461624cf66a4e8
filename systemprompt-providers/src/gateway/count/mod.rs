//! How many tokens a request has: asked of its provider where that counts, else estimated.

mod countless;

use std::sync::Arc;

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde_json::json;
use systemprompt_core::call::Digest;
use systemprompt_core::config::ProviderKind;
use systemprompt_core::decision::{Outcome, OutcomeStatus};
use systemprompt_core::id::AiRequestId;
use systemprompt_core::llm::{Dialect, ErrorKind, LossReport, ModelError, ModelRequest};
use tracing::Instrument as _;

pub(super) use countless::Countless;

use super::answer::Whole;
use super::ask::{Asking, Failure};
use super::body::RequestBody;
use super::lane::{self, Outgoing};
use super::refusal::unrecorded_id;
use super::send::refused;
use super::{Caller, ModelGateway};
use crate::dialect::{Target, count};
use crate::echo;
use crate::preset::Endpoint;
use crate::route::ChosenTarget;

/// Most bytes of a count.
const ANSWER_BYTES: usize = 1024 * 1024;

/// What a provider says that knows no such question.
const NO_SUCH_QUESTION: [StatusCode; 3] =
    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED];

/// A count.
struct Counted {
    body: Bytes,
    /// Headers of the provider, in the byte lane.
    upstream: HeaderMap,
    losses: LossReport,
    estimated: bool,
}

impl ModelGateway {
    /// Counts the tokens of a request, in a task of its own: when the caller leaves, what was decided still is
    /// settled.
    ///
    /// The request is routed and scanned like any other. Where a provider is asked, its texts leave the house:
    /// that is decided and recorded as a use of the model. An estimate is made here, and nothing is.
    ///
    /// # Errors
    /// [`Failure`] with what the caller is told.
    pub(crate) async fn count(&self, asking: Asking) -> Result<Whole, Failure> {
        let gateway = self.clone();
        let counting = async move { gateway.count_now(&asking).await };
        match self.0.unsettled.spawn(counting.in_current_span()).await {
            Ok(counted) => counted,
            Err(_) => {
                Err(ModelError::new(ErrorKind::Api, "the tokens could not be counted").into())
            }
        }
    }

    async fn count_now(&self, asking: &Asking) -> Result<Whole, Failure> {
        let caller = &asking.caller;
        let (request, body) = match self.read_count(asking).await {
            Ok(read) => read,
            Err(error) => return Err(self.rejected(caller, None, error).await),
        };
        let estimate = echo::estimate_tokens(&request);
        let model = Some(&*request.model);
        let chosen = match self.choose(caller, &request, estimate) {
            Ok(chosen) => chosen,
            Err(error) => return Err(self.rejected(caller, model, error).await),
        };
        let target = &chosen.target;
        let of = (&*chosen.model, target);
        let asked = if target.provider.config().kind == ProviderKind::ByExtension {
            let counting = self.count_in_process(asking, target, &request);
            self.decided(asking, of, counting).await?
        } else {
            match self.counting(asking, &request, &body, target) {
                Err(error) => return Err(self.rejected(caller, model, error).await),
                Ok(None) => None,
                Ok(Some((endpoint, outgoing))) => {
                    let counting = self.exchange_count(asking, target, endpoint, outgoing);
                    self.decided(asking, of, counting).await?
                }
            }
        };
        let counted = match asked {
            Some(counted) => counted,
            None => match estimated(&request, &body, estimate) {
                Ok(counted) => counted,
                Err(error) => return Err(self.rejected(caller, model, error).await),
            },
        };
        Ok(Whole {
            request_id: unrecorded_id(),
            upstream: counted.upstream,
            losses: counted.losses,
            provider: Some(target.provider.name().to_string()),
            body: counted.body,
            usage_estimated: counted.estimated,
            cache: None,
        })
    }

    /// Records what is refused before it was decided.
    async fn rejected(&self, caller: &Caller, model: Option<&str>, error: ModelError) -> Failure {
        self.reject(caller, model, &error).await;
        error.into()
    }

    /// What is to be counted, after it was looked through.
    async fn read_count(&self, asking: &Asking) -> Result<(ModelRequest, RequestBody), ModelError> {
        let body = RequestBody::read(asking.body.clone())?;
        let body = self.scan(&asking.caller, asking.dialect, body).await?;
        let request = match asking.dialect {
            Dialect::Responses => count::read(asking.dialect, body.without(lane::STORED)?.bytes())?,
            _ => count::read(asking.dialect, body.bytes())?,
        };
        Ok((request, body))
    }

    /// The question for the target; `None` where it is not asked.
    fn counting<'t>(
        &self,
        asking: &Asking,
        request: &ModelRequest,
        body: &RequestBody,
        target: &'t ChosenTarget,
    ) -> Result<Option<(&'t Endpoint, Outgoing)>, ModelError> {
        let provider = &target.provider;
        let Some(endpoint) = provider.endpoint_for(request.dialect) else { return Ok(None) };
        let dialect = endpoint.dialect;
        let flags = provider.flags(dialect);
        let now = self.parts().clock.monotonic();
        if !flags.counts_tokens || self.0.countless.has(target, dialect, now) {
            return Ok(None);
        }
        let source = provider.source(&flags);
        let own = lane::passes(request, body, dialect, &flags);
        if let Some(path) = count::path(dialect).filter(|_| own) {
            let (body, _) = lane::spliced(request, body, &target.model)?;
            let path = lane::with_query(path, asking.query.as_deref());
            return Ok(Some((endpoint, Outgoing::passed(dialect, source, path, body))));
        }
        let capabilities = provider.capabilities(&target.model, self.routes().prices());
        let to = Target {
            provider: provider.name(),
            model: &target.model,
            capabilities: &capabilities,
            flags: &flags,
        };
        let Some(written) = count::encode(dialect, request, &to) else { return Ok(None) };
        lane::refuse_stored(request, body)?;
        let request = written?;
        lane::refuse_losses(&request.losses, provider.config().loss)?;
        Ok(Some((endpoint, Outgoing::written(dialect, source, request))))
    }

    /// Asks a provider, when the caller may use the model. `None` when it turns out to count nothing.
    async fn decided(
        &self,
        asking: &Asking,
        (model, target): (&str, &ChosenTarget),
        counting: impl Future<Output = Result<Option<Counted>, Failure>>,
    ) -> Result<Option<Counted>, Failure> {
        let began = self.parts().clock.monotonic();
        let arguments = json!({
            "model": model,
            "provider": &**target.provider.name(),
            "dialect": asking.dialect.as_str(),
            "count": true,
            "body_sha256": Digest::of(&asking.body).to_string(),
        });
        let permit = self.may_use(&asking.caller, model, &arguments).await?;
        let asked = counting.await;
        let took = self.parts().clock.monotonic().saturating_sub(began);
        let outcome = match &asked {
            Ok(_) => Outcome::new(OutcomeStatus::Success, took),
            Err(failure) => {
                let timeout = failure.error.kind == ErrorKind::Timeout;
                let status = if timeout { OutcomeStatus::Timeout } else { OutcomeStatus::Failed };
                let mut outcome = Outcome::new(status, took);
                outcome.error = Some(failure.error.message.clone());
                outcome
            }
        };
        if let Err(error) = permit.settle(outcome).await {
            tracing::error!("the outcome of a count is not recorded: {error}");
        }
        asked
    }

    async fn count_in_process(
        &self,
        asking: &Asking,
        target: &ChosenTarget,
        request: &ModelRequest,
    ) -> Result<Option<Counted>, Failure> {
        let Some(own) = self.in_process(target.provider.name()) else { return Ok(None) };
        let request = Arc::new(request.clone());
        let request = self.llm_request(AiRequestId::generate(), &asking.caller, target, request);
        Ok(own.count_tokens(request).await?.map(|tokens| Counted {
            body: count::answer(asking.dialect, tokens),
            upstream: HeaderMap::new(),
            losses: LossReport::default(),
            estimated: false,
        }))
    }

    async fn exchange_count(
        &self,
        asking: &Asking,
        target: &ChosenTarget,
        endpoint: &Endpoint,
        outgoing: Outgoing,
    ) -> Result<Option<Counted>, Failure> {
        let provider = &target.provider;
        let Some(client) = self.client(provider.name(), outgoing.dialect) else {
            let message = format!("the provider `{}` has no address", provider.name());
            return Err(ModelError::new(ErrorKind::Api, message).into());
        };
        let call = self.call(asking, provider, endpoint, &outgoing).await?;
        let answer = client.send(call).await.map_err(|error| error.model_error())?;
        if NO_SUCH_QUESTION.contains(&answer.status) {
            let now = self.parts().clock.monotonic();
            self.0.countless.note(target, outgoing.dialect, now);
            tracing::info!(
                provider = &**provider.name(),
                model = target.model,
                status = answer.status.as_u16(),
                "counts no tokens; they are estimated"
            );
            return Ok(None);
        }
        if !answer.status.is_success() {
            return Err(refused(answer, &outgoing).await);
        }
        let headers = answer.headers.clone();
        let bytes = answer.collect(ANSWER_BYTES).await.map_err(|error| error.model_error())?;
        let tokens = count::decode(outgoing.dialect, &bytes)?;
        let losses = outgoing.request.losses.clone();
        Ok(Some(if outgoing.byte_lane {
            Counted { body: bytes, upstream: headers, losses, estimated: false }
        } else {
            let body = count::answer(asking.dialect, tokens);
            Counted { body, upstream: HeaderMap::new(), losses, estimated: false }
        }))
    }
}

/// An estimate of what nobody counts.
fn estimated(
    request: &ModelRequest,
    body: &RequestBody,
    estimate: u64,
) -> Result<Counted, ModelError> {
    lane::refuse_stored(request, body)?;
    Ok(Counted {
        body: count::answer(request.dialect, estimate),
        upstream: HeaderMap::new(),
        losses: LossReport::default(),
        estimated: true,
    })
}
