//! Reads a request.

use serde_json::Value;
use serde_json::value::RawValue;
use systemprompt_core::llm::{
    Block, Dialect, Effort, Message, ModelError, ModelRequest, OutputFormat, Reasoning,
    ReasoningMode, Role, ToolChoice,
};

use super::super::json::{self, Members, wrong};
use super::{block_in, tool_in};

/// Reads a request of either version of the API. Without `answered`, it asks for a count of its tokens and
/// has no `max_tokens`.
///
/// Members inside of blocks and tools that the canonical form has no word for go into
/// [`ModelRequest::rest`] by their path (`messages.0.content.1.citations`): an upstream of this wire puts them
/// back where they were, others report them as lost.
pub(in super::super) fn decode(body: &[u8], answered: bool) -> Result<ModelRequest, ModelError> {
    let text = std::str::from_utf8(body).map_err(|_| json::unreadable("it is not UTF-8"))?;
    let mut members = Members::parse(text, "")?;
    let model = members.required_string("model")?;
    let mut request = ModelRequest::new(Dialect::Anthropic, model);
    request.max_output_tokens = members.count("max_tokens")?;
    if answered && request.max_output_tokens.is_none() {
        return Err(members.missing("max_tokens"));
    }
    if let Some(raw) = members.take("system") {
        request.system =
            block_in::content(raw, "system", block_in::Place::System, &mut request.rest)?;
    }
    messages(&mut members, &mut request)?;
    for (at, raw) in members.items("tools")?.unwrap_or_default().into_iter().enumerate() {
        request.tools.push(tool_in::tool(raw, format!("tools.{at}"), &mut request.rest)?);
    }
    tool_choice(&mut members, &mut request)?;
    thinking(&mut members, &mut request)?;
    output_config(&mut members, &mut request)?;
    stop_sequences(&mut members, &mut request)?;
    request.sampling.temperature = members.number("temperature")?;
    request.sampling.top_p = members.number("top_p")?;
    request.sampling.top_k = members.count("top_k")?;
    request.stream = members.boolean("stream")?.unwrap_or_default();
    request.service_tier = members.string("service_tier")?;
    if let Some(mut metadata) = members.object("metadata")? {
        request.user = metadata.string("user_id")?;
        metadata.rest(&mut request.rest)?;
    }
    members.rest(&mut request.rest)?;
    Ok(request)
}

fn messages(members: &mut Members<'_>, request: &mut ModelRequest) -> Result<(), ModelError> {
    let messages = members.items("messages")?.ok_or_else(|| members.missing("messages"))?;
    for (at, raw) in messages.into_iter().enumerate() {
        let path = format!("messages.{at}");
        let mut message = Members::read(raw, path.as_str())?;
        let (role, place) = match message.required_string("role")?.as_str() {
            "user" => (Role::User, block_in::Place::User),
            "assistant" => (Role::Assistant, block_in::Place::Assistant),
            "system" => (Role::System, block_in::Place::System),
            _ => return Err(wrong(message.field("role"), "`user`, `assistant` or `system`")),
        };
        let content = message.require("content")?;
        let field = message.field("content");
        let content = block_in::content(content, &field, place, &mut request.rest)?;
        message.rest(&mut request.rest)?;
        request.messages.push(Message { role, content });
    }
    Ok(())
}

fn tool_choice(members: &mut Members<'_>, request: &mut ModelRequest) -> Result<(), ModelError> {
    let Some(mut choice) = members.object("tool_choice")? else { return Ok(()) };
    request.tool_choice = Some(match choice.required_string("type")?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named(choice.required_string("name")?),
        _ => return Err(wrong(choice.field("type"), "`auto`, `any`, `tool` or `none`")),
    });
    request.parallel_tool_calls =
        choice.boolean("disable_parallel_tool_use")?.map(|disabled| !disabled);
    choice.rest(&mut request.rest)
}

fn thinking(members: &mut Members<'_>, request: &mut ModelRequest) -> Result<(), ModelError> {
    let Some(raw) = members.take("thinking") else { return Ok(()) };
    let mut thinking = Members::read(raw, "thinking")?;
    let mut reasoning = Reasoning::default();
    reasoning.mode = Some(match thinking.required_string("type")?.as_str() {
        "enabled" => {
            let budget = thinking.count("budget_tokens")?;
            reasoning.budget_tokens =
                Some(budget.ok_or_else(|| thinking.missing("budget_tokens"))?);
            ReasoningMode::Enabled
        }
        "adaptive" => ReasoningMode::Adaptive,
        "disabled" => ReasoningMode::Disabled,
        // `between_tools`, and what comes after it: no other wire has a word for it.
        _ => {
            request.rest.insert("thinking".to_owned(), value(raw, "thinking")?);
            return Ok(());
        }
    });
    reasoning.summary = thinking.string("display")?;
    request.reasoning = Some(reasoning);
    thinking.rest(&mut request.rest)
}

fn output_config(members: &mut Members<'_>, request: &mut ModelRequest) -> Result<(), ModelError> {
    let Some(mut config) = members.object("output_config")? else { return Ok(()) };
    if let Some(word) = config.string("effort")? {
        let effort = Effort::parse(&word).filter(|effort| *effort >= Effort::Low);
        let effort = effort.ok_or_else(|| {
            wrong(config.field("effort"), "`low`, `medium`, `high`, `xhigh` or `max`")
        })?;
        request.reasoning.get_or_insert_default().effort = Some(effort);
    }
    if let Some(mut format) = config.object("format")? {
        if format.required_string("type")? != "json_schema" {
            return Err(wrong(format.field("type"), "`json_schema`"));
        }
        let schema = format.value("schema")?.ok_or_else(|| format.missing("schema"))?;
        if !schema.is_object() {
            return Err(wrong(format.field("schema"), "an object"));
        }
        request.output =
            OutputFormat::JsonSchema { name: None, description: None, schema, strict: None };
        format.rest(&mut request.rest)?;
    }
    config.rest(&mut request.rest)
}

fn stop_sequences(members: &mut Members<'_>, request: &mut ModelRequest) -> Result<(), ModelError> {
    for (at, raw) in members.items("stop_sequences")?.unwrap_or_default().into_iter().enumerate() {
        let sequence = serde_json::from_str(raw.get())
            .map_err(|_| wrong(format!("stop_sequences.{at}"), "a string"))?;
        request.stop_sequences.push(sequence);
    }
    Ok(())
}

fn value(raw: &RawValue, field: &str) -> Result<Value, ModelError> {
    serde_json::from_str(raw.get()).map_err(|_| wrong(field, "JSON that is not nested too deep"))
}

/// A text that stands for a list of one block.
pub(super) fn shorthand(raw: &RawValue, field: &str) -> Result<Vec<Block>, ModelError> {
    let text: String = serde_json::from_str(raw.get()).map_err(|_| wrong(field, "a string"))?;
    Ok(vec![Block::text(text)])
}
