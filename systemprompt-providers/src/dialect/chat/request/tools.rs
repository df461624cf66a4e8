//! The tools of a request, read.

use serde_json::{Value, json};
use systemprompt_core::llm::{ModelError, ModelRequest, Tool, ToolChoice, ToolKind};

use super::super::fields::{Fields, Object, missing, wrong};

pub(super) fn read(fields: &mut Fields, request: &mut ModelRequest) -> Result<(), ModelError> {
    let tools = fields.array("tools")?.unwrap_or_default();
    for (at, value) in tools.into_iter().enumerate() {
        request.tools.push(tool(value, format!("tools.{at}"), &mut request.rest)?);
    }
    // The older form of the same.
    let functions = fields.array("functions")?.unwrap_or_default();
    for (at, value) in functions.into_iter().enumerate() {
        let function = Fields::object(value, format!("functions.{at}"))?;
        request.tools.push(self::function(function, &mut request.rest)?);
    }
    request.tool_choice = match fields.take("tool_choice") {
        Some(value) => Some(choice(value)?),
        None => fields.take("function_call").map(older_choice).transpose()?,
    };
    request.parallel_tool_calls = fields.boolean("parallel_tool_calls")?;
    Ok(())
}

fn tool(value: Value, path: String, rest: &mut Object) -> Result<Tool, ModelError> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("function").to_owned();
    if !matches!(kind.as_str(), "function" | "custom") && value.is_object() {
        return Ok(Tool {
            kind: ToolKind::Server { value },
            name: kind,
            description: None,
            cache: None,
        });
    }
    let mut tool = Fields::object(value, path)?;
    tool.take("type");
    let read = if kind == "function" {
        function(tool.inner("function")?, rest)?
    } else {
        let mut custom = tool.inner("custom")?;
        let read = Tool {
            name: custom.word("name")?,
            description: custom.string("description")?,
            kind: ToolKind::Text { format: custom.take("format") },
            cache: None,
        };
        custom.rest_into(rest);
        read
    };
    tool.rest_into(rest);
    Ok(read)
}

fn function(mut function: Fields, rest: &mut Object) -> Result<Tool, ModelError> {
    let schema = match function.take("parameters") {
        None => json!({"type": "object", "properties": {}}),
        Some(schema @ Value::Object(_)) => schema,
        Some(_) => return Err(wrong(function.at("parameters"), "an object")),
    };
    let tool = Tool {
        name: function.word("name")?,
        description: function.string("description")?,
        kind: ToolKind::Function { schema, strict: function.boolean("strict")? },
        cache: None,
    };
    function.rest_into(rest);
    Ok(tool)
}

fn choice(value: Value) -> Result<ToolChoice, ModelError> {
    if let Value::String(word) = &value {
        return match word.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            // `any` is the word of Mistral.
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(wrong("tool_choice".to_owned(), "one of `auto`, `none`, `required`")),
        };
    }
    let mut choice = Fields::object(value, "tool_choice".to_owned())?;
    match choice.word("type")?.as_str() {
        kind @ ("function" | "custom") => Ok(ToolChoice::Named(choice.inner(kind)?.word("name")?)),
        "allowed_tools" => among(choice.inner("allowed_tools")?),
        _ => Err(wrong("tool_choice.type".to_owned(), "`function`, `custom` or `allowed_tools`")),
    }
}

fn among(mut allowed: Fields) -> Result<ToolChoice, ModelError> {
    let required = match allowed.word("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        _ => return Err(wrong(allowed.at("mode"), "`auto` or `required`")),
    };
    let tools = allowed.array("tools")?.ok_or_else(|| missing(allowed.at("tools")))?;
    let names = tools.into_iter().enumerate().map(|(at, tool)| {
        let mut tool = Fields::object(tool, allowed.at(&format!("tools.{at}")))?;
        match tool.string("type")?.as_deref() {
            Some("custom") => tool.inner("custom")?.word("name"),
            _ => tool.inner("function")?.word("name"),
        }
    });
    Ok(ToolChoice::Among { names: names.collect::<Result<_, _>>()?, required })
}

/// `function_call`: `none`, `auto`, or an object with a name.
fn older_choice(value: Value) -> Result<ToolChoice, ModelError> {
    match value.as_str() {
        Some("auto") => Ok(ToolChoice::Auto),
        Some("none") => Ok(ToolChoice::None),
        Some(_) => Err(wrong("function_call".to_owned(), "`auto` or `none`")),
        None => {
            let mut function = Fields::object(value, "function_call".to_owned())?;
            Ok(ToolChoice::Named(function.word("name")?))
        }
    }
}
