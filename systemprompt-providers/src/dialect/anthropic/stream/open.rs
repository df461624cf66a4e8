//! The block of a stream that is open.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use systemprompt_core::llm::{BlockStart, Delta, Origin, StreamEvent};

use super::super::answer::{state, text_argument};
use super::super::names::is_text_tool;
use super::wire::{WireDelta, WireStart};
use crate::dialect::Source;

/// The most bytes of a block that are held back until it is whole.
pub(super) const MOST_HELD: usize = 8 << 20;

/// A block that is open.
#[derive(Debug)]
pub(super) struct Open {
    /// Its index on the wire.
    pub(super) wire: u64,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text,
    Thinking,
    /// Reasoning that is not shown: without deltas.
    Redacted,
    /// A call. Some servers give the whole input with its start, and no deltas.
    Tool {
        whole: Option<String>,
    },
    /// A call of a text tool, whose one argument is read when it is whole.
    TextTool {
        json: String,
    },
    /// A block that is passed on when it is whole.
    Held(Held),
}

impl Open {
    /// Begins the block `raw`, at `index` among those of the answer. `None` where it is none.
    pub(super) fn begin(
        wire: u64,
        index: usize,
        raw: &RawValue,
        origin: &Origin,
        from: &Source,
        out: &mut Vec<StreamEvent>,
    ) -> Option<Self> {
        let start = serde_json::from_str::<WireStart<'_>>(raw.get()).ok();
        let known = start.and_then(|start| known(index, start, origin, from, out));
        let kind = match known {
            Some(kind) => kind,
            None => {
                let members: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
                members.get("type")?.as_str()?;
                Kind::Held(Held { members, input: String::new(), size: raw.get().len() })
            }
        };
        Some(Self { wire, kind })
    }

    /// Whether it is passed on when it is whole.
    pub(super) const fn is_held(&self) -> bool {
        matches!(self.kind, Kind::Held(_))
    }

    /// Adds a delta to a block that is held, whatever is in it. `None` where more is held than may be.
    pub(super) fn hold(&mut self, delta: &RawValue) -> Option<()> {
        match &mut self.kind {
            Kind::Held(held) => held.add(delta),
            _ => Some(()),
        }
    }

    /// Adds a delta; those of another kind are read over. `None` where more is held than may be.
    pub(super) fn add(
        &mut self,
        index: usize,
        delta: WireDelta<'_>,
        origin: &Origin,
        out: &mut Vec<StreamEvent>,
    ) -> Option<()> {
        let name = delta.kind.as_ref().map_or("", |kind| kind.0.as_ref());
        let mut push = |delta| out.push(StreamEvent::Delta { index, delta });
        match (&mut self.kind, name) {
            (Kind::Text, "text_delta") => {
                if let Some(text) = delta.text {
                    push(Delta::Text(text.0.into_owned()));
                }
            }
            (Kind::Thinking, "thinking_delta") => {
                if let Some(text) = delta.thinking {
                    push(Delta::Text(text.0.into_owned()));
                }
            }
            (Kind::Thinking, "signature_delta") => {
                if let Some(signature) = delta.signature.filter(|data| !data.0.is_empty()) {
                    push(Delta::State(state(origin, signature.0.into_owned())));
                }
            }
            (Kind::Tool { whole }, "input_json_delta") => {
                if let Some(json) = delta.partial_json.filter(|json| !json.0.is_empty()) {
                    *whole = None;
                    push(Delta::Input(json.0.into_owned()));
                }
            }
            (Kind::TextTool { json: held }, "input_json_delta") => {
                let json = delta.partial_json.map_or_else(Default::default, |json| json.0);
                if held.len() + json.len() > MOST_HELD {
                    return None;
                }
                held.push_str(&json);
            }
            _ => {}
        }
        Some(())
    }

    /// Ends the block; what was held back comes now.
    pub(super) fn end(self, index: usize, out: &mut Vec<StreamEvent>) {
        match self.kind {
            Kind::Text | Kind::Thinking | Kind::Redacted => {}
            Kind::Tool { whole } => {
                if let Some(whole) = whole {
                    out.push(StreamEvent::Delta { index, delta: Delta::Input(whole) });
                }
            }
            Kind::TextTool { json } => {
                let delta = Delta::Input(text_argument(&json));
                out.push(StreamEvent::Delta { index, delta });
            }
            Kind::Held(held) => {
                let block = BlockStart::Unknown(held.whole());
                out.push(StreamEvent::BlockStart { index, block });
            }
        }
        out.push(StreamEvent::BlockStop { index });
    }
}

/// A block that only this wire has, or that nobody knows yet, as far as it came.
#[derive(Debug)]
struct Held {
    members: Map<String, Value>,
    /// Its input, which comes in pieces of JSON.
    input: String,
    /// Bytes of it that came.
    size: usize,
}

impl Held {
    fn add(&mut self, delta: &RawValue) -> Option<()> {
        self.size += delta.get().len();
        if self.size > MOST_HELD {
            return None;
        }
        let Ok(Value::Object(delta)) = serde_json::from_str(delta.get()) else { return Some(()) };
        for (name, piece) in delta {
            match (name.as_str(), piece) {
                ("type", _) => {}
                ("partial_json", Value::String(json)) => self.input.push_str(&json),
                ("citation", citation) => match self.members.get_mut("citations") {
                    Some(Value::Array(all)) => all.push(citation),
                    _ => drop(self.members.insert("citations".to_owned(), vec![citation].into())),
                },
                (_, piece) => self.append(name, piece),
            }
        }
        Some(())
    }

    /// Texts go on, and lists do; of anything else the last is kept.
    fn append(&mut self, name: String, piece: Value) {
        match (self.members.get_mut(&name), piece) {
            (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
            (Some(Value::Array(all)), Value::Array(more)) => all.extend(more),
            (_, piece) => drop(self.members.insert(name, piece)),
        }
    }

    fn whole(mut self) -> Value {
        if !self.input.is_empty() {
            let input = serde_json::from_str(&self.input).unwrap_or(Value::String(self.input));
            self.members.insert("input".to_owned(), input);
        }
        Value::Object(self.members)
    }
}

fn known(
    index: usize,
    start: WireStart<'_>,
    origin: &Origin,
    from: &Source,
    out: &mut Vec<StreamEvent>,
) -> Option<Kind> {
    let mut deltas = Vec::new();
    let text = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Delta::Text);
    let (block, kind) = match start.kind.0.as_ref() {
        "text" => {
            deltas.extend(text(start.text));
            (BlockStart::Text, Kind::Text)
        }
        "thinking" => {
            deltas.extend(text(start.thinking));
            let signature = start.signature.filter(|data| !data.is_empty());
            deltas.extend(signature.map(|data| Delta::State(state(origin, data))));
            (BlockStart::Thinking, Kind::Thinking)
        }
        "redacted_thinking" => {
            let state = state(origin, start.data.unwrap_or_default());
            (BlockStart::RedactedThinking(state), Kind::Redacted)
        }
        "tool_use" => {
            let sent = start.name.unwrap_or_default();
            let text = is_text_tool(&sent, from);
            let name = from.tool_name(&sent);
            let id = start.id.unwrap_or_default();
            let whole = start.input.map(RawValue::get).filter(|input| !is_empty(input));
            let whole = whole.map(str::to_owned);
            let kind = if text {
                Kind::TextTool { json: whole.unwrap_or_default() }
            } else {
                Kind::Tool { whole }
            };
            (BlockStart::ToolUse { id, name, text, state: None }, kind)
        }
        _ => return None,
    };
    out.push(StreamEvent::BlockStart { index, block });
    out.extend(deltas.into_iter().map(|delta| StreamEvent::Delta { index, delta }));
    Some(kind)
}

/// Whether input says nothing: `{}`, `null` or an empty string.
fn is_empty(input: &str) -> bool {
    matches!(input, "null" | "\"\"") || input.bytes().all(|byte| b"{} \t\r\n".contains(&byte))
}
