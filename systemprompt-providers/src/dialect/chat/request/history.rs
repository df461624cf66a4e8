//! The messages of a request, read.

use std::collections::HashMap;

use serde_json::Value;
use systemprompt_core::llm::{
    Block, BlockKind, Dialect, Message, ModelError, ModelRequest, OpaqueState, Origin, Role,
    ToolInput,
};

use super::super::fields::{Fields, Object, missing, wrong};
use super::super::reasoning;
use super::parts;

pub(super) fn read(fields: &mut Fields, request: &mut ModelRequest) -> Result<(), ModelError> {
    let messages = fields.array("messages")?.ok_or_else(|| missing("messages".to_owned()))?;
    if messages.is_empty() {
        return Err(wrong("messages".to_owned(), "an array of at least one message"));
    }
    let mut reader = Reader { request, begun: false, function: None };
    for (at, value) in messages.into_iter().enumerate() {
        reader.message(at, Fields::object(value, format!("messages.{at}"))?)?;
    }
    Ok(())
}

struct Reader<'a> {
    request: &'a mut ModelRequest,
    /// Whether there was a message that is no instruction.
    begun: bool,
    /// The id made for the last `function_call`, the older form of a call, which has none.
    function: Option<String>,
}

impl Reader<'_> {
    fn message(&mut self, at: usize, mut message: Fields) -> Result<(), ModelError> {
        let role = message.word("role")?;
        let rest = &mut self.request.rest;
        let (role, content) = match role.as_str() {
            "system" | "developer" => (Role::System, content(&mut message, rest, true)?),
            "user" => (Role::User, content(&mut message, rest, true)?),
            "assistant" => (Role::Assistant, self.assistant(at, &mut message)?),
            "tool" => {
                let id = message.word("tool_call_id")?;
                (Role::User, vec![result(id, content(&mut message, rest, true)?)])
            }
            "function" => {
                let id = self.function.take();
                let id = id.ok_or_else(|| {
                    wrong(message.at("role"), "`tool`: no `function_call` stands before it")
                })?;
                message.take("name");
                (Role::User, vec![result(id, content(&mut message, rest, false)?)])
            }
            _ => {
                return Err(wrong(
                    message.at("role"),
                    "one of `system`, `developer`, `user`, `assistant`, `tool`",
                ));
            }
        };
        message.rest_into(&mut self.request.rest);
        if role == Role::System && !self.begun {
            self.request.system.extend(content);
        } else {
            self.begun = true;
            self.request.messages.push(Message { role, content });
        }
        Ok(())
    }

    /// Reasoning, then what was said, then the calls.
    fn assistant(&mut self, at: usize, message: &mut Fields) -> Result<Vec<Block>, ModelError> {
        let history = reasoning::from_history(message)?;
        let mut blocks = history.blocks;
        blocks.extend(content(message, &mut self.request.rest, false)?);
        if let Some(text) = message.string("refusal")?.filter(|text| !text.is_empty()) {
            blocks.push(Block::new(BlockKind::Refusal { text }));
        }
        // Clients send answers back with what they have of them; none is nothing.
        if message.peek("annotations").and_then(Value::as_array).is_some_and(Vec::is_empty) {
            message.take("annotations");
        }
        let calls = message.array("tool_calls")?.unwrap_or_default();
        for (number, value) in calls.into_iter().enumerate() {
            let path = message.at(&format!("tool_calls.{number}"));
            blocks.push(call(
                Fields::object(value, path)?,
                &history.calls,
                &mut self.request.rest,
            )?);
        }
        if let Some(mut function) = message.member("function_call")? {
            let id = format!("call_function_{at}");
            self.function = Some(id.clone());
            let name = function.word("name")?;
            let input = arguments(&mut function)?;
            blocks.push(Block::new(BlockKind::ToolUse { id, name, input, state: None }));
        }
        Ok(blocks)
    }
}

/// The content of a message: a string, or parts.
fn content(
    message: &mut Fields,
    rest: &mut Object,
    required: bool,
) -> Result<Vec<Block>, ModelError> {
    match message.take("content") {
        None if required => Err(missing(message.at("content"))),
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Block::text(text)]),
        Some(Value::Array(values)) => values
            .into_iter()
            .enumerate()
            .map(|(at, value)| parts::read(value, message.at(&format!("content.{at}")), rest))
            .collect(),
        Some(_) => Err(wrong(message.at("content"), "a string or an array of parts")),
    }
}

fn result(tool_use_id: String, content: Vec<Block>) -> Block {
    Block::new(BlockKind::ToolResult { tool_use_id, content, is_error: false })
}

fn call(
    mut call: Fields,
    states: &HashMap<String, OpaqueState>,
    rest: &mut Object,
) -> Result<Block, ModelError> {
    let id = call.word("id")?;
    let kind = call.string("type")?;
    let (name, input) = match kind.as_deref() {
        None | Some("function") => {
            let mut function = call.inner("function")?;
            let name = function.word("name")?;
            let input = arguments(&mut function)?;
            function.rest_into(rest);
            (name, input)
        }
        Some("custom") => {
            let mut custom = call.inner("custom")?;
            let name = custom.word("name")?;
            let input = ToolInput::Text(custom.text("input")?);
            custom.rest_into(rest);
            (name, input)
        }
        Some(_) => return Err(wrong(call.at("type"), "`function` or `custom`")),
    };
    // Gemini's own Chat endpoint keeps its thought signature here.
    let extra = call.take("extra_content").map(|extra| OpaqueState {
        origin: Origin { dialect: Dialect::Chat, provider: None },
        id: None,
        data: extra.to_string(),
    });
    let known = states.get(&id).cloned();
    // The number in an array of calls, which some clients keep from the stream.
    call.take("index");
    call.rest_into(rest);
    Ok(Block::new(BlockKind::ToolUse { id, name, input, state: known.or(extra) }))
}

/// The arguments of a function: JSON in a string. In a history they must be whole.
fn arguments(function: &mut Fields) -> Result<ToolInput, ModelError> {
    let text = function.string("arguments")?.unwrap_or_default();
    match ToolInput::from_json_text(text) {
        ToolInput::Broken(_) => {
            Err(wrong(function.at("arguments"), "a string that is a JSON object"))
        }
        input => Ok(input),
    }
}
