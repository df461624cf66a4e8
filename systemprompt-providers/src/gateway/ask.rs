use std::sync::Arc;

use ::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use serde_json::json;
use systemprompt_core::call::{Arguments, Digest, Door, ToolCall, ToolRef};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Decision, DenialReason, Permit};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::llm::{Dialect, ErrorKind, ModelError, ModelRequest, ReasoningMode};
use tokio::sync::oneshot;

use super::answer::Answered;
use super::body::RequestBody;
use super::held::Held;
use super::kept::{Keeping, Lookup};
use super::lane::{self, Outgoing};
use super::record::{Account, Awaited};
use super::refusal::refusal;
use super::seen::Seen;
use super::{Caller, ModelGateway};
use crate::dialect::{self, Reply};
use crate::echo;
use crate::route::{Chosen, ChosenTarget, RouteQuery};
use crate::upstream::{InProcessAnswer, UpstreamAnswer};

/// Tokens that an answer may have when neither the request nor the model says so.
const OUTPUT_TOKENS: u64 = 8_192;

/// A request as it came through a door.
pub(crate) struct Asking {
    pub(crate) caller: Caller,
    pub(crate) dialect: Dialect,
    pub(crate) body: Bytes,
    pub(crate) headers: HeaderMap,
    pub(crate) query: Option<String>,
}

/// A request that has been let through, with everything that is to be settled when it ends.
pub(super) struct Exchange {
    pub(super) caller: Caller,
    pub(super) request: Arc<ModelRequest>,
    pub(super) reply: Reply,
    pub(super) account: Account,
    pub(super) permit: Option<Permit>,
    pub(super) reservation: Option<Held>,
    /// The answer, where it may be kept for the next request that is the same.
    pub(super) keeping: Option<Box<Keeping>>,
}

/// Who answers.
pub(super) enum Answering {
    /// A provider in this process, which has begun to.
    InProcess(Box<InProcessAnswer>),
    /// A provider, which has begun to.
    Upstream { answer: Box<UpstreamAnswer>, outgoing: Box<Outgoing> },
}

/// Closed when the caller has left.
pub(super) type Left = oneshot::Sender<Result<Answered, Failure>>;

/// A request failed, and what the caller gets.
pub(crate) struct Failure {
    pub(crate) error: ModelError,
    /// The provider's own answer, where the caller speaks its dialect.
    pub(crate) raw: Option<(StatusCode, HeaderMap, Bytes)>,
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self { error, raw: None }
    }
}

impl ModelGateway {
    /// Takes a request as far as the beginning of an answer.
    pub(super) async fn ask(
        &self,
        asking: &Asking,
        left: &mut Left,
    ) -> Result<(Exchange, Answering), Failure> {
        let arrived = self.parts().clock.monotonic();
        let caller = asking.caller.clone();
        let (request, body) = match self.read(asking).await {
            Ok(read) => read,
            Err(error) => {
                self.reject(&caller, None, &error).await;
                return Err(error.into());
            }
        };
        let estimate = echo::estimate_tokens(&request);
        let chosen = match self.choose(&caller, &request, estimate) {
            Ok(chosen) => chosen,
            Err(error) => {
                self.reject(&caller, Some(&request.model), &error).await;
                return Err(error.into());
            }
        };
        let mut account = Account::new(&request, arrived, estimate);
        account.route = Some(chosen.route);
        account.request_sha256 = Some(Digest::of(&asking.body).to_string());
        self.note_request(&mut account, body.bytes());
        let permit = self.permit(&caller, &request, &chosen, &account).await?;
        account.unpermitted_results = self.settle_results(&caller, &request).await;
        let keeping = match self.look_up(asking, &request, &body, &chosen) {
            Lookup::Passed => None,
            Lookup::Missed(keeping) => Some(keeping),
            Lookup::Found(kept) => {
                account.answered_by(chosen.target, &kept);
                let exchange = self.exchange(asking, request, account, (Some(permit), None));
                return Ok((exchange, kept.answering()));
            }
        };
        let most = self.most_tokens(&request, &chosen.target, estimate);
        let reservation = match self.reserve(&caller, &chosen.model, &chosen.target, most).await {
            Ok(reservation) => reservation,
            Err(error) => {
                account.target = Some(chosen.target);
                let exchange = self.exchange(asking, request, account, (Some(permit), None));
                return Err(self.failed(exchange, error.into()).await);
            }
        };
        let mut exchange = self.exchange(asking, request, account, (Some(permit), reservation));
        exchange.keeping = keeping;
        let sent = tokio::select! {
            biased;
            sent = self.send(asking, &mut exchange, &body, chosen) => sent,
            () = left.closed() => return Err(self.cancelled(exchange).await),
        };
        match sent {
            Ok(mut answering) => {
                self.begin_keeping(&mut exchange, &mut answering);
                Ok((exchange, answering))
            }
            Err(failure) => Err(self.failed(exchange, failure).await),
        }
    }

    fn exchange(
        &self,
        asking: &Asking,
        request: ModelRequest,
        account: Account,
        (permit, reservation): (Option<Permit>, Option<Held>),
    ) -> Exchange {
        const MICROS: i64 = 1_000_000;
        let prefix = match asking.dialect {
            Dialect::Chat => "chatcmpl-",
            Dialect::Responses => "resp_",
            Dialect::Anthropic | Dialect::Gemini => "msg_",
        };
        let id = account.id.to_string().replace('-', "");
        let request = Arc::new(request);
        let reply = Reply {
            id: format!("{prefix}{id}"),
            model: request.model.clone(),
            created: self.parts().clock.now().as_micros().div_euclid(MICROS),
            stream_usage: request.stream_usage,
            request: request.clone(),
        };
        let caller = asking.caller.clone();
        Exchange { caller, request, reply, account, permit, reservation, keeping: None }
    }

    /// What a request says, after it was looked through.
    async fn read(&self, asking: &Asking) -> Result<(ModelRequest, RequestBody), ModelError> {
        let body = RequestBody::read(asking.body.clone())?;
        let body = self.scan(&asking.caller, asking.dialect, body).await?;
        let front = dialect::front(asking.dialect).ok_or_else(|| {
            ModelError::new(ErrorKind::Api, "callers are not spoken to in this dialect")
        })?;
        let request = match asking.dialect {
            // Whether its provider keeps what it refers to is known once it is routed.
            Dialect::Responses => front.decode_request(body.without(lane::STORED)?.bytes())?,
            _ => front.decode_request(body.bytes())?,
        };
        Ok((request, body))
    }

    pub(super) fn choose(
        &self,
        caller: &Caller,
        request: &ModelRequest,
        estimate: u64,
    ) -> Result<Chosen, ModelError> {
        let draw = rand::random();
        let query = RouteQuery {
            tools: !request.tools.is_empty(),
            thinking: thinks(request),
            stream: request.stream,
            estimated_tokens: estimate,
            ..RouteQuery::new(&request.model, &caller.principal, draw)
        };
        Ok(self.routes().choose(&query)?)
    }

    /// Asks whether the caller may use the model now: the call of the tool `model:<name>`.
    async fn permit(
        &self,
        caller: &Caller,
        request: &ModelRequest,
        chosen: &Chosen,
        account: &Account,
    ) -> Result<Permit, ModelError> {
        let arguments = json!({
            "model": request.model,
            "provider": &**chosen.target.provider.name(),
            "dialect": request.dialect.as_str(),
            "stream": request.stream,
            "messages": request.messages.len(),
            "tools": request.tools.len(),
            "max_output_tokens": request.max_output_tokens,
            "body_sha256": account.request_sha256,
        });
        self.may_use(caller, &chosen.model, &arguments).await
    }

    /// Asks whether the caller may use a model, with `arguments` of the call that stands for that.
    pub(super) async fn may_use(
        &self,
        caller: &Caller,
        model: &str,
        arguments: &serde_json::Value,
    ) -> Result<Permit, ModelError> {
        let tool = model_tool(model).map_err(|error| {
            ModelError::invalid("model", format!("`model`: {error}")).with_code("malformed_call")
        })?;
        let arguments = Arguments::parse(arguments.to_string())
            .map_err(|error| ModelError::new(ErrorKind::Api, error.to_string()))?;
        let (principal, context) = (caller.principal.clone(), caller.context.clone());
        let call = ToolCall::new(principal, Door::Gateway, tool, arguments, context);
        match self.parts().decide.decide(call).await {
            Decision::Allow(permit) => Ok(permit),
            Decision::Deny(denial) => Err(refusal(&denial.reason, &*self.parts().redact)),
            Decision::Pending(_) => {
                Err(refusal(&DenialReason::ApprovalRequired, &*self.parts().redact))
            }
        }
    }

    /// Records what could not become a call.
    pub(super) async fn reject(&self, caller: &Caller, model: Option<&str>, error: &ModelError) {
        let reason = DenialReason::Policy {
            id: error.code.as_deref().unwrap_or("malformed_request").into(),
            detail: self.parts().redact.redact(&error.message).into_owned().into(),
        };
        let rejected = RejectedCall {
            principal: caller.principal.clone(),
            door: Door::Gateway,
            context: caller.context.clone(),
            tool: model.map(|model| format!("model:{model}")),
            reason,
        };
        let _ = self.parts().decide.reject(rejected).await;
    }

    fn most_tokens(
        &self,
        request: &ModelRequest,
        target: &ChosenTarget,
        estimate: u64,
    ) -> (u64, u64) {
        let capabilities = target.provider.capabilities(&target.model, self.routes().prices());
        let output = request.max_output_tokens.or(capabilities.max_output).unwrap_or(OUTPUT_TOKENS);
        (estimate, output)
    }

    /// Settles a request whose caller left before anything was answered.
    pub(super) async fn cancelled(&self, exchange: Exchange) -> Failure {
        self.conclude(exchange, &Seen::default(), AiRequestStatus::Cancelled, Awaited::Yes).await;
        ModelError::new(ErrorKind::Api, "the caller went away").into()
    }

    /// Settles a request that failed, and returns what the caller is told.
    pub(super) async fn failed(&self, exchange: Exchange, failure: Failure) -> Failure {
        let seen = Seen { error: Some(failure.error.clone()), ..Seen::default() };
        self.conclude(exchange, &seen, AiRequestStatus::Failed, Awaited::Yes).await;
        failure
    }
}

fn thinks(request: &ModelRequest) -> bool {
    request.reasoning.as_ref().is_some_and(|reasoning| {
        reasoning.mode != Some(ReasoningMode::Disabled)
            && reasoning.effort != Some(systemprompt_core::llm::Effort::None)
    })
}

/// The tool that stands for a model.
fn model_tool(model: &str) -> Result<ToolRef, systemprompt_core::call::MalformedCall> {
    const LONGEST: usize = 240;
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    let name = model.chars().take(LONGEST).map(|c| if fits(c) { c } else { '_' });
    ToolRef::parse(None, &format!("model:{}", name.collect::<String>()))
}
