use std::time::Duration;

use systemprompt_core::call::Door;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{AuditError, AuditSink};
use systemprompt_core::event::{
    AiRequest, AiRequestDetail, AiRequestStatus, AuditBody, AuditEvent, EventContext, EventSubject,
};
use systemprompt_core::id::{AiRequestId, EventId, TraceId};
use systemprompt_core::llm::{LossReport, ModelRequest, Usage};
use systemprompt_core::money::Microdollars;

use super::ask::Exchange;
use super::bodies::Said;
use super::kept::KeptAnswer;
use super::seen::Seen;
use super::{Caller, ModelGateway};
use crate::price;
use crate::route::ChosenTarget;

/// Most losses that a record spells out.
const LOSSES: usize = 64;

/// One request, from its arrival to its record.
pub(super) struct Account {
    pub(super) id: AiRequestId,
    pub(super) requested: String,
    pub(super) streamed: bool,
    pub(super) arrived: Duration,
    pub(super) first_byte: Option<Duration>,
    pub(super) route: Option<usize>,
    pub(super) target: Option<ChosenTarget>,
    pub(super) attempts: Vec<String>,
    pub(super) losses: LossReport,
    pub(super) estimated_input: u64,
    pub(super) unpermitted_results: u32,
    pub(super) request_sha256: Option<String>,
    pub(super) byte_lane: bool,
    /// Whether what the provider tells of the usage is an estimate.
    pub(super) usage_estimated: bool,
    /// Whether the answer was kept from an earlier request.
    pub(super) cached: bool,
    /// SHA-256 of the answer's body, once there is one.
    pub(super) answer_sha256: Option<String>,
    /// What is to be recorded of both bodies.
    pub(super) said: Said,
}

/// What a request has used.
pub(super) struct Spent {
    pub(super) usage: Usage,
    /// Whether the provider did not tell.
    pub(super) estimated: bool,
    /// `None` without a price.
    pub(super) cost: Option<Microdollars>,
    at: Timestamp,
}

impl Account {
    pub(super) fn new(request: &ModelRequest, arrived: Duration, estimated_input: u64) -> Self {
        Self {
            id: AiRequestId::generate(),
            requested: request.model.clone(),
            streamed: request.stream,
            arrived,
            first_byte: None,
            route: None,
            target: None,
            attempts: Vec::new(),
            losses: LossReport::default(),
            estimated_input,
            unpermitted_results: 0,
            request_sha256: None,
            byte_lane: false,
            usage_estimated: false,
            cached: false,
            answer_sha256: None,
            said: Said::default(),
        }
    }

    /// Notes that `target` answers with what was kept.
    pub(super) fn answered_by(&mut self, target: ChosenTarget, kept: &KeptAnswer) {
        let outgoing = kept.outgoing();
        self.target = Some(target);
        self.losses = outgoing.request.losses.clone();
        self.byte_lane = outgoing.byte_lane;
        self.cached = true;
    }

    /// The usage to count: what the provider told, else an estimate of what was sent and said.
    fn usage(&self, seen: &Seen) -> (Usage, bool) {
        const BYTES_PER_TOKEN: u64 = 4;
        // What was kept had been paid for.
        if self.cached {
            return (Usage::default(), false);
        }
        // Before its end an answer tells at most how it began: one token of many.
        if seen.usage_told && seen.stop.is_some() {
            return (seen.usage, self.usage_estimated);
        }
        if seen.model.is_none() && seen.written == 0 && !seen.usage_told {
            return (Usage::default(), false);
        }
        let mut usage = seen.usage;
        if usage.prompt() == 0 {
            usage.input = self.estimated_input;
        }
        usage.output = usage.output.max(seen.written.div_ceil(BYTES_PER_TOKEN));
        (usage, true)
    }

    /// What the answer has used, and what that costs at the time of its end.
    pub(super) fn spent(&self, seen: &Seen, now: Timestamp) -> Spent {
        const MICROS: i64 = 1_000_000;
        let (usage, estimated) = self.usage(seen);
        let price = self.target.as_ref().and_then(|target| target.price.as_ref());
        let unix_s = now.as_micros().div_euclid(MICROS);
        let cost = match self.cached {
            true => Some(Microdollars::ZERO),
            false => price.and_then(|row| price::cost_at(&usage, row, unix_s)),
        };
        Spent { usage, estimated, cost, at: now }
    }

    /// Whether the usage is an estimate, because the provider told none.
    pub(super) fn is_estimate(&self, seen: &Seen) -> bool {
        self.usage(seen).1
    }

    /// The name of the provider that was asked last.
    pub(super) fn provider(&self) -> Option<String> {
        self.target.as_ref().map(|target| target.provider.name().to_string())
    }
}

/// Whether a caller waits for what is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Awaited {
    Yes,
    No,
}

impl Awaited {
    /// Appends `event`, durable on return.
    pub(super) async fn append(
        self,
        audit: &dyn AuditSink,
        event: AuditEvent,
    ) -> Result<(), AuditError> {
        match self {
            Self::Yes => audit.append(event).await,
            Self::No => audit.append_later(event).await,
        }
    }
}

impl ModelGateway {
    /// Records a request. The answer is on its way already: what cannot be recorded is said in the log of the
    /// process, and the decision before it was durable.
    pub(super) async fn record(
        &self,
        Exchange { caller, account, .. }: &Exchange,
        seen: &Seen,
        &Spent { usage, estimated, cost, at }: &Spent,
        (status, code): (AiRequestStatus, Option<String>),
        awaited: Awaited,
    ) {
        let parts = self.parts();
        let target = account.target.as_ref();
        let safe = |text: &str| parts.redact.redact(text).into_owned();
        let model = target.map_or_else(|| safe(&account.requested), |target| target.model.clone());
        let renamed = (model != account.requested).then(|| safe(&account.requested));
        let since = |at: Duration| millis(at.saturating_sub(account.arrived));
        let losses = account.losses.losses().iter().take(LOSSES);
        let request = AiRequest {
            request_id: account.id.clone(),
            provider: account.provider().unwrap_or_default(),
            model,
            requested_model: renamed,
            tool: None,
            status,
            error_code: code,
            streamed: account.streamed,
            tokens: usage.into(),
            cost_microdollars: cost.unwrap_or(Microdollars::ZERO),
            priced: cost.is_some(),
            latency_ms: since(parts.clock.monotonic()),
            first_token_ms: account.first_byte.map(since),
            detail: AiRequestDetail {
                route: account.route,
                attempts: account.attempts.clone(),
                stop_reason: seen.stop.as_ref().map(|reason| safe(reason.as_str())),
                served_model: seen.model.as_deref().map(safe),
                losses: losses
                    .map(|loss| safe(&format!("{}={}", loss.field, loss.what.as_str())))
                    .collect(),
                usage_estimated: estimated,
                reasoning_tokens: usage.reasoning,
                cache_write_1h: usage.cache_write_1h,
                tool_calls_allowed: seen.allowed,
                tool_calls_denied: seen.denied,
                provider_tools: seen.provider_tools.iter().map(|tool| safe(tool)).collect(),
                unpermitted_results: account.unpermitted_results,
                request_sha256: account.request_sha256.clone(),
                answer_sha256: account.answer_sha256.clone(),
                byte_lane: account.byte_lane,
                cached: account.cached,
            },
        };
        let event = caller.event(EventId::generate(), at, request);
        if let Err(error) = awaited.append(&*parts.audit, event).await {
            tracing::error!("a request to a model is not recorded: {error}");
        }
    }
}

impl Caller {
    /// An event about what it asks, in which circumstances it does.
    pub(super) fn event(
        &self,
        id: EventId,
        occurred_at: Timestamp,
        body: impl Into<AuditBody>,
    ) -> AuditEvent {
        let context = &self.context;
        AuditEvent {
            id,
            occurred_at,
            trace_id: context.trace_id.unwrap_or_else(TraceId::generate),
            subject: Some(EventSubject::from(&self.principal)),
            context: EventContext {
                session: context.session.clone(),
                agent: context.agent.clone(),
                door: Some(Door::Gateway),
                user_agent: context.user_agent.clone(),
                client_addr: context.client_addr,
                ..EventContext::default()
            },
            body: body.into(),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
