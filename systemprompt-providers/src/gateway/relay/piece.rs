use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// What the delta of a block of Anthropic adds, where it adds nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Text,
    Thinking,
    Signature,
    Input,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain<'a> {
    #[serde(borrow, rename = "type")]
    _kind: Cow<'a, str>,
    #[serde(rename = "index")]
    _index: u64,
    #[serde(borrow)]
    delta: PlainDelta<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainDelta<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    text: Option<IgnoredAny>,
    thinking: Option<IgnoredAny>,
    signature: Option<IgnoredAny>,
    partial_json: Option<IgnoredAny>,
}

impl Piece {
    /// Reads the data of a `content_block_delta`. `None` where there may be more in it than a piece that is
    /// known.
    pub(super) fn read(data: &[u8]) -> Option<Self> {
        let delta = serde_json::from_slice::<Plain<'_>>(data).ok()?.delta;
        let told = [delta.text, delta.thinking, delta.signature, delta.partial_json];
        let told = told.map(|member| member.is_some());
        match (&*delta.kind, told) {
            ("text_delta", [true, false, false, false]) => Some(Self::Text),
            ("thinking_delta", [false, true, false, false]) => Some(Self::Thinking),
            ("signature_delta", [false, false, true, false]) => Some(Self::Signature),
            ("input_json_delta", [false, false, false, true]) => Some(Self::Input),
            _ => None,
        }
    }

    /// Whether the data of a `content_block_delta` is a citation, which is whole.
    pub(super) fn is_citation(data: &[u8]) -> bool {
        #[derive(Deserialize)]
        struct Citation<'a> {
            #[serde(borrow)]
            delta: CitationDelta<'a>,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct CitationDelta<'a> {
            #[serde(borrow, rename = "type")]
            kind: Cow<'a, str>,
            #[serde(rename = "citation")]
            _citation: IgnoredAny,
        }
        serde_json::from_slice::<Citation<'_>>(data)
            .is_ok_and(|citation| citation.delta.kind == "citations_delta")
    }

    /// Whether it is read as a piece of a block.
    pub(super) fn is_of(self, block: &str) -> bool {
        match block {
            "text" => self == Self::Text,
            "thinking" => matches!(self, Self::Thinking | Self::Signature),
            "tool_use" => self == Self::Input,
            _ => false,
        }
    }
}

/// Pieces of a block that are not read, put together by their names: what is in them may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Strangers(Map<String, Value>);

impl Strangers {
    /// Takes the event in `data`: what stands in its delta, and beside it.
    pub(super) fn add(&mut self, data: &[u8]) {
        let Ok(mut event) = serde_json::from_slice::<Map<String, Value>>(data) else { return };
        let delta = match event.remove("delta") {
            Some(Value::Object(delta)) => delta,
            _ => Map::new(),
        };
        for (name, piece) in event.into_iter().chain(delta) {
            let piece = match piece {
                Value::String(text) => text,
                other => other.to_string(),
            };
            match self.0.get_mut(&name) {
                Some(Value::String(text)) => text.push_str(&piece),
                _ => drop(self.0.insert(name, Value::String(piece))),
            }
        }
    }

    /// All of it, if there is any.
    pub(super) fn take(&mut self) -> Option<String> {
        let all = std::mem::take(&mut self.0);
        (!all.is_empty()).then(|| Value::Object(all).to_string())
    }
}
