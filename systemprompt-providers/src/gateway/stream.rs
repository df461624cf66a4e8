use std::future::{Future as _, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use ::http::HeaderMap;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::llm::{ErrorKind, LossReport, ModelError, StreamEvent};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::ModelGateway;
use super::ask::{Answering, Exchange};
use super::bodies::StreamDigest;
use super::kept::CacheUse;
use super::meter::Meter;
use super::record::Awaited;
use super::relay::Relay;
use crate::dialect::chat::splice;
use crate::dialect::{self, StreamDecoder};
use crate::sse::{Frame, FrameSplitter};
use crate::upstream::{InProcessAnswer, UpstreamBody};

/// Most bytes of one event of a stream.
const FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Pieces of a stream that wait for a slow caller before the provider is not read any more.
const WAITING: usize = 16;

/// Bytes of a piece that wait for nothing more, even if it is there.
const TOGETHER: usize = 8 * 1024;

/// How long a translated stream is silent before a sign of life.
const SILENCE: Duration = Duration::from_secs(15);

/// An answer that comes as a stream.
pub(crate) struct Streaming {
    pub(crate) request_id: String,
    /// Headers of the provider, in the byte lane.
    pub(crate) upstream: HeaderMap,
    pub(crate) losses: LossReport,
    pub(crate) provider: Option<String>,
    pub(crate) usage_estimated: bool,
    pub(crate) cache: Option<CacheUse>,
    /// The pieces of the body. A receiver that is dropped ends the request.
    pub(crate) pieces: mpsc::Receiver<Bytes>,
}

/// What brings the answer.
enum Bringing {
    InProcess(Box<InProcessAnswer>),
    Upstream { body: Box<UpstreamBody>, hide_usage: bool },
}

/// How a stream ended.
enum End {
    Whole,
    Failed(ModelError),
    CallerLeft,
}

impl ModelGateway {
    /// Passes a stream on, in a task of its own: when the caller leaves, it still is settled and recorded.
    pub(super) fn stream(&self, exchange: Exchange, answering: Answering) -> Streaming {
        let (pieces, receiver) = mpsc::channel(WAITING);
        let (decoder, bytes_pass, bringing, upstream) = bringing(answering);
        let streaming = Streaming {
            request_id: exchange.reply.id.clone(),
            upstream,
            losses: exchange.account.losses.clone(),
            provider: exchange.account.provider(),
            usage_estimated: exchange.account.usage_estimated,
            cache: exchange.cache_use(),
            pieces: receiver,
        };
        if let Some(front) = dialect::front(exchange.request.dialect) {
            let caller = exchange.caller.clone();
            let to = (front, &exchange.reply);
            let relay = Relay::new(self.clone(), caller, decoder, to, bytes_pass);
            self.finish(self.clone().run(exchange, relay, bringing, pieces));
        }
        streaming
    }

    async fn run(
        self,
        mut exchange: Exchange,
        mut relay: Relay,
        bringing: Bringing,
        pieces: mpsc::Sender<Bytes>,
    ) {
        let digest = StreamDigest::default();
        let mut sender = Sender { pieces, first: None, digest, gateway: self.clone() };
        let meter = Meter::new(&self, &mut exchange);
        let end = match bringing {
            Bringing::InProcess(answer) => {
                pass_events(&mut relay, *answer, (&mut sender, meter)).await
            }
            Bringing::Upstream { body, hide_usage } => {
                pass_frames(&mut relay, *body, hide_usage, (&mut sender, meter)).await
            }
        };
        exchange.account.first_byte = sender.first;
        exchange.account.answer_sha256 = sender.digest.finish();
        exchange.account.said.answer = relay.recorded();
        exchange.account.losses.append(relay.losses().clone());
        let mut seen = relay.seen().clone();
        let status = match end {
            End::CallerLeft => AiRequestStatus::Cancelled,
            End::Failed(error) => {
                seen.error.get_or_insert(error);
                AiRequestStatus::Failed
            }
            End::Whole if seen.error.is_some() => AiRequestStatus::Failed,
            End::Whole => AiRequestStatus::Success,
        };
        if status == AiRequestStatus::Success {
            self.keep(&mut exchange, &seen);
        }
        // The stream is closed after its record, so that whoever read it to its end finds it recorded.
        self.conclude(exchange, &seen, status, Awaited::Yes).await;
        drop(sender);
    }
}

fn bringing(answering: Answering) -> (Box<dyn StreamDecoder>, bool, Bringing, HeaderMap) {
    match answering {
        Answering::InProcess(answer) => {
            (Box::new(Nothing), false, Bringing::InProcess(answer), HeaderMap::new())
        }
        Answering::Upstream { answer, outgoing } => {
            let decoder = dialect::upstream(outgoing.dialect).stream_decoder(&outgoing.source);
            let headers =
                if outgoing.byte_lane { answer.headers.clone() } else { HeaderMap::new() };
            let hide_usage = outgoing.hide_usage;
            let bringing = Bringing::Upstream { body: Box::new(answer.body), hide_usage };
            (decoder, outgoing.byte_lane, bringing, headers)
        }
    }
}

/// Reads nothing: a provider in this process makes events, not frames.
struct Nothing;

impl StreamDecoder for Nothing {
    fn push(&mut self, _: &Frame, _: &mut Vec<StreamEvent>) {}

    fn finish(&mut self, _: &mut Vec<StreamEvent>) {}
}

/// Hands pieces to the caller.
struct Sender {
    pieces: mpsc::Sender<Bytes>,
    first: Option<Duration>,
    digest: StreamDigest,
    gateway: ModelGateway,
}

impl Sender {
    /// Whether the caller is still there.
    async fn send(&mut self, out: &mut Vec<u8>) -> bool {
        if out.is_empty() {
            return !self.pieces.is_closed();
        }
        if self.first.is_none() {
            self.first = Some(self.gateway.parts().clock.monotonic());
        }
        let piece = Bytes::from(std::mem::take(out));
        let sent = self.pieces.send(piece.clone()).await.is_ok();
        if sent {
            self.digest.push(&piece);
        }
        sent
    }

    /// Sends the last of a stream, which may be an error where it is not whole.
    async fn end(&mut self, whole: bool, error: Option<ModelError>, out: &mut Vec<u8>) -> End {
        match (self.send(out).await, error) {
            (false, _) => End::CallerLeft,
            (true, Some(error)) if !whole => End::Failed(error),
            (true, _) => End::Whole,
        }
    }
}

async fn pass_events(
    relay: &mut Relay,
    mut answer: InProcessAnswer,
    (sender, mut meter): (&mut Sender, Meter<'_>),
) -> End {
    let mut out = Vec::new();
    let mut signs = signs();
    let error = loop {
        let event = tokio::select! {
            event = answer.next_event() => event,
            () = sender.pieces.closed() => return End::CallerLeft,
            _ = signs.tick() => Some(StreamEvent::Ping),
        };
        let Some(event) = event else { break None };
        signs.reset();
        match event {
            StreamEvent::Ping => relay.ping(&mut out),
            event => relay.events(vec![event], &mut out).await,
        }
        if let Err(error) = meter.check(relay.seen()).await {
            break Some(error);
        }
        if !sender.send(&mut out).await {
            return End::CallerLeft;
        }
        if relay.seen().error.is_some() {
            break None;
        }
    };
    drop(answer);
    relay.finish(error.clone(), &mut out).await;
    let whole = relay.seen().stop.is_some();
    sender.end(whole, error, &mut out).await
}

/// When a stream has been silent for so long that it needs a sign of life.
fn signs() -> Interval {
    let mut signs = interval_at(Instant::now() + SILENCE, SILENCE);
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    signs
}

async fn pass_frames(
    relay: &mut Relay,
    body: UpstreamBody,
    hide_usage: bool,
    (sender, mut meter): (&mut Sender, Meter<'_>),
) -> End {
    let mut splitter = FrameSplitter::new(FRAME_BYTES);
    let (mut out, mut more) = (Vec::new(), Vec::new());
    let mut body = body.peekable();
    let mut signs = signs();
    let error = loop {
        let piece = tokio::select! {
            piece = body.next() => piece,
            () = sender.pieces.closed() => return End::CallerLeft,
            _ = signs.tick() => {
                relay.ping(&mut out);
                if !sender.send(&mut out).await {
                    return End::CallerLeft;
                }
                continue;
            }
        };
        let piece = match piece {
            None => break None,
            Some(Ok(piece)) => piece,
            Some(Err(error)) => break Some(error.model_error()),
        };
        signs.reset();
        splitter.push(&piece);
        let passed = {
            let to = (&mut more, &mut meter);
            let mut passing = pin!(pass_whole(relay, &mut splitter, hide_usage, to));
            match poll_fn(|cx| Poll::Ready(passing.as_mut().poll(cx))).await {
                Poll::Ready(passed) => passed,
                Poll::Pending => {
                    // What is decided takes its time: what is ready leaves before. A caller that has left is
                    // noticed afterwards.
                    let _ = sender.send(&mut out).await;
                    passing.await
                }
            }
        };
        let has_grown = !more.is_empty();
        out.append(&mut more);
        if let Err(error) = passed {
            break Some(error);
        }
        // What is there already goes with it; the first piece waits for nothing.
        let has_room = has_grown && out.len() < TOGETHER && sender.first.is_some();
        if has_room && relay.seen().error.is_none() {
            step_aside().await;
            if Pin::new(&mut body).peek().now_or_never().is_some() {
                continue;
            }
        }
        if !sender.send(&mut out).await {
            return End::CallerLeft;
        }
        if relay.seen().error.is_some() {
            break None;
        }
    };
    drop(body);
    if error.is_none()
        && let Some(frame) = splitter.finish()
    {
        let raw = shown(&frame, hide_usage);
        relay.frame(&frame, raw, &mut out).await;
    }
    relay.finish(error.clone(), &mut out).await;
    let whole = relay.seen().stop.is_some();
    sender.end(whole, error, &mut out).await
}

/// Lets the tasks that are ready run once, such as the one that reads the connection. Unlike `yield_now` of tokio it
/// does not ask the system for more.
async fn step_aside() {
    let mut aside = false;
    poll_fn(|cx| {
        if aside {
            return Poll::Ready(());
        }
        aside = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Passes on the frames that are whole, as far as budgets allow.
async fn pass_whole(
    relay: &mut Relay,
    splitter: &mut FrameSplitter,
    hide_usage: bool,
    (out, meter): (&mut Vec<u8>, &mut Meter<'_>),
) -> Result<(), ModelError> {
    loop {
        match splitter.next_frame() {
            Ok(None) => return Ok(()),
            Ok(Some(frame)) => {
                let raw = shown(&frame, hide_usage);
                relay.frame(&frame, raw, out).await;
                meter.check(relay.seen()).await?;
            }
            Err(error) => {
                return Err(ModelError::new(ErrorKind::BadGateway, error.to_string())
                    .with_code("upstream_frame_too_long"));
            }
        }
    }
}

/// What a caller of the same dialect sees of a frame.
fn shown(frame: &Frame, hide_usage: bool) -> Bytes {
    if hide_usage && splice::is_usage_chunk(frame) { Bytes::new() } else { frame.raw.clone() }
}
