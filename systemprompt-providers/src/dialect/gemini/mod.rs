//! Gemini `generateContent` (`POST /v1beta/models/{model}:generateContent`), as a provider speaks it.
//!
//! | part | what it does |
//! |---|---|
//! | `request` | writes a request: contents, tools, schemas, signatures, configuration |
//! | `answer` | reads a whole answer |
//! | `stream` | reads a streamed one: whole response objects, frame by frame |
//! | `finish` | why an answer ended, and which reasons are failures |
//! | `usage` | `usageMetadata` |
//! | `error` | errors of `google.rpc` |
//! | `count` | `:countTokens` |
//!
//! What is particular about this wire:
//!
//! * Calls and results are paired by name and order; ids are carried where there are any. A result needs
//!   the name of its tool, which is looked up by the id of its call.
//! * A model's reasoning goes on through `thoughtSignature`s that stand on parts. They go back on the part
//!   they came on, to the provider that made them and to no other. The first call of every step of the
//!   current turn must have one; [`SIGNATURE_FILLER`] stands in for those that other providers made.
//! * A streamed answer has no end mark: it is whole when a `finishReason` was seen.
//! * `candidatesTokenCount` leaves the thoughts out, and `promptTokenCount` has what was cached.
//!
//! A signature on a text has no place of its own in the canonical form. It becomes an empty
//! [`Thinking`](systemprompt_core::llm::BlockKind::Thinking) right after the text, and goes back onto it from there.

use std::sync::Arc;

use bytes::Bytes;
use systemprompt_core::llm::{Answer, Dialect, ModelError, ModelRequest};

use super::{Source, StreamDecoder, Target, Upstream, UpstreamRequest};

mod answer;
mod count;
mod error;
mod finish;
mod request;
mod stream;
mod usage;

#[cfg(test)]
mod tests;

pub use count::{count_answer, count_request};

/// The signature that stands in where the history of another model has none, as the vendor's guide to
/// thought signatures documents it: these very characters, and not the base64 of them.
pub const SIGNATURE_FILLER: &str = "skip_thought_signature_validator";

/// What a text tool is called when it is sent: Gemini has functions alone, so that the tool becomes one
/// that takes its text as the member `input`, and this ending says that its calls are turned back.
const TEXT_TOOL_SUFFIX: &str = "__text";

/// Gemini `generateContent`. The base URL of a provider ends before the version: the path of a request has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct GeminiUpstream;

impl Upstream for GeminiUpstream {
    fn dialect(&self) -> Dialect {
        Dialect::Gemini
    }

    fn encode_request(
        &self,
        request: &ModelRequest,
        to: &Target<'_>,
    ) -> Result<UpstreamRequest, ModelError> {
        let method =
            if request.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
        let encoded = request::encode(request, to)?;
        Ok(UpstreamRequest {
            path: path(to.model, method),
            headers: Vec::new(),
            body: Bytes::from(encoded.json()?),
            losses: encoded.losses,
            tool_names: encoded.tool_names,
        })
    }

    fn decode_answer(&self, body: &[u8], from: &Source) -> Result<Answer, ModelError> {
        answer::decode(body, from)
    }

    fn stream_decoder(&self, from: &Source) -> Box<dyn StreamDecoder> {
        Box::new(stream::GeminiStream::new(from.clone()))
    }

    fn decode_error(&self, status: u16, body: &[u8]) -> ModelError {
        error::decode(status, body)
    }
}

/// The path of `method` of `model`. A model may be given as `models/{name}` or `tunedModels/{name}`.
fn path(model: &str, method: &str) -> String {
    let (kind, name) = match model.split_once('/') {
        Some((kind @ ("models" | "tunedModels"), name)) => (kind, name),
        _ => ("models", model),
    };
    format!("/v1beta/{kind}/{}:{method}", percent_encoded(name))
}

/// `text` with everything but the unreserved characters of RFC 3986 percent-encoded.
fn percent_encoded(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |nibble: u8| char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(hex(byte >> 4));
            encoded.push(hex(byte & 15));
        }
    }
    encoded
}

/// Where the parts of an answer of `provider` are made.
fn origin(provider: &Arc<str>) -> systemprompt_core::llm::Origin {
    systemprompt_core::llm::Origin {
        dialect: Dialect::Gemini,
        provider: Some(Arc::clone(provider)),
    }
}
