//! Reasoning on this wire. The text is `reasoning_content`; what proves or continues it has no place of
//! its own, so it travels in `reasoning_details`, the array that `OpenRouter` and `MiniMax` use, whose
//! clients send it back.
//!
//! An entry that [`entry`] wrote says in `format` what it is and who can read it:
//! `systemprompt.<carrier>/<dialect>/<provider>`.
//!
//! The state of reasoning that came *from* a Chat upstream says how it goes back: the name of the member
//! that it came in, [`THINK`] for tags in the text, or the whole array `reasoning_details`.

use std::collections::HashMap;

use serde_json::{Value, json};
use systemprompt_core::llm::{Block, BlockKind, Dialect, ModelError, OpaqueState, Origin};

use super::fields::Fields;

/// The tag of reasoning inside the text; as a state, that it came so.
pub(super) const THINK: &str = "<think>";

/// What an entry of `reasoning_details` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier<'a> {
    /// A thought with its state.
    Thinking(&'a str),
    /// A thought that is not shown.
    Redacted,
    /// The state of the call with this id.
    ToolUse(&'a str),
}

/// An entry of `reasoning_details`, the `index`th of its answer.
pub(super) fn entry(carrier: Carrier<'_>, state: &OpaqueState, index: usize) -> Value {
    let word = match carrier {
        Carrier::Thinking(_) => "thinking",
        Carrier::Redacted => "redacted",
        Carrier::ToolUse(_) => "tool_use",
    };
    let provider = state.origin.provider.as_deref().unwrap_or_default();
    let format = format!("systemprompt.{word}/{}/{provider}", state.origin.dialect);
    let (id, data) = (&state.id, &state.data);
    match carrier {
        Carrier::Thinking(text) => json!({
            "type": "reasoning.text", "text": text, "signature": data,
            "id": id, "format": format, "index": index,
        }),
        Carrier::Redacted => json!({
            "type": "reasoning.encrypted", "data": data, "id": id, "format": format, "index": index,
        }),
        Carrier::ToolUse(call) => json!({
            "type": "reasoning.encrypted", "data": data,
            "id": call, "state_id": id, "format": format, "index": index,
        }),
    }
}

/// The reasoning of an assistant message in a history.
pub(super) struct History {
    /// The thoughts, in order.
    pub(super) blocks: Vec<Block>,
    /// The states of calls, by the ids of the calls.
    pub(super) calls: HashMap<String, OpaqueState>,
}

/// Reads `reasoning_content`, `reasoning` and `reasoning_details`.
pub(super) fn from_history(message: &mut Fields) -> Result<History, ModelError> {
    let content = message.string("reasoning_content")?;
    // A string where it is reasoning; anything else is none that we know.
    let other = match message.peek("reasoning") {
        Some(Value::String(_)) => message.string("reasoning")?,
        _ => None,
    };
    let details = message.array("reasoning_details")?.unwrap_or_default();
    let (mut ours, mut theirs) = (Ours::default(), Vec::new());
    for detail in details {
        match ours.take(&detail) {
            Some(()) => {}
            None => theirs.push(detail),
        }
    }
    let from_other = content.is_none() && other.is_some();
    let text = content.or(other).filter(|text| !text.is_empty());
    let mut blocks = Vec::new();
    if !theirs.is_empty() {
        let text = text.unwrap_or_else(|| theirs.iter().filter_map(detail_text).collect());
        blocks.append(&mut ours.blocks);
        let state = Some(unknown_chat(Value::Array(theirs).to_string()));
        blocks.push(thought(text, state));
    } else if !ours.blocks.is_empty() {
        blocks = beside(ours.blocks, text.as_deref().unwrap_or_default());
    } else if let Some(text) = text {
        blocks.push(thought(text, from_other.then(|| unknown_chat("reasoning".to_owned()))));
    }
    Ok(History { blocks, calls: ours.calls })
}

/// The text of an entry of `reasoning_details`.
pub(super) fn detail_text(detail: &Value) -> Option<&str> {
    detail.get("text").or_else(|| detail.get("summary")).and_then(Value::as_str)
}

#[derive(Default)]
struct Ours {
    blocks: Vec<Block>,
    calls: HashMap<String, OpaqueState>,
}

impl Ours {
    /// Takes an entry if [`entry`] wrote it.
    fn take(&mut self, detail: &Value) -> Option<()> {
        let text = |name: &str| detail.get(name).and_then(Value::as_str);
        let mut format = text("format")?.strip_prefix("systemprompt.")?.splitn(3, '/');
        let (carrier, dialect) = (format.next()?, dialect(format.next()?)?);
        let provider = format.next().filter(|name| !name.is_empty()).map(Into::into);
        let origin = Origin { dialect, provider };
        let state = |data: &str, id: Option<&str>| OpaqueState {
            origin: origin.clone(),
            id: id.map(str::to_owned),
            data: data.to_owned(),
        };
        let kind = match carrier {
            "thinking" => BlockKind::Thinking {
                text: text("text")?.to_owned(),
                state: Some(state(text("signature")?, text("id"))),
            },
            "redacted" => BlockKind::RedactedThinking(state(text("data")?, text("id"))),
            "tool_use" => {
                let call = text("id")?.to_owned();
                self.calls.insert(call, state(text("data")?, text("state_id")));
                return Some(());
            }
            _ => return None,
        };
        self.blocks.push(Block { origin: Some(origin), ..Block::new(kind) });
        Some(())
    }
}

/// Our blocks, with what of `text` is in none of them between: thoughts that had no state.
fn beside(ours: Vec<Block>, text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut left = Some(text);
    for block in ours {
        if let BlockKind::Thinking { text: own, .. } = &block.kind
            && !own.is_empty()
        {
            // Where one does not fit, the text was changed; what is signed says more. No more is searched.
            left = left.and_then(|left| left.split_once(own.as_str())).map(|(before, after)| {
                push_plain(&mut blocks, before);
                after
            });
        }
        blocks.push(block);
    }
    push_plain(&mut blocks, left.unwrap_or_default());
    blocks
}

fn push_plain(blocks: &mut Vec<Block>, text: &str) {
    let text = text.trim_matches('\n');
    if !text.is_empty() {
        blocks.push(thought(text.to_owned(), None));
    }
}

fn thought(text: String, state: Option<OpaqueState>) -> Block {
    let origin = Some(Origin { dialect: Dialect::Chat, provider: None });
    Block { origin, ..Block::new(BlockKind::Thinking { text, state }) }
}

const fn unknown_chat(data: String) -> OpaqueState {
    OpaqueState { origin: Origin { dialect: Dialect::Chat, provider: None }, id: None, data }
}

fn dialect(word: &str) -> Option<Dialect> {
    [Dialect::Anthropic, Dialect::Chat, Dialect::Responses, Dialect::Gemini]
        .into_iter()
        .find(|dialect| dialect.as_str() == word)
}
