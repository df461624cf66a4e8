use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use systemprompt_core::contract::LlmRequest;
use systemprompt_core::id::AiRequestId;
use systemprompt_core::llm::{Dialect, ErrorKind, ModelError, ModelRequest};

use super::ask::{Answering, Asking, Exchange, Failure};
use super::body::RequestBody;
use super::lane::{self, Outgoing};
use super::{Caller, ModelGateway};
use crate::dialect;
use crate::preset::{Endpoint, Provider};
use crate::route::{Chosen, ChosenTarget};
use crate::upstream::{Asked, InProcess, UpstreamAnswer, UpstreamCall};

/// Most bytes of an error of a provider that are read.
const ERROR_BYTES: usize = 64 * 1024;

/// The header that names what of Anthropic's is in beta.
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");

impl ModelGateway {
    /// Sends the request to the chosen target, and to the next one while one fails before it answers.
    pub(super) async fn send(
        &self,
        asking: &Asking,
        exchange: &mut Exchange,
        body: &RequestBody,
        chosen: Chosen,
    ) -> Result<Answering, Failure> {
        let mut targets = std::iter::once(chosen.target).chain(chosen.fallbacks).peekable();
        while let Some(target) = targets.next() {
            exchange.account.target = Some(target.clone());
            let tried = match self.in_process(target.provider.name()) {
                Some(own) => self.try_in_process(own, exchange, body, &target).await,
                None => self.try_target(asking, exchange, body, &target).await,
            };
            match tried {
                Ok(answering) => return Ok(answering),
                Err(failure) if failure.error.kind.is_transient() && targets.peek().is_some() => {
                    let error = &failure.error;
                    tracing::info!(
                        provider = &**target.provider.name(),
                        "the next one is asked: {error}"
                    );
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(ModelError::new(ErrorKind::Api, "no provider was asked").into())
    }

    /// What a provider in this process is asked.
    pub(super) fn llm_request(
        &self,
        id: AiRequestId,
        caller: &Caller,
        target: &ChosenTarget,
        request: Arc<ModelRequest>,
    ) -> LlmRequest {
        LlmRequest {
            id,
            principal: caller.principal.clone(),
            model: target.model.clone(),
            request,
            key: self.parts().secrets.keys.get(&**target.provider.name()).cloned(),
        }
    }

    async fn try_in_process(
        &self,
        own: &InProcess,
        exchange: &mut Exchange,
        body: &RequestBody,
        target: &ChosenTarget,
    ) -> Result<Answering, Failure> {
        lane::refuse_stored(&exchange.request, body)?;
        let (name, account) = (target.provider.name(), &mut exchange.account);
        let (id, request) = (account.id.clone(), exchange.request.clone());
        let request = self.llm_request(id, &exchange.caller, target, request);
        let Asked { outcome, answer } = own.ask(request).await;
        account.byte_lane = false;
        account.attempts.extend(outcome.map(|outcome| format!("{name}:{}", outcome.code())));
        let answer = answer?;
        lane::refuse_losses(answer.losses(), target.provider.config().loss)?;
        account.losses = answer.losses().clone();
        account.usage_estimated = answer.usage_estimated();
        Ok(Answering::InProcess(Box::new(answer)))
    }

    async fn try_target(
        &self,
        asking: &Asking,
        exchange: &mut Exchange,
        body: &RequestBody,
        target: &ChosenTarget,
    ) -> Result<Answering, Failure> {
        let query = asking.query.as_deref();
        let outgoing = lane::outgoing(self.routes(), &exchange.request, body, target, query)?;
        exchange.account.losses = outgoing.request.losses.clone();
        exchange.account.byte_lane = outgoing.byte_lane;
        let provider = &target.provider;
        let name = provider.name();
        let (Some(endpoint), Some(client)) =
            (provider.endpoint_for(asking.dialect), self.client(name, outgoing.dialect))
        else {
            let message = format!("the provider `{name}` has no address");
            return Err(ModelError::new(ErrorKind::Api, message).into());
        };
        let call = self.call(asking, provider, endpoint, &outgoing).await?;
        let sent = client.send(call).await;
        let attempts = match &sent {
            Ok(answer) => &answer.attempts,
            Err(error) => &error.attempts,
        };
        let attempts = attempts.iter().map(|attempt| format!("{name}:{}", attempt.outcome.code()));
        exchange.account.attempts.extend(attempts);
        let answer = sent.map_err(|error| error.model_error())?;
        if answer.status.is_success() {
            let (answer, outgoing) = (Box::new(answer), Box::new(outgoing));
            return Ok(Answering::Upstream { answer, outgoing });
        }
        Err(refused(answer, &outgoing).await)
    }

    /// What a provider is sent, with its key.
    pub(super) async fn call(
        &self,
        asking: &Asking,
        provider: &Provider,
        endpoint: &Endpoint,
        outgoing: &Outgoing,
    ) -> Result<UpstreamCall, ModelError> {
        let mut call = UpstreamCall::of(&outgoing.request).map_err(|error| error.model_error())?;
        if outgoing.byte_lane {
            forward_headers(&asking.headers, asking.dialect, &mut call.headers);
            if let Some(taken) = &provider.flags(outgoing.dialect).betas {
                keep_betas(taken, &mut call.headers);
            }
        }
        provider.put_headers(&mut call.headers);
        if let Some(credential) = self.credential(&asking.caller, provider, endpoint).await? {
            call = call.with_credential(credential);
        }
        Ok(call)
    }
}

/// The answer of a provider that refuses.
pub(super) async fn refused(answer: UpstreamAnswer, outgoing: &Outgoing) -> Failure {
    let (status, headers, retry_after) =
        (answer.status, answer.headers.clone(), answer.retry_after);
    let body = answer.collect(ERROR_BYTES).await.unwrap_or_default();
    let mut error = dialect::upstream(outgoing.dialect).decode_error(status.as_u16(), &body);
    error.retry_after = error.retry_after.or(retry_after);
    if matches!(error.kind, ErrorKind::Authentication | ErrorKind::Permission) {
        // It is our key that was refused: callers must not log in again because of it.
        let message = format!("the provider refused its key or access: {}", error.message);
        return ModelError::new(ErrorKind::BadGateway, message).with_code("provider_key").into();
    }
    let raw = (outgoing.byte_lane && is_error(&body)).then_some((status, headers, body));
    Failure { error, raw }
}

/// Whether a body says what is wrong as the dialects do, and not as a proxy on the way does.
fn is_error(body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Said {
        error: serde_json::Map<String, serde_json::Value>,
    }
    serde_json::from_slice::<Said>(body).is_ok_and(|said| !said.error.is_empty())
}

/// Whether a header of a caller means something to a provider of its dialect.
pub(super) fn reaches_provider(dialect: Dialect, name: &str) -> bool {
    match dialect {
        Dialect::Anthropic => name.starts_with("anthropic-") && name != "anthropic-workspace-id",
        _ => name == "openai-beta" || name == "idempotency-key",
    }
}

/// The headers of a caller that mean something to a provider of its dialect.
fn forward_headers(from: &HeaderMap, dialect: Dialect, to: &mut HeaderMap) {
    for (name, value) in from {
        if reaches_provider(dialect, name.as_str()) {
            to.append(name.clone(), value.clone());
        }
    }
}

/// Leaves those values of `anthropic-beta` that a provider takes.
fn keep_betas(taken: &[String], headers: &mut HeaderMap) {
    let kept: Vec<&str> = headers
        .get_all(BETA)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|values| values.split(',').map(str::trim))
        .filter(|value| taken.iter().any(|taken| taken == value))
        .collect();
    let kept = HeaderValue::from_str(&kept.join(",")).ok().filter(|kept| !kept.is_empty());
    headers.remove(BETA);
    if let Some(kept) = kept {
        headers.insert(BETA, kept);
    }
}
