use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// The chunk that nearly all of a stream is: more of the text, and nothing else that anybody looks at. Read so
/// because it is a fraction of the work of reading a chunk of any shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlainChunk<'c> {
    #[serde(borrow, default)]
    pub(super) id: Cow<'c, str>,
    #[serde(borrow, default)]
    pub(super) model: Cow<'c, str>,
    #[serde(borrow)]
    choices: [PlainChoice<'c>; 1],
    #[serde(default)]
    usage: Option<Nothing>,
    #[serde(borrow, default)]
    object: Cow<'c, str>,
    #[serde(rename = "created")]
    _created: Option<IgnoredAny>,
    #[serde(rename = "system_fingerprint")]
    _system_fingerprint: Option<IgnoredAny>,
    #[serde(rename = "service_tier")]
    _service_tier: Option<IgnoredAny>,
    #[serde(rename = "obfuscation")]
    _obfuscation: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainChoice<'c> {
    #[serde(default)]
    index: u64,
    #[serde(borrow)]
    delta: PlainDelta<'c>,
    #[serde(default)]
    finish_reason: Option<Nothing>,
    #[serde(rename = "logprobs")]
    _logprobs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainDelta<'c> {
    #[serde(borrow)]
    content: Cow<'c, str>,
    #[serde(rename = "role")]
    _role: Option<IgnoredAny>,
}

/// What no value is.
#[derive(Deserialize)]
enum Nothing {}

impl<'c> PlainChunk<'c> {
    /// The chunk, when it is one.
    pub(super) fn read(data: &'c [u8]) -> Option<Self> {
        let chunk: Self = serde_json::from_slice(data).ok()?;
        let [choice] = &chunk.choices;
        let is_plain = choice.index == 0
            && chunk.usage.is_none()
            && choice.finish_reason.is_none()
            && chunk.object != "error";
        is_plain.then_some(chunk)
    }

    /// What it says.
    pub(super) fn text(&self) -> &str {
        let [choice] = &self.choices;
        &choice.delta.content
    }
}
