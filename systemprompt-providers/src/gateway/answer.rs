use ::http::HeaderMap;
use bytes::Bytes;
use serde_json::Value;
use systemprompt_core::content::{ContentBody, ContentVerdict};
use systemprompt_core::decision::{Outcome, OutcomeStatus, Permit};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::llm::{
    Answer, AnswerCollector, Block, BlockKind, ErrorKind, LossReport, ModelError, ToolInput,
};
use systemprompt_core::policy::SecretDirection;
use tokio::sync::oneshot;

use super::ask::{Answering, Asking, Exchange, Failure, Left};
use super::held::Held;
use super::judge::{Verdict, runs_at_the_caller};
use super::kept::CacheUse;
use super::record::{Account, Awaited, Spent};
use super::refusal::withheld;
use super::rest;
use super::seen::Seen;
use super::stream::Streaming;
use super::{Caller, ModelGateway};
use crate::dialect;
use crate::upstream::InProcessAnswer;

/// Most bytes of an answer that is not streamed.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// What a caller gets.
pub(crate) enum Answered {
    /// A whole answer.
    Whole(Whole),
    /// A stream of events.
    Stream(Streaming),
}

/// A whole answer.
pub(crate) struct Whole {
    pub(crate) request_id: String,
    /// Headers of the provider, in the byte lane.
    pub(crate) upstream: HeaderMap,
    pub(crate) losses: LossReport,
    pub(crate) provider: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) usage_estimated: bool,
    pub(crate) cache: Option<CacheUse>,
}

/// A request that was answered, and what was seen of the answer.
type Settling = (Box<Exchange>, Seen);

impl ModelGateway {
    /// Answers a request, in a task of its own: when the caller leaves, it still is settled and recorded.
    ///
    /// # Errors
    /// [`Failure`] with what the caller is told, in whose dialect it is written by the door.
    pub(crate) async fn answer(&self, asking: Asking) -> Result<Answered, Failure> {
        let (mut left, answered) = oneshot::channel();
        let gateway = self.clone();
        let answering = async move {
            let (answered, settling) = match gateway.answer_unless(&asking, &mut left).await {
                Ok((answered, settling)) => (Ok(answered), settling),
                Err(failure) => (Err(failure), None),
            };
            drop(asking);
            // A stream whose caller has left is told so by its receiver, which is dropped here.
            let _ = left.send(answered);
            // The decision is durable; what became of it is written while the answer is on its way.
            if let Some((exchange, seen)) = settling {
                // The door, which has been woken, goes first.
                tokio::task::yield_now().await;
                let done =
                    gateway.conclude(*exchange, &seen, AiRequestStatus::Success, Awaited::No);
                Box::pin(done).await;
            }
        };
        self.finish(answering);
        match answered.await {
            Ok(answered) => answered,
            Err(_) => {
                Err(ModelError::new(ErrorKind::Api, "the request could not be answered").into())
            }
        }
    }

    /// The answer, and what is to be settled when it is on its way.
    async fn answer_unless(
        &self,
        asking: &Asking,
        left: &mut Left,
    ) -> Result<(Answered, Option<Settling>), Failure> {
        // Both are large; what is spawned is not.
        let (exchange, answering) = Box::pin(self.ask(asking, left)).await?;
        if exchange.request.stream {
            return Ok((Answered::Stream(self.stream(exchange, answering)), None));
        }
        let (whole, settling) = Box::pin(self.whole(exchange, answering, left)).await?;
        Ok((Answered::Whole(whole), Some(settling)))
    }

    async fn whole(
        &self,
        mut exchange: Exchange,
        answering: Answering,
        left: &mut Left,
    ) -> Result<(Whole, Settling), Failure> {
        let read = tokio::select! {
            biased;
            read = read_answer(answering) => read,
            () = left.closed() => return Err(self.cancelled(exchange).await),
        };
        let (mut answer, raw, upstream) = match read {
            Ok(read) => read,
            Err(error) => return Err(self.failed(exchange, error.into()).await),
        };
        let mut seen = Seen {
            usage: answer.usage,
            usage_told: answer.usage != systemprompt_core::llm::Usage::default(),
            model: Some(answer.model.clone()),
            ..Seen::default()
        };
        seen.written = written(&answer);
        let ended = Some(answer.stop_reason.clone());
        exchange.uses(self, &Seen { stop: ended, ..seen.clone() });
        let governed = self.govern(&exchange, &mut answer, raw.as_deref(), &mut seen).await;
        let changed = match governed {
            Ok(changed) => changed,
            Err(error) => {
                seen.error = Some(error.clone());
                self.conclude(exchange, &seen, AiRequestStatus::Failed, Awaited::Yes).await;
                return Err(error.into());
            }
        };
        let mut losses = std::mem::take(&mut exchange.account.losses);
        let body = match raw.filter(|_| !changed) {
            Some(raw) => raw,
            None => match dialect::front(exchange.request.dialect) {
                Some(front) => front.encode_answer(&answer, &exchange.reply, &mut losses),
                None => Bytes::new(),
            },
        };
        exchange.account.losses = losses.clone();
        self.note_answer(&mut exchange.account, &body);
        let whole = Whole {
            request_id: exchange.reply.id.clone(),
            upstream,
            losses,
            provider: exchange.account.provider(),
            body,
            usage_estimated: exchange.account.is_estimate(&seen),
            cache: exchange.cache_use(),
        };
        self.keep(&mut exchange, &seen);
        Ok((whole, (Box::new(exchange), seen)))
    }

    /// Looks through the texts of an answer, also those in its own bytes that are not read, and decides the
    /// calls in it. Returns whether that changed it.
    async fn govern(
        &self,
        exchange: &Exchange,
        answer: &mut Answer,
        raw: Option<&[u8]>,
        seen: &mut Seen,
    ) -> Result<bool, ModelError> {
        let mut changed = false;
        for block in &mut answer.content {
            let replacement = match &block.kind {
                BlockKind::Text { text } => {
                    let text = self.look_through(exchange, text).await?;
                    text.map(|text| BlockKind::Text { text })
                }
                BlockKind::Refusal { text } => {
                    let text = self.look_through(exchange, text).await?;
                    text.map(|text| BlockKind::Refusal { text })
                }
                // What proves a thought proves it as it was.
                BlockKind::Thinking { text, .. } => {
                    let text = self.look_through(exchange, text).await?;
                    text.map(|text| BlockKind::Thinking { text, state: None })
                }
                BlockKind::ToolUse { id, name, input, state } => {
                    match self.judge(&exchange.caller, id, name, input).await {
                        Verdict::Allowed => {
                            seen.allowed += 1;
                            None
                        }
                        Verdict::Rewritten(arguments) => {
                            seen.allowed += 1;
                            Some(BlockKind::ToolUse {
                                id: id.clone(),
                                name: name.clone(),
                                input: ToolInput::from_json_text(arguments),
                                state: state.clone(),
                            })
                        }
                        Verdict::Denied { sentence, .. } => {
                            seen.denied += 1;
                            Some(BlockKind::Text { text: sentence })
                        }
                    }
                }
                BlockKind::Unknown { value } => self.govern_unknown(exchange, value, seen).await?,
                _ => None,
            };
            if let Some(kind) = replacement {
                block.kind = kind;
                changed = true;
            }
        }
        answer.stop_reason = seen.ended_by(answer.stop_reason.clone());
        if let Some(rest) = raw.and_then(|raw| rest::of_answer(exchange.request.dialect, raw)) {
            match self.look_through_json(&exchange.caller, &rest).await {
                ContentVerdict::Pass => {}
                ContentVerdict::Rewritten(_) => changed = true,
                ContentVerdict::Withheld(reason) => return Err(withheld("answer", &reason)),
            }
        }
        Ok(changed)
    }

    /// Governs a part of an answer that only its dialect knows. What stands in its place, if anything does.
    async fn govern_unknown(
        &self,
        exchange: &Exchange,
        value: &Value,
        seen: &mut Seen,
    ) -> Result<Option<BlockKind>, ModelError> {
        let kind = value.get("type").and_then(Value::as_str).unwrap_or_default();
        if let Some(tool) = runs_at_the_caller(kind) {
            if let Some(text) = self.judge_item(&exchange.caller, tool, value).await {
                seen.denied += 1;
                return Ok(Some(BlockKind::Text { text }));
            }
            seen.allowed += 1;
        }
        seen.note_provider_tool(value);
        match self.look_through_json(&exchange.caller, &value.to_string()).await {
            ContentVerdict::Pass => Ok(None),
            ContentVerdict::Rewritten(text) => {
                let value = serde_json::from_str(&text).unwrap_or_default();
                Ok(Some(BlockKind::Unknown { value }))
            }
            ContentVerdict::Withheld(reason) => Err(withheld("answer", &reason)),
        }
    }

    /// Looks through a part of an answer that is JSON.
    pub(super) async fn look_through_json(&self, caller: &Caller, json: &str) -> ContentVerdict {
        self.look(caller, SecretDirection::Answer, ContentBody::Json(json)).await
    }

    async fn look_through(
        &self,
        exchange: &Exchange,
        text: &str,
    ) -> Result<Option<String>, ModelError> {
        let text = ContentBody::Text(text);
        match self.look(&exchange.caller, SecretDirection::Answer, text).await {
            ContentVerdict::Pass => Ok(None),
            ContentVerdict::Rewritten(text) => Ok(Some(text)),
            ContentVerdict::Withheld(reason) => Err(withheld("answer", &reason)),
        }
    }

    /// Settles what was reserved and permitted, and records the request, all at once: what is durable together costs
    /// what one of it does.
    pub(super) async fn conclude(
        &self,
        mut exchange: Exchange,
        seen: &Seen,
        status: AiRequestStatus,
        awaited: Awaited,
    ) {
        let spent = exchange.account.spent(seen, self.parts().clock.now());
        let status = match &seen.error {
            Some(error)
                if status == AiRequestStatus::Failed && error.kind == ErrorKind::Timeout =>
            {
                AiRequestStatus::Timeout
            }
            _ => status,
        };
        let code = seen.error.as_ref().map(|error| {
            error.code.clone().unwrap_or_else(|| format!("status_{}", error.kind.status()))
        });
        let (reservation, permit) = (exchange.reservation.take(), exchange.permit.take());
        let said = std::mem::take(&mut exchange.account.said);
        tokio::join!(
            settle_budget(reservation, &spent),
            self.settle_permit(permit, &exchange.account, seen, status, awaited),
            self.record(&exchange, seen, &spent, (status, code), awaited),
            self.record_bodies(&exchange, said, awaited),
        );
    }

    async fn settle_permit(
        &self,
        permit: Option<Permit>,
        account: &Account,
        seen: &Seen,
        status: AiRequestStatus,
        awaited: Awaited,
    ) {
        let Some(permit) = permit else { return };
        let ended = match status {
            AiRequestStatus::Success => OutcomeStatus::Success,
            AiRequestStatus::Timeout => OutcomeStatus::Timeout,
            AiRequestStatus::Failed | AiRequestStatus::Cancelled => OutcomeStatus::Failed,
        };
        let took = self.parts().clock.monotonic().saturating_sub(account.arrived);
        let mut outcome = Outcome::new(ended, took);
        outcome.error = seen.error.as_ref().map(|error| error.message.clone());
        let settled = match awaited {
            Awaited::Yes => permit.settle(outcome).await,
            Awaited::No => permit.settle_later(outcome).await,
        };
        if let Err(error) = settled {
            tracing::error!("the outcome of a request to a model is not recorded: {error}");
        }
    }
}

/// Counts what a request has really cost.
async fn settle_budget(reservation: Option<Held>, spent: &Spent) {
    if let Some(held) = reservation {
        held.settle(spent.amounts()).await;
    }
}

/// The answer, its own bytes where the caller may have them, and the headers that go with them.
async fn read_answer(
    answering: Answering,
) -> Result<(Answer, Option<Bytes>, HeaderMap), ModelError> {
    let (answer, outgoing) = match answering {
        Answering::InProcess(answer) => {
            return Ok((collected(*answer).await?, None, HeaderMap::new()));
        }
        Answering::Upstream { answer, outgoing } => (answer, outgoing),
    };
    let headers = answer.headers.clone();
    let bytes = answer.collect(ANSWER_BYTES).await.map_err(|error| error.model_error())?;
    let read = dialect::upstream(outgoing.dialect).decode_answer(&bytes, &outgoing.source)?;
    let raw = outgoing.byte_lane.then_some(bytes);
    Ok((read, raw, if outgoing.byte_lane { headers } else { HeaderMap::new() }))
}

/// The whole answer of a provider in this process.
async fn collected(mut answer: InProcessAnswer) -> Result<Answer, ModelError> {
    let mut collector = AnswerCollector::default();
    while let Some(event) = answer.next_event().await {
        collector.push(event);
    }
    collector.finish()
}

fn written(answer: &Answer) -> u64 {
    let size = |block: &Block| match &block.kind {
        BlockKind::Text { text }
        | BlockKind::Refusal { text }
        | BlockKind::Thinking { text, .. } => text.len(),
        BlockKind::ToolUse { input, .. } => input.as_str().len(),
        _ => 0,
    };
    answer.content.iter().map(|block| size(block) as u64).sum()
}
