use std::collections::BTreeMap;

use serde_json::value::RawValue;
use systemprompt_core::llm::{BlockKind, LossKind, ModelError, ToolInput};

use super::Encoder;
use super::body::{Content, FunctionCall, Part};
use super::signatures::Signer;
use super::turns::{Placed, Turn, current};

/// A call that its turn's results must answer.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) id: &'a str,
    /// The tool, as it is sent.
    pub(super) name: String,
    /// Where the call stands.
    pub(super) field: String,
}

/// The calls of the conversation so far.
#[derive(Debug, Default)]
pub(super) struct Calls<'a> {
    all: Vec<Call<'a>>,
    by_id: BTreeMap<&'a str, usize>,
    /// Where those begin that no turn has answered yet.
    open: usize,
}

impl<'a> Calls<'a> {
    fn push(&mut self, call: Call<'a>) {
        self.by_id.insert(call.id, self.all.len());
        self.all.push(call);
    }

    /// The calls that the next turn must answer.
    pub(super) fn open(&self) -> &[Call<'a>] {
        self.all.get(self.open..).unwrap_or_default()
    }

    /// The last call with `id`, and whether it is open.
    pub(super) fn find(&self, id: &str) -> Option<(&Call<'a>, bool)> {
        let at = *self.by_id.get(id)?;
        Some((self.all.get(at)?, at >= self.open))
    }

    fn answered(&mut self) {
        self.open = self.all.len();
    }
}

impl<'a> Encoder<'a> {
    /// The conversation.
    pub(super) fn contents(&mut self) -> Result<Vec<Content>, ModelError> {
        let turns = self.turns();
        let Some(last) = turns.last() else {
            let message = "the conversation needs a message that says something";
            return Err(ModelError::invalid(self.fields.messages(), message));
        };
        if last.model && !self.to.capabilities.prefill {
            let field = last.blocks.first().map(|placed| self.fields.message(placed.message));
            let message = "the model takes no beginning of its own answer as the last message";
            return Err(ModelError::invalid(field.unwrap_or_default(), message));
        }
        let current = current(&turns);
        let mut contents = Vec::new();
        let mut calls = Calls::default();
        for (nth, turn) in turns.iter().enumerate() {
            if turn.model {
                contents.push(self.model_turn(turn, nth >= current, &mut calls)?);
            } else {
                self.user_turn(turn, &calls, &mut contents)?;
                calls.answered();
            }
        }
        if let Some(call) = calls.open().first() {
            let message = format!("the call `{}` has no result", call.id);
            return Err(ModelError::invalid(call.field.clone(), message));
        }
        Ok(contents)
    }

    fn model_turn(
        &mut self,
        turn: &Turn<'a>,
        current: bool,
        calls: &mut Calls<'a>,
    ) -> Result<Content, ModelError> {
        let fill = current && self.to.capabilities.thinks;
        let mut signer = Signer::new(fill);
        let mut parts: Vec<Part> = Vec::new();
        for (at, placed) in turn.blocks.iter().enumerate() {
            let next = turn.blocks.get(at + 1).map(|placed| placed.block);
            let field = self.fields.block(placed.message, placed.at);
            match &placed.block.kind {
                BlockKind::Thinking { text, state } => {
                    let before = parts.len();
                    if !text.is_empty() {
                        parts.push(Part { thought: true, ..Part::text(text) });
                    }
                    if let Some(signature) = self.signature(state.as_ref()) {
                        signer.carry(signature, self.is_unsigned_call(next), before, &mut parts);
                    }
                }
                BlockKind::RedactedThinking(state) => {
                    let before = parts.len();
                    if let Some(signature) = self.signature(Some(state)) {
                        signer.carry(signature, self.is_unsigned_call(next), before, &mut parts);
                    }
                }
                BlockKind::ToolUse { id, name, input, state } => {
                    let own = self.signature(state.as_ref());
                    if state.is_some() && own.is_none() {
                        self.lose(format!("{field}.signature"), LossKind::Dropped);
                    }
                    let name = self.names.sent(name);
                    let args = self.args(input, &field);
                    parts.push(Part {
                        thought_signature: signer.call(own),
                        function_call: Some(FunctionCall {
                            id: id.clone(),
                            name: name.clone(),
                            args,
                        }),
                        ..Part::default()
                    });
                    calls.push(Call { id, name, field });
                }
                BlockKind::Unknown { value } => {
                    let rest = value.as_object().cloned().unwrap_or_default();
                    parts.push(Part { rest, ..Part::default() });
                }
                _ => parts.push(self.said(placed, &field)?),
            }
        }
        Ok(Content { role: Some("model"), parts })
    }

    /// A text or a medium.
    pub(super) fn said(&mut self, placed: &Placed<'_>, field: &str) -> Result<Part, ModelError> {
        match &placed.block.kind {
            BlockKind::Text { text } | BlockKind::Refusal { text } => Ok(Part::text(text)),
            kind => self.medium(kind, field),
        }
    }

    /// The arguments of a call: an object, its bytes as they stood.
    fn args(&mut self, input: &ToolInput, field: &str) -> Box<RawValue> {
        let wrapped = |text: &str| raw(&serde_json::json!({ "input": text }));
        match input {
            ToolInput::Json(text) => match RawValue::from_string(text.clone()) {
                Ok(args) if text.trim_start().starts_with('{') => args,
                _ => {
                    self.lose(format!("{field}.input"), LossKind::Degraded);
                    wrapped(text)
                }
            },
            ToolInput::Text(text) => wrapped(text),
            ToolInput::Broken(text) => {
                self.lose(format!("{field}.input"), LossKind::Degraded);
                wrapped(text)
            }
        }
    }

    fn is_unsigned_call(&self, block: Option<&systemprompt_core::llm::Block>) -> bool {
        matches!(block.map(|block| &block.kind), Some(BlockKind::ToolUse { state, .. })
            if self.signature(state.as_ref()).is_none())
    }
}

/// The JSON of `value`.
pub(super) fn raw(value: &serde_json::Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
