use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use systemprompt_core::llm::Dialect;

use crate::sse::Frame;

/// What is looked at of a frame that is passed on as it came.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// What kind of event it is, where the dialect has kinds.
    pub(super) kind: String,
    /// The item or block it is about, by its place in the answer.
    pub(super) place: Option<u64>,
    /// The part of the item that it is about, by its place in it.
    pub(super) part: Option<u64>,
    /// The item, where it is told whole.
    pub(super) item: Option<Value>,
    /// Of which kind the block is that begins (Anthropic).
    pub(super) block: Option<String>,
    /// The model and the time that the answer says of itself.
    pub(super) model: Option<String>,
    pub(super) created: Option<i64>,
    /// Whether it carries a piece of a call.
    pub(super) calls: bool,
    /// Whether it carries another answer than the first.
    pub(super) others: bool,
    /// Whether it says that the answer failed, in the words of the dialect.
    pub(super) fails: bool,
    /// Whether it could not be read.
    pub(super) unreadable: bool,
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(default)]
    output_index: Option<u64>,
    #[serde(default)]
    content_index: Option<u64>,
    #[serde(default)]
    summary_index: Option<u64>,
    #[serde(default)]
    item: Option<Value>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    created: Option<i64>,
    #[serde(borrow, default)]
    response: Option<Response<'a>>,
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Response<'a> {
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    created_at: Option<f64>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default)]
    delta: Option<Piece>,
    #[serde(default)]
    message: Option<Piece>,
}

#[derive(Deserialize)]
struct Piece {
    #[serde(default)]
    tool_calls: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    function_call: Option<IgnoredAny>,
}

impl Head {
    /// Reads a frame of `dialect`. One that has no data says nothing.
    pub(super) fn read(dialect: Dialect, frame: &Frame) -> Self {
        let data = frame.data.as_deref().map(<[u8]>::trim_ascii).unwrap_or_default();
        if data.is_empty() || data == b"[DONE]" {
            return Self::default();
        }
        if dialect == Dialect::Anthropic {
            return Self::of_anthropic(frame, data);
        }
        let Ok(wire) = serde_json::from_slice::<Wire<'_>>(data) else {
            return Self { unreadable: true, ..Self::default() };
        };
        let kind = wire.kind.map(Cow::into_owned).or_else(|| frame.event.clone());
        let kind = kind.unwrap_or_default();
        let choices = wire.choices.unwrap_or_default();
        let calls = |piece: &Piece| {
            piece.function_call.is_some()
                || piece.tool_calls.as_ref().is_some_and(|all| !all.is_empty())
        };
        let (model, created) = match wire.response {
            Some(response) => (response.model, response.created_at.map(|at| at as i64)),
            None => (wire.model, wire.created),
        };
        Self {
            place: wire.output_index,
            part: wire.content_index.or(wire.summary_index),
            item: wire.item,
            block: None,
            model: model.map(Cow::into_owned),
            created,
            calls: choices
                .iter()
                .flat_map(|choice| [&choice.delta, &choice.message])
                .flatten()
                .any(calls),
            others: choices.iter().any(|choice| choice.index.is_some_and(|index| index > 0)),
            fails: match dialect {
                Dialect::Responses => matches!(&*kind, "error" | "response.failed"),
                _ => wire.error.is_some(),
            },
            kind,
            unreadable: false,
        }
    }

    fn of_anthropic(frame: &Frame, data: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow, default, rename = "type")]
            kind: Option<Cow<'a, str>>,
            #[serde(default)]
            index: Option<u64>,
            #[serde(borrow, default)]
            content_block: Option<Block<'a>>,
        }
        #[derive(Deserialize)]
        struct Block<'a> {
            #[serde(borrow, default, rename = "type")]
            kind: Option<Cow<'a, str>>,
        }
        let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else {
            return Self { unreadable: true, ..Self::default() };
        };
        let kind = event.kind.map(Cow::into_owned).or_else(|| frame.event.clone());
        let kind = kind.unwrap_or_default();
        Self {
            place: event.index,
            block: event.content_block.and_then(|block| block.kind).map(Cow::into_owned),
            fails: kind == "error",
            kind,
            ..Self::default()
        }
    }
}
