use serde_json::Value;
use systemprompt_core::llm::{
    Block, Dialect, ErrorKind, Message, ModelError, ModelRequest, OutputFormat, Role,
};

use super::super::members::{Members, wrong};
use super::{input, reasoning, tools};

/// Reads a request.
pub(in super::super) fn decode(body: &[u8]) -> Result<ModelRequest, ModelError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        ModelError::new(ErrorKind::InvalidRequest, format!("the body is not JSON: {error}"))
    })?;
    let mut members = Members::of(value, "")?;
    refuse_what_is_stored(&mut members)?;
    let model = members.need_string("model")?;
    let mut request = ModelRequest::new(Dialect::Responses, model);

    request.system.extend(members.string("instructions")?.map(Block::text));
    conversation(&mut members, &mut request)?;
    let tools = members.array("tools")?.unwrap_or_default();
    request.tools = tools::decode_tools(tools, &mut request.rest)?;
    request.tool_choice = tools::decode_choice(members.take("tool_choice"), &request.tools)?;
    request.parallel_tool_calls = members.boolean("parallel_tool_calls")?;

    request.max_output_tokens = members.integer("max_output_tokens")?;
    request.sampling.temperature = members.number("temperature")?;
    request.sampling.top_p = members.number("top_p")?;
    if let Some(said) = members.object("reasoning")? {
        request.reasoning = Some(reasoning::decode(said, &mut request.rest)?);
    }
    if let Some(said) = members.object("text")? {
        text(said, &mut request)?;
    }

    request.stream = members.boolean("stream")?.unwrap_or(false);
    request.service_tier = members.string("service_tier")?;
    let user = members.string("user")?;
    request.user = members.string("safety_identifier")?.or(user);
    let stored = members.boolean("store")?.unwrap_or(false);
    if stored {
        request.rest.insert("store".to_owned(), Value::Bool(true));
    }
    let mut include = members.array("include")?.unwrap_or_default();
    // Where nothing is stored, reasoning comes along unasked: that is no loss anywhere.
    include.retain(|name| stored || name != "reasoning.encrypted_content");
    if !include.is_empty() {
        request.rest.insert("include".to_owned(), Value::Array(include));
    }
    members.leave(&mut request.rest);
    Ok(request)
}

/// A translated answer is kept nowhere, so nothing can be said by reference to one.
fn refuse_what_is_stored(members: &mut Members) -> Result<(), ModelError> {
    for name in ["previous_response_id", "conversation", "prompt"] {
        if members.take(name).is_some() {
            let message = format!(
                "`{name}` is not supported here: no conversation or prompt is stored for this model; \
                 send the whole conversation in `input`"
            );
            return Err(ModelError::invalid(name, message).with_code("unsupported_parameter"));
        }
    }
    if let Some(true) = members.boolean("background")? {
        let message = "`background` is not supported here: no answer is stored for this model";
        return Err(ModelError::invalid("background", message).with_code("unsupported_parameter"));
    }
    Ok(())
}

fn conversation(members: &mut Members, request: &mut ModelRequest) -> Result<(), ModelError> {
    match members.take("input") {
        None => Err(super::super::members::missing("input")),
        Some(Value::String(text)) => {
            request.messages.push(Message { role: Role::User, content: vec![Block::text(text)] });
            Ok(())
        }
        Some(Value::Array(items)) => input::decode(items, request),
        Some(_) => Err(wrong("input", "a string or an array of items")),
    }
}

/// Reads `text`: the form of the answer, and how wordy it is.
fn text(mut said: Members, request: &mut ModelRequest) -> Result<(), ModelError> {
    request.verbosity = said.string("verbosity")?;
    if let Some(mut format) = said.object("format")? {
        let kind = format.need_string("type")?;
        request.output = match kind.as_str() {
            "text" => OutputFormat::Text,
            "json_object" => OutputFormat::JsonObject,
            "json_schema" => OutputFormat::JsonSchema {
                name: format.string("name")?,
                description: format.string("description")?,
                schema: match format.take("schema") {
                    Some(schema @ Value::Object(_)) => schema,
                    Some(_) => return Err(wrong("text.format.schema", "an object")),
                    None => return Err(super::super::members::missing("text.format.schema")),
                },
                strict: format.boolean("strict")?,
            },
            _ => {
                return Err(wrong("text.format.type", "`text`, `json_object` or `json_schema`"));
            }
        };
        format.leave(&mut request.rest);
    }
    said.leave(&mut request.rest);
    Ok(())
}
