//! Anthropic Messages, `POST /v1/messages`, in the versions 2023-06-01 and 2026-10-21.
//!
//! | module | what it is |
//! |---|---|
//! | `request` | requests, both ways: turns, blocks, tools, thinking, cache marks |
//! | `answer` | whole answers |
//! | `stream` | answers in pieces |
//! | `error` | errors of both sides |
//! | `usage` | tokens, and how providers that speak this wire count them otherwise |
//! | `envelope` | state of other wires inside of signatures |
//! | `names` | names of tools and ids of calls that this wire takes |
//! | [`grammar`] | a checker of streams, for tests |
//!
//! Which version a request is sent in: 2023-06-01 where it has sampling that the model takes, else 2026-10-21,
//! which has no sampling. A provider may pin one
//! ([`ProviderFlags::version`](super::ProviderFlags::version)).
//!
//! What the wire has and the canonical form does not: citations of an answer are read over, and so are
//! `stop_details`, `container` and the counts of server tools.
//!
//! ```
//! use systemprompt_providers::dialect::anthropic::{AnthropicFront, AnthropicUpstream};
//! use systemprompt_providers::dialect::{Capabilities, Front, ProviderFlags, Target, Upstream};
//!
//! let body = br#"{"model": "fast", "max_tokens": 100, "temperature": 0.2,
//!     "messages": [{"role": "user", "content": "Hello"}]}"#;
//! let request = AnthropicFront.decode_request(body)?;
//! let capabilities = Capabilities { sampling: false, ..Capabilities::default() };
//! let sent = AnthropicUpstream.encode_request(&request, &Target {
//!     provider: &"anthropic".into(),
//!     model: "claude-opus-5-5",
//!     capabilities: &capabilities,
//!     flags: &ProviderFlags::default(),
//! })?;
//! assert_eq!(sent.headers, [("anthropic-version", "2026-10-21".to_owned())]);
//! assert_eq!(sent.losses.to_string(), "temperature=dropped");
//! # Ok::<(), systemprompt_core::llm::ModelError>(())
//! ```

use bytes::Bytes;
use systemprompt_core::llm::{Answer, Dialect, LossReport, ModelError, ModelRequest};

use super::{
    Front, Reply, Source, StreamDecoder, StreamEncoder, Target, Upstream, UpstreamRequest,
};

mod answer;
mod envelope;
mod error;
mod field;
pub mod grammar;
mod json;
mod names;
mod request;
mod stream;
#[cfg(test)]
mod tests;
mod usage;

pub use envelope::has_foreign_state;

/// The version of the API that takes sampling.
pub const VERSION_2023: &str = "2023-06-01";
/// The version of the API that official clients ask for since the end of 2026.
pub const VERSION_2026: &str = "2026-10-21";

/// The side that callers speak to.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnthropicFront;

impl AnthropicFront {
    /// Reads a request for the number of its tokens, `POST /v1/messages/count_tokens`: the same without
    /// `max_tokens`.
    ///
    /// # Errors
    /// [`ModelError`] that names the field that cannot be used.
    pub fn decode_count_request(&self, body: &[u8]) -> Result<ModelRequest, ModelError> {
        request::decode(body, false)
    }
}

impl Front for AnthropicFront {
    fn dialect(&self) -> Dialect {
        Dialect::Anthropic
    }

    fn decode_request(&self, body: &[u8]) -> Result<ModelRequest, ModelError> {
        request::decode(body, true)
    }

    fn encode_answer(&self, answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes {
        answer::encode(answer, to, losses)
    }

    fn stream_encoder(&self, to: &Reply) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(to))
    }

    fn encode_error(&self, error: &ModelError, request_id: &str) -> (u16, Bytes) {
        error::encode(error, request_id)
    }
}

/// The side that speaks to providers: Anthropic, and those that offer its wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnthropicUpstream;

impl AnthropicUpstream {
    /// Writes a request for the number of its tokens, `POST /v1/messages/count_tokens`.
    ///
    /// # Errors
    /// As [`encode_request`](Upstream::encode_request).
    pub fn encode_count_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError> {
        request::encode(request, to, true)
    }
}

impl Upstream for AnthropicUpstream {
    fn dialect(&self) -> Dialect {
        Dialect::Anthropic
    }

    fn encode_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError> {
        request::encode(request, to, false)
    }

    fn decode_answer(&self, body: &[u8], from: &Source) -> Result<Answer, ModelError> {
        answer::decode(body, from)
    }

    fn stream_decoder(&self, from: &Source) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new(from))
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ModelError {
        error::decode(status, body)
    }
}
