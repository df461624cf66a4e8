use serde::Deserialize;
use serde_json::value::RawValue;
use systemprompt_core::llm::{Answer, AnswerCollector, ErrorKind, ModelError};

use super::origin;
use super::stream::GeminiStream;
use super::usage::UsageMetadata;
use crate::dialect::{Source, StreamDecoder};

/// `GenerateContentResponse`: a whole answer, or what one frame of a stream adds to it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Response {
    pub(super) candidates: Option<Vec<Candidate>>,
    pub(super) prompt_feedback: Option<PromptFeedback>,
    pub(super) usage_metadata: Option<UsageMetadata>,
    pub(super) model_version: Option<String>,
    pub(super) response_id: Option<String>,
    pub(super) error: Option<Box<RawValue>>,
}

/// One of the answers; a request of ours asks for one.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Candidate {
    pub(super) index: Option<u64>,
    pub(super) content: Option<Content>,
    pub(super) finish_reason: Option<String>,
    pub(super) finish_message: Option<String>,
}

/// What the model says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    /// Raw, for what is not known is kept as it stood.
    pub(super) parts: Option<Vec<Box<RawValue>>>,
}

/// A part of what the model says, as far as it is known.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Part {
    pub(super) text: Option<String>,
    pub(super) thought: Option<bool>,
    pub(super) thought_signature: Option<String>,
    pub(super) function_call: Option<FunctionCall>,
}

/// A call of a tool, whole.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FunctionCall {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) args: Option<Box<RawValue>>,
}

/// What the provider says of a prompt that it does not answer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PromptFeedback {
    pub(super) block_reason: Option<String>,
    pub(super) block_reason_message: Option<String>,
}

/// Reads a whole answer, which is a stream of one frame.
pub(super) fn decode(body: &[u8], from: &Source) -> Result<Answer, ModelError> {
    let mut events = Vec::new();
    let mut stream = GeminiStream::new(from.clone());
    stream.read(body, &mut events);
    stream.finish(&mut events);
    let mut collector = AnswerCollector::default();
    for event in events {
        collector.push(event);
    }
    let mut answer = collector.finish().map_err(whole)?;
    for block in &mut answer.content {
        block.origin = Some(origin(&from.provider));
    }
    Ok(answer)
}

/// An answer without an end is no stream that was cut off.
fn whole(error: ModelError) -> ModelError {
    if error.code.as_deref() != Some("upstream_cut_off") {
        return error;
    }
    ModelError::new(ErrorKind::BadGateway, "the upstream's answer has no `finishReason`")
        .with_code("upstream_cut_off")
}
