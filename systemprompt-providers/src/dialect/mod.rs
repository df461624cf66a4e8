//! The wires. A [`Front`] is what callers speak, an [`Upstream`] what providers speak; both translate to
//! and from the [canonical form](systemprompt_core::llm). Everything here is pure: bytes in, bytes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use systemprompt_core::llm::{
    Answer, Dialect, LossReport, ModelError, ModelRequest, StreamEvent, ToolChoice,
};

use crate::sse::Frame;

pub mod anthropic;
pub mod chat;
pub mod gemini;
pub mod responses;

mod caps;
pub(crate) mod count;

pub use caps::{Capabilities, ProviderFlags, UsageMode};

/// What callers speak.
pub trait Front: Send + Sync + 'static {
    /// The dialect.
    fn dialect(&self) -> Dialect;

    /// Reads a request.
    ///
    /// # Errors
    /// [`ModelError`] that names the field that cannot be used.
    fn decode_request(&self, body: &[u8]) -> Result<ModelRequest, ModelError>;

    /// Writes a whole answer. What it cannot say is noted in `losses`.
    fn encode_answer(&self, answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes;

    /// A writer of the answer as a stream.
    fn stream_encoder(&self, to: &Reply) -> Box<dyn StreamEncoder>;

    /// Writes an error: its HTTP status and body.
    fn encode_error(&self, error: &ModelError, request_id: &str) -> (u16, Bytes);
}

/// What callers of a dialect speak; `None` for Gemini, in which none are served.
#[must_use]
pub fn front(dialect: Dialect) -> Option<&'static dyn Front> {
    match dialect {
        Dialect::Anthropic => Some(&anthropic::AnthropicFront),
        Dialect::Chat => Some(&chat::ChatFront),
        Dialect::Responses => Some(&responses::ResponsesFront),
        Dialect::Gemini => None,
    }
}

/// What providers of a dialect speak.
#[must_use]
pub fn upstream(dialect: Dialect) -> &'static dyn Upstream {
    match dialect {
        Dialect::Anthropic => &anthropic::AnthropicUpstream,
        Dialect::Chat => &chat::ChatUpstream,
        Dialect::Responses => &responses::ResponsesUpstream,
        Dialect::Gemini => &gemini::GeminiUpstream,
    }
}

/// What an answer must know of its request.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The id that the answer carries where the upstream gave none.
    pub id: String,
    /// The model as the caller named it: answers say this one.
    pub model: String,
    /// Seconds since 1970, for the wires that say when an answer was made.
    pub created: i64,
    /// Whether the caller asked for usage in the stream.
    pub stream_usage: bool,
    /// The request, for the wires whose answers repeat parts of it.
    pub request: Arc<ModelRequest>,
}

/// Writes the events of one answer as a stream of a dialect.
pub trait StreamEncoder: Send {
    /// Writes the frames of `event`, if it makes any. After an [`StreamEvent::Error`] the stream is whole in
    /// the way the dialect ends a failure, and nothing more is written.
    fn push(&mut self, event: &StreamEvent, out: &mut Vec<u8>);

    /// Writes what ends the stream. Without a [`StreamEvent::Stop`] before it, that is the dialect's error:
    /// an end is never made up.
    fn finish(&mut self, out: &mut Vec<u8>);

    /// Writes a sign of life.
    fn ping(&mut self, out: &mut Vec<u8>);

    /// Writes the end of what several blocks may share: what comes next begins anew. Most dialects know no such
    /// thing.
    fn end_item(&mut self, out: &mut Vec<u8>) {
        let _ = out;
    }

    /// What could not be said so far.
    fn losses(&self) -> &LossReport;
}

/// What providers speak.
pub trait Upstream: Send + Sync + 'static {
    /// The dialect.
    fn dialect(&self) -> Dialect;

    /// Writes a request for `to`. What cannot be said is noted in the losses.
    ///
    /// # Errors
    /// [`ModelError`] when the request asks for what the dialect or the model cannot do, and leaving it
    /// out would change what is asked (server tools of another provider, more than one answer).
    fn encode_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError>;

    /// Reads a whole answer. `names` gives tools their own names back.
    ///
    /// # Errors
    /// [`ModelError`] when it is no answer, or says that the request failed.
    fn decode_answer(&self, body: &[u8], from: &Source) -> Result<Answer, ModelError>;

    /// A reader of a streamed answer.
    fn stream_decoder(&self, from: &Source) -> Box<dyn StreamDecoder>;

    /// Reads an error that came with an HTTP status other than 2xx.
    fn decode_error(&self, status: u16, body: &[u8]) -> ModelError;
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The provider, by its name in the configuration.
    pub provider: &'a Arc<str>,
    /// The model, as the provider names it.
    pub model: &'a str,
    /// What the model can do.
    pub capabilities: &'a Capabilities,
    /// How the provider differs from its dialect.
    pub flags: &'a ProviderFlags,
}

/// A request for an upstream.
#[derive(Debug, Clone)]
pub struct UpstreamRequest {
    /// The path after the provider's base URL, with the version and query: `/v1/messages`.
    pub path: String,
    /// Headers of the dialect, such as `anthropic-version`; no credential among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// What could not be said, with fields as the caller's dialect names them.
    pub losses: LossReport,
    /// The names of tools that had to be changed: as sent, and as the caller named them.
    pub tool_names: BTreeMap<String, String>,
}

/// Where an answer comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The provider, by its name in the configuration: the origin of what only it can read.
    pub provider: Arc<str>,
    /// How its usage is to be read.
    pub usage_mode: UsageMode,
    /// As in [`UpstreamRequest::tool_names`].
    pub tool_names: Arc<BTreeMap<String, String>>,
}

impl Source {
    /// The caller's name of a tool.
    #[must_use]
    pub fn tool_name(&self, sent: &str) -> String {
        self.tool_names.get(sent).map_or_else(|| sent.to_owned(), Clone::clone)
    }
}

/// Reads the frames of one streamed answer.
pub trait StreamDecoder: Send {
    /// Reads a frame and appends its events. An error in the stream is an event
    /// ([`StreamEvent::Error`]); so is a frame that cannot be read. Frames after the end are passed over.
    fn push(&mut self, frame: &Frame, out: &mut Vec<StreamEvent>);

    /// The stream has ended. Appends what was held back; when the answer is not whole, an
    /// [`StreamEvent::Error`] with the code `upstream_cut_off`, never a [`StreamEvent::Stop`].
    fn finish(&mut self, out: &mut Vec<StreamEvent>);
}

/// Whether `choice` forces a tool to be used.
#[must_use]
pub const fn forces_a_tool(choice: &ToolChoice) -> bool {
    matches!(
        choice,
        ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Among { required: true, .. }
    )
}
