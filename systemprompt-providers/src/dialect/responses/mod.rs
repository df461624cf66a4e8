//! OpenAI Responses, `POST /v1/responses`: front and upstream.
//!
//! | module | what it is |
//! |---|---|
//! | `request` | requests: [decoded](ResponsesFront) from callers, [encoded](ResponsesUpstream) for providers |
//! | `answer` | whole answers of a provider |
//! | `response` | the response object that callers are given, with what it repeats of the request |
//! | `stream` | streamed answers, read and written |
//! | `envelope` | state of other providers inside `reasoning.encrypted_content` |
//! | `usage`, `error` | numbers and failures |
//! | [`grammar`] | a checker of streams: the oracle of the tests, for hosts and their tests as well |
//!
//! The wire has no place for some of what the canonical form says, and the other way round:
//!
//! - *Reasoning* is an item `{id, summary, content, encrypted_content}`. Its `encrypted_content` is the
//!   [`OpaqueState`](systemprompt_core::llm::OpaqueState) and passes byte for byte. State of other dialects goes to
//!   callers in an envelope of our own in the same member, and is itself again when it comes back.
//! - *Stored conversations* (`previous_response_id`, `conversation`, `prompt`, `item_reference`,
//!   `background`) are refused: a translated answer is stored nowhere.
//! - *Members of items and tools without a word in the canonical form* stand in
//!   [`ModelRequest::rest`](systemprompt_core::llm::ModelRequest::rest) under their paths, such as
//!   `reasoning.context` or `input.2.phase`, so that they are reported where they cannot be said.

use bytes::Bytes;
use systemprompt_core::llm::{Answer, Dialect, LossReport, ModelError, ModelRequest};

use super::{
    Front, Reply, Source, StreamDecoder, StreamEncoder, Target, Upstream, UpstreamRequest,
};

mod answer;
mod envelope;
mod error;
pub mod grammar;
mod members;
mod request;
mod response;
mod stream;
mod usage;

#[cfg(test)]
mod tests;

/// Responses as callers speak it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponsesFront;

impl Front for ResponsesFront {
    fn dialect(&self) -> Dialect {
        Dialect::Responses
    }

    fn decode_request(&self, body: &[u8]) -> Result<ModelRequest, ModelError> {
        request::decode(body)
    }

    fn encode_answer(&self, answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes {
        stream::encode_whole(answer, to, losses)
    }

    fn stream_encoder(&self, to: &Reply) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(to))
    }

    fn encode_error(&self, error: &ModelError, request_id: &str) -> (u16, Bytes) {
        error::encode(error, request_id)
    }
}

/// Responses as providers speak it.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResponsesUpstream;

impl ResponsesUpstream {
    /// Writes a request for the number of its tokens, `POST /v1/responses/input_tokens`.
    ///
    /// # Errors
    /// As [`encode_request`](Upstream::encode_request).
    pub fn encode_count_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError> {
        request::encode_count(request, to)
    }
}

impl Upstream for ResponsesUpstream {
    fn dialect(&self) -> Dialect {
        Dialect::Responses
    }

    fn encode_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError> {
        request::encode(request, to)
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
