use std::collections::HashMap;

use serde_json::{Map, Value};
use systemprompt_core::llm::{
    Block, BlockKind, Dialect, Message, ModelError, ModelRequest, OpaqueState, Origin, Role,
    ToolInput,
};

use super::super::envelope::{self, Holder, OWN_REASONING};
use super::super::members::{Members, missing, wrong};
use super::part;

/// Where what a model of this wire made comes from; its provider is not told.
pub(super) const ORIGIN: Origin = Origin { dialect: Dialect::Responses, provider: None };

/// Reads the items of `input` into `request`, each as a message of its own.
pub(super) fn decode(items: Vec<Value>, request: &mut ModelRequest) -> Result<(), ModelError> {
    let mut input = Input::default();
    for (at, item) in items.into_iter().enumerate() {
        input.item(item, format!("input.{at}"), request)?;
    }
    request.messages.extend(input.messages.into_iter().flatten());
    Ok(())
}

#[derive(Default)]
struct Input {
    /// `None` where an item was folded into a later one.
    messages: Vec<Option<Message>>,
    /// The states that wait for their calls, and where they stand until then.
    states: HashMap<String, (usize, OpaqueState)>,
}

impl Input {
    fn item(
        &mut self,
        value: Value,
        path: String,
        request: &mut ModelRequest,
    ) -> Result<(), ModelError> {
        if !value.is_object() {
            return Err(wrong(&path, "an object"));
        }
        let kind = match value.get("type") {
            None | Some(Value::Null) => "message".to_owned(),
            Some(Value::String(kind)) => kind.clone(),
            Some(_) => return Err(wrong(&format!("{path}.type"), "a string")),
        };
        match kind.as_str() {
            "message" => self.message(Members::of(value, path)?, request),
            "reasoning" => self.reasoning(Members::of(value, path)?, &mut request.rest),
            "function_call" | "custom_tool_call" => {
                self.call(Members::of(value, path)?, kind == "function_call", &mut request.rest)
            }
            "function_call_output" | "custom_tool_call_output" => {
                self.result(Members::of(value, path)?, &mut request.rest)
            }
            "item_reference" => Err(ModelError::invalid(
                path.as_str(),
                format!(
                    "`{path}` refers to a stored item, and none is stored for this model; set `store` \
                     to false and send the item itself"
                ),
            )
            .with_code("unsupported_parameter")),
            _ => {
                let block = Block {
                    origin: Some(ORIGIN),
                    ..Block::new(BlockKind::Unknown { value })
                };
                self.push(Role::Assistant, vec![block]);
                Ok(())
            }
        }
    }

    fn push(&mut self, role: Role, content: Vec<Block>) {
        self.messages.push(Some(Message { role, content }));
    }

    fn message(&mut self, mut item: Members, request: &mut ModelRequest) -> Result<(), ModelError> {
        let role = match item.need_string("role")?.as_str() {
            "user" => Role::User,
            "assistant" => Role::Assistant,
            "system" | "developer" => Role::System,
            _ => {
                return Err(wrong(
                    &item.at("role"),
                    "`user`, `assistant`, `system` or `developer`",
                ));
            }
        };
        let path = item.at("content");
        let content = item.take("content").ok_or_else(|| missing(&path))?;
        let mut content = part::decode_all(content, &path, &mut request.rest)?;
        if role == Role::Assistant {
            for block in &mut content {
                block.origin = Some(ORIGIN);
            }
        }
        item.skip(&["type", "id", "status"]);
        item.leave(&mut request.rest);
        let plain = content.iter().all(|block| matches!(block.kind, BlockKind::Text { .. }));
        if role == Role::System && self.messages.is_empty() && plain {
            request.system.extend(content);
        } else if !content.is_empty() {
            self.push(role, content);
        }
        Ok(())
    }

    fn reasoning(
        &mut self,
        mut item: Members,
        rest: &mut Map<String, Value>,
    ) -> Result<(), ModelError> {
        let id = item.string("id")?.filter(|id| !id.starts_with(OWN_REASONING));
        let encrypted = item.string("encrypted_content")?;
        let raw = texts(&mut item, "content")?;
        let summary = texts(&mut item, "summary")?;
        let path = item.at("encrypted_content");
        item.skip(&["type", "status"]);
        item.leave(rest);
        // What the model thought, rather than what was made of it.
        let text = if raw.is_empty() { summary } else { raw };

        let damaged = |envelope::Damaged| {
            ModelError::invalid(
                path.as_str(),
                format!("`{path}` is damaged: send it back as it was given"),
            )
        };
        let wrapped = match encrypted.as_deref() {
            Some(encrypted) => envelope::unwrap(encrypted).map_err(damaged)?,
            None => None,
        };
        let (kind, dialect) = match wrapped {
            Some((state, Holder::Call(call))) => {
                self.states.insert(call, (self.messages.len(), state.clone()));
                let dialect = state.origin.clone();
                (BlockKind::Thinking { text, state: Some(state) }, dialect)
            }
            Some((state, Holder::Redacted)) => {
                let origin = state.origin.clone();
                (BlockKind::RedactedThinking(state), origin)
            }
            Some((state, Holder::Thinking)) => {
                let origin = state.origin.clone();
                (BlockKind::Thinking { text, state: Some(state) }, origin)
            }
            None => {
                let data = encrypted.unwrap_or_default();
                let told = id.is_some() || !data.is_empty();
                let state = told.then_some(OpaqueState { origin: ORIGIN, id, data });
                (BlockKind::Thinking { text, state }, ORIGIN)
            }
        };
        let block = Block { origin: Some(dialect), ..Block::new(kind) };
        self.push(Role::Assistant, vec![block]);
        Ok(())
    }

    fn call(
        &mut self,
        mut item: Members,
        json: bool,
        rest: &mut Map<String, Value>,
    ) -> Result<(), ModelError> {
        let id = item.need_string("call_id")?;
        let name = item.need_string("name")?;
        let input = if json {
            ToolInput::from_json_text(item.need_string("arguments")?)
        } else {
            ToolInput::Text(item.need_string("input")?)
        };
        item.skip(&["type", "id", "status"]);
        item.leave(rest);
        let state = self.states.remove(&id).map(|(at, state)| {
            if let Some(message) = self.messages.get_mut(at) {
                *message = None;
            }
            state
        });
        let kind = BlockKind::ToolUse { id, name, input, state };
        self.push(Role::Assistant, vec![Block { origin: Some(ORIGIN), ..Block::new(kind) }]);
        Ok(())
    }

    fn result(
        &mut self,
        mut item: Members,
        rest: &mut Map<String, Value>,
    ) -> Result<(), ModelError> {
        let tool_use_id = item.need_string("call_id")?;
        let path = item.at("output");
        let output = item.take("output").ok_or_else(|| missing(&path))?;
        let content = part::decode_all(output, &path, rest)?;
        item.skip(&["type", "id", "status"]);
        item.leave(rest);
        let kind = BlockKind::ToolResult { tool_use_id, content, is_error: false };
        self.push(Role::User, vec![Block::new(kind)]);
        Ok(())
    }
}

/// The texts of `summary` or `content` of a reasoning item.
fn texts(item: &mut Members, name: &str) -> Result<String, ModelError> {
    let path = item.at(name);
    let mut texts = Vec::new();
    for (at, value) in item.array(name)?.unwrap_or_default().into_iter().enumerate() {
        let mut part = Members::of(value, format!("{path}.{at}"))?;
        texts.push(part.need_string("text")?);
    }
    Ok(joined(texts.iter().map(String::as_str)))
}

/// The parts of a thought as one text, with an empty line between them.
pub(in super::super) fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}
