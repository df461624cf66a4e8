use serde_json::{Map, Value, json};
use systemprompt_core::llm::{ModelError, Tool, ToolChoice, ToolKind};

use super::super::members::{Members, missing, wrong};

/// Reads `tools`.
pub(super) fn decode_tools(
    tools: Vec<Value>,
    rest: &mut Map<String, Value>,
) -> Result<Vec<Tool>, ModelError> {
    tools
        .into_iter()
        .enumerate()
        .map(|(at, value)| decode_tool(value, format!("tools.{at}"), rest))
        .collect()
}

fn decode_tool(
    value: Value,
    path: String,
    rest: &mut Map<String, Value>,
) -> Result<Tool, ModelError> {
    if !value.is_object() {
        return Err(wrong(&path, "an object"));
    }
    let kind = match value.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        None => return Err(missing(&format!("{path}.type"))),
        Some(_) => return Err(wrong(&format!("{path}.type"), "a string")),
    };
    if kind != "function" && kind != "custom" {
        let name = server_name(&value).unwrap_or(kind);
        return Ok(Tool { kind: ToolKind::Server { value }, name, description: None, cache: None });
    }
    let mut tool = Members::of(value, path)?;
    let name = tool.need_string("name")?;
    let description = tool.string("description")?;
    let kind = if kind == "custom" {
        ToolKind::Text { format: tool.take("format") }
    } else {
        let schema = match tool.take("parameters") {
            None => json!({ "type": "object", "properties": {} }),
            Some(schema @ Value::Object(_)) => schema,
            Some(_) => return Err(wrong(&tool.at("parameters"), "an object")),
        };
        ToolKind::Function { schema, strict: tool.boolean("strict")? }
    };
    tool.skip(&["type"]);
    tool.leave(rest);
    Ok(Tool { kind, name, description, cache: None })
}

/// The name of a tool that the provider runs: its label or name where several of a kind may be, else its kind.
fn server_name(value: &Value) -> Option<String> {
    let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    text("server_label").or_else(|| text("name")).or_else(|| text("type"))
}

/// Reads `tool_choice`.
pub(super) fn decode_choice(
    choice: Option<Value>,
    tools: &[Tool],
) -> Result<Option<ToolChoice>, ModelError> {
    let Some(choice) = choice else { return Ok(None) };
    if let Value::String(word) = &choice {
        return match word.as_str() {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(wrong("tool_choice", "`auto`, `none`, `required` or an object")),
        };
    }
    if choice.get("type").and_then(Value::as_str) != Some("allowed_tools") {
        return named(&choice, "tool_choice", tools).map(|name| Some(ToolChoice::Named(name)));
    }
    let mut choice = Members::of(choice, "tool_choice")?;
    let required = match choice.need_string("mode")?.as_str() {
        "auto" => false,
        "required" => true,
        _ => return Err(wrong("tool_choice.mode", "`auto` or `required`")),
    };
    let allowed = choice.array("tools")?.ok_or_else(|| missing("tool_choice.tools"))?;
    let names = allowed
        .iter()
        .enumerate()
        .map(|(at, tool)| named(tool, &format!("tool_choice.tools.{at}"), tools))
        .collect::<Result<_, _>>()?;
    Ok(Some(ToolChoice::Among { names, required }))
}

/// The name of the tool that a choice means.
fn named(choice: &Value, path: &str, tools: &[Tool]) -> Result<String, ModelError> {
    let mut members = Members::of(choice.clone(), path)?;
    let kind = members.need_string("type")?;
    if kind == "function" || kind == "custom" {
        return members.need_string("name");
    }
    let label = members.string("server_label")?;
    let meant = tools.iter().find(|tool| match &tool.kind {
        ToolKind::Server { value } => {
            value.get("type").and_then(Value::as_str) == Some(kind.as_str())
                && label.as_ref().is_none_or(|label| *label == tool.name)
        }
        ToolKind::Function { .. } | ToolKind::Text { .. } => false,
    });
    meant.map(|tool| tool.name.clone()).ok_or_else(|| {
        ModelError::invalid(path, format!("`{path}` names `{kind}`, which is not in `tools`"))
    })
}

/// Writes a tool under the name it is `sent` by. `strict` is what is said where the request says nothing.
pub(in super::super) fn encode_tool(tool: &Tool, sent: &str, strict: Option<bool>) -> Value {
    let mut said = Map::new();
    match &tool.kind {
        ToolKind::Server { value } => return value.clone(),
        ToolKind::Text { format } => {
            said.insert("type".to_owned(), json!("custom"));
            if let Some(format) = format {
                said.insert("format".to_owned(), flat(format));
            }
        }
        ToolKind::Function { schema, strict: own } => {
            said.insert("type".to_owned(), json!("function"));
            said.insert("parameters".to_owned(), object_schema(schema));
            if let Some(strict) = own.or(strict) {
                said.insert("strict".to_owned(), json!(strict));
            }
        }
    }
    said.insert("name".to_owned(), json!(sent));
    if let Some(description) = &tool.description {
        said.insert("description".to_owned(), json!(description));
    }
    Value::Object(said)
}

/// OpenAI refuses the schema of an object without `properties`.
fn object_schema(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Value::Object(members) = &mut schema {
        members.entry("type").or_insert_with(|| json!("object"));
        if members.get("type").and_then(Value::as_str) == Some("object") {
            members.entry("properties").or_insert_with(|| json!({}));
        }
    }
    schema
}

/// Chat has the grammar of a custom tool one level deeper.
fn flat(format: &Value) -> Value {
    match format.get("grammar") {
        Some(Value::Object(grammar)) => {
            let mut flat = grammar.clone();
            flat.insert("type".to_owned(), json!("grammar"));
            Value::Object(flat)
        }
        _ => format.clone(),
    }
}

/// Writes `tool_choice`; `sent` gives the names that tools are sent by.
pub(in super::super) fn encode_choice<'a>(
    choice: &'a ToolChoice,
    tools: &[Tool],
    sent: impl Fn(&'a str) -> &'a str,
) -> Value {
    let one = |name: &'a String| match tools.iter().find(|tool| tool.name == *name) {
        Some(Tool { kind: ToolKind::Server { value }, .. }) => {
            let mut meant = Map::new();
            for member in ["type", "server_label"] {
                if let Some(word) = value.get(member) {
                    meant.insert(member.to_owned(), word.clone());
                }
            }
            Value::Object(meant)
        }
        Some(Tool { kind: ToolKind::Text { .. }, .. }) => {
            json!({ "type": "custom", "name": sent(name) })
        }
        _ => json!({ "type": "function", "name": sent(name) }),
    };
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => one(name),
        ToolChoice::Among { names, required } => json!({
            "type": "allowed_tools",
            "mode": if *required { "required" } else { "auto" },
            "tools": names.iter().map(one).collect::<Vec<_>>(),
        }),
    }
}
