//! OpenAI Chat Completions: front and upstream.
//!
//! One wire that many providers speak, each in its own way. The modules go from the outside in:
//!
//! | module | what it does |
//! |---|---|
//! | `request` | requests: what callers may say, and what is said to providers (turns, tools, options) |
//! | `answer` | whole answers, read and written |
//! | `stream` | chunks: read into blocks that stand one after the other, and written |
//! | `reasoning` | thoughts, and the state that proves them, in `reasoning_details` |
//! | `usage` | tokens, told apart |
//! | `error` | errors, read and written |
//! | `names` | names of tools and ids of calls that OpenAI takes |
//! | [`splice`] | asking for usage in a body that is passed on as it is |
//! | [`grammar`] | what a stream must look like, for tests |
//!
//! The canonical form has no place for the older form of calls (`functions`, `function_call`): it is read,
//! and answered with `tool_calls`.

use bytes::Bytes;
use systemprompt_core::llm::{Answer, Dialect, LossReport, ModelError, ModelRequest};

use super::{
    Front, Reply, Source, StreamDecoder, StreamEncoder, Target, Upstream, UpstreamRequest,
};

mod answer;
mod error;
mod fields;
pub mod grammar;
mod names;
mod reasoning;
mod request;
pub mod splice;
mod stream;
mod usage;

#[cfg(test)]
mod tests;

/// What callers of `POST /v1/chat/completions` speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChatFront;

/// What providers of Chat Completions speak: OpenAI, and all who took over its wire.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChatUpstream;

impl Front for ChatFront {
    fn dialect(&self) -> Dialect {
        Dialect::Chat
    }

    fn decode_request(&self, body: &[u8]) -> Result<ModelRequest, ModelError> {
        request::decode(body)
    }

    fn encode_answer(&self, answer: &Answer, to: &Reply, losses: &mut LossReport) -> Bytes {
        answer::encode(answer, to, losses)
    }

    fn stream_encoder(&self, to: &Reply) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(to))
    }

    fn encode_error(&self, error: &ModelError, _request_id: &str) -> (u16, Bytes) {
        error::encode(error)
    }
}

impl Upstream for ChatUpstream {
    fn dialect(&self) -> Dialect {
        Dialect::Chat
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
