//! Reads tools.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use systemprompt_core::llm::{ModelError, Tool, ToolKind};

use super::super::json::{Members, wrong};
use super::block_in::cache;

/// Reads a tool: a function of the caller, or one that Anthropic defines (which the canonical form
/// keeps as it stood, for no other wire can be told of it).
pub(super) fn tool(
    raw: &RawValue,
    path: String,
    rest: &mut Map<String, Value>,
) -> Result<Tool, ModelError> {
    let mut members = Members::read(raw, path.as_str())?;
    let kind = members.string("type")?;
    let cache = cache(&mut members, rest)?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        let name = members.string("name")?;
        let mut value: Map<String, Value> = serde_json::from_str(raw.get())
            .map_err(|_| wrong(path, "a tool that is not nested too deep"))?;
        value.remove("cache_control");
        return Ok(Tool {
            name: name.unwrap_or(kind),
            description: None,
            cache,
            kind: ToolKind::Server { value: Value::Object(value) },
        });
    }
    let name = members.required_string("name")?;
    if name.is_empty() {
        return Err(wrong(members.field("name"), "a name of at least one letter"));
    }
    let description = members.string("description")?;
    let schema = members.value("input_schema")?.ok_or_else(|| members.missing("input_schema"))?;
    if !schema.is_object() {
        return Err(wrong(members.field("input_schema"), "an object"));
    }
    let strict = members.boolean("strict")?;
    members.rest(rest)?;
    Ok(Tool { kind: ToolKind::Function { schema, strict }, name, description, cache })
}
