//! Tools and which of them to use, written.

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{Dialect, LossKind, ModelError, Tool, ToolChoice, ToolKind};

use super::encode::Writer;
use super::paths::Member;
use crate::dialect::forces_a_tool;

pub(super) fn write(
    writer: &mut Writer<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), ModelError> {
    let request = writer.request;
    let mut tools = Vec::new();
    for (at, tool) in request.tools.iter().enumerate() {
        if tool.cache.is_some() {
            let field = format!("tools.{at}.{}", writer.paths.member(Member::Cache));
            writer.losses.note(field, LossKind::Hint);
        }
        tools.push(write_tool(writer, at, tool)?);
    }
    if tools.is_empty() {
        // Without tools, both members are refused; only one of them then asks for what cannot be.
        return match &request.tool_choice {
            Some(choice) if forces_a_tool(choice) => Err(no_tools(writer)),
            _ => Ok(()),
        };
    }
    body.insert("tools".to_owned(), Value::Array(tools));
    if let Some(choice) = &request.tool_choice {
        body.insert("tool_choice".to_owned(), write_choice(writer, choice)?);
    }
    if let Some(parallel) = request.parallel_tool_calls {
        body.insert("parallel_tool_calls".to_owned(), json!(parallel));
    }
    Ok(())
}

fn no_tools(writer: &Writer<'_>) -> ModelError {
    let field = writer.paths.member(Member::Choice);
    ModelError::invalid(field, format!("`{field}` asks for a tool, but there are no tools"))
}

fn write_tool(writer: &Writer<'_>, at: usize, tool: &Tool) -> Result<Value, ModelError> {
    let mut inner = Map::new();
    inner.insert("name".to_owned(), json!(writer.names.sent(&tool.name)));
    if let Some(description) = &tool.description {
        inner.insert("description".to_owned(), json!(description));
    }
    match &tool.kind {
        ToolKind::Function { schema, strict } => {
            inner.insert("parameters".to_owned(), parameters(schema));
            if let Some(strict) = strict {
                inner.insert("strict".to_owned(), json!(strict));
            }
            Ok(json!({"type": "function", "function": inner}))
        }
        ToolKind::Text { format } => {
            if let Some(format) = format {
                inner.insert("format".to_owned(), text_format(writer, format));
            }
            Ok(json!({"type": "custom", "custom": inner}))
        }
        ToolKind::Server { value } if writer.request.dialect == Dialect::Chat => Ok(value.clone()),
        ToolKind::Server { .. } => Err(ModelError::invalid(
            format!("tools.{at}"),
            format!("the tool `{}` is run by another provider and does not exist here", tool.name),
        )
        .with_code("unsupported_tool")),
    }
}

/// OpenAI asks for an object with properties, even of a function without arguments.
fn parameters(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(map) = &mut schema {
        map.entry("type").or_insert_with(|| json!("object"));
        if map.get("type").and_then(Value::as_str) == Some("object") {
            map.entry("properties").or_insert_with(|| json!({}));
        }
    }
    schema
}

/// Responses has a grammar's members beside its type; Chat has them one deeper.
fn text_format(writer: &Writer<'_>, format: &Value) -> Value {
    match format.get("type").and_then(Value::as_str) {
        Some("grammar")
            if writer.request.dialect == Dialect::Responses && format.get("grammar").is_none() =>
        {
            let grammar =
                json!({"syntax": format.get("syntax"), "definition": format.get("definition")});
            json!({"type": "grammar", "grammar": grammar})
        }
        _ => format.clone(),
    }
}

fn write_choice(writer: &mut Writer<'_>, choice: &ToolChoice) -> Result<Value, ModelError> {
    if forces_a_tool(choice) && !writer.to.capabilities.forced_tool_choice {
        writer.losses.note(writer.paths.member(Member::Choice), LossKind::Degraded);
        return Ok(match choice {
            ToolChoice::Among { names, .. } => among(writer, names, false),
            _ => json!("auto"),
        });
    }
    Ok(match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => named(writer, name),
        ToolChoice::Among { names, required } => among(writer, names, *required),
    })
}

fn among(writer: &Writer<'_>, names: &[String], required: bool) -> Value {
    let tools: Vec<Value> = names.iter().map(|name| named(writer, name)).collect();
    let mode = if required { "required" } else { "auto" };
    json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}})
}

fn named(writer: &Writer<'_>, name: &str) -> Value {
    let sent = writer.names.sent(name);
    if writer.texts.contains(name) {
        json!({"type": "custom", "custom": {"name": sent}})
    } else {
        json!({"type": "function", "function": {"name": sent}})
    }
}
