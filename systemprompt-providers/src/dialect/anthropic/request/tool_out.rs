//! Writes tools, and which of them are to be used.

use serde_json::json;
use systemprompt_core::llm::{LossKind, ModelError, Tool, ToolChoice, ToolKind};

use super::super::field::{self, Field};
use super::super::json::ObjectOut;
use super::super::names::TEXT_ARGUMENT;
use super::block_out::Writer;
use super::schema;
use crate::dialect::forces_a_tool;

impl Writer<'_> {
    /// Writes the tools; those that the choice leaves out are not sent.
    pub(super) fn tools(&mut self) -> Result<Vec<ObjectOut>, ModelError> {
        let request = self.request;
        let among = match &request.tool_choice {
            Some(ToolChoice::Among { names, .. }) => Some(names),
            _ => None,
        };
        let mut tools = Vec::with_capacity(request.tools.len());
        for (at, tool) in request.tools.iter().enumerate() {
            if among.is_none_or(|names| names.contains(&tool.name)) {
                tools.push(self.tool(&field::tool(request.dialect, at), tool)?);
            }
        }
        Ok(tools)
    }

    fn tool(&mut self, path: &str, tool: &Tool) -> Result<ObjectOut, ModelError> {
        let mut object = match &tool.kind {
            ToolKind::Server { value } if self.native() => ObjectOut::as_it_stood(value),
            ToolKind::Server { .. } => {
                let message = format!(
                    "`{path}` is a tool that its provider runs; `{}` cannot be told of it",
                    self.target.provider
                );
                return Err(ModelError::invalid(path, message).with_code("unsupported_tool"));
            }
            ToolKind::Function { schema, strict } => self.function(path, tool, schema, *strict),
            ToolKind::Text { format } => {
                if format.is_some() {
                    self.losses.note(format!("{path}.format"), LossKind::Degraded);
                }
                let mut object = ObjectOut::default();
                object.put("name", self.names.sent(&tool.name, true));
                if let Some(description) = &tool.description {
                    object.put("description", description);
                }
                object.put("input_schema", text_schema());
                object
            }
        };
        for (name, value) in self.extras(path) {
            object.put_new(name, value);
        }
        let extra = self.extras(&format!("{path}.cache_control"));
        self.marks.put(&mut object, tool.cache, &extra, || path.to_owned(), &mut self.losses);
        Ok(object)
    }

    fn function(
        &mut self,
        path: &str,
        tool: &Tool,
        schema: &serde_json::Value,
        strict: Option<bool>,
    ) -> ObjectOut {
        let mut object = ObjectOut::default();
        object.put("name", self.names.sent(&tool.name, false));
        if let Some(description) = &tool.description {
            object.put("description", description);
        }
        if self.native() {
            object.put("input_schema", schema);
            if let Some(strict) = strict {
                object.put("strict", strict);
            }
            return object;
        }
        let mut schema = schema.clone();
        let mut lossy = schema::arguments(&mut schema);
        if strict == Some(true) {
            if self.signs {
                lossy |= schema::structured(&mut schema);
                object.put("strict", true);
            } else {
                self.losses.note(format!("{path}.strict"), LossKind::Hint);
            }
        }
        if lossy {
            self.losses.note(format!("{path}.parameters"), LossKind::Degraded);
        }
        object.put("input_schema", schema);
        object
    }

    /// Writes the choice. There is none where there are no tools.
    pub(super) fn tool_choice(&mut self) -> Result<Option<ObjectOut>, ModelError> {
        let request = self.request;
        let parallel = request.parallel_tool_calls;
        let choice = match &request.tool_choice {
            None if parallel == Some(false) => &ToolChoice::Auto,
            None => return Ok(None),
            Some(choice) => choice,
        };
        if request.tools.is_empty() {
            return Ok(None);
        }
        let field = Field::ToolChoice.of(request.dialect);
        let refused = forces_a_tool(choice) && !self.target.capabilities.forced_tool_choice;
        if refused {
            self.losses.note(field, LossKind::Degraded);
        }
        let mut object = match choice {
            _ if refused => ObjectOut::of("auto"),
            ToolChoice::Auto | ToolChoice::Among { required: false, .. } => ObjectOut::of("auto"),
            ToolChoice::Required | ToolChoice::Among { required: true, .. } => ObjectOut::of("any"),
            ToolChoice::None => ObjectOut::of("none"),
            ToolChoice::Named(name) => {
                let Some(tool) = request.tools.iter().find(|tool| tool.name == *name) else {
                    let message = format!("`{field}` names `{name}`, which is not among the tools");
                    return Err(ModelError::invalid(field, message));
                };
                let text = matches!(tool.kind, ToolKind::Text { .. });
                let mut object = ObjectOut::of("tool");
                object.put("name", self.names.sent(name, text));
                object
            }
        };
        if let (Some(parallel), false) = (parallel, *choice == ToolChoice::None) {
            object.put("disable_parallel_tool_use", !parallel);
        }
        for (name, value) in self.extras("tool_choice") {
            object.put_new(name, value);
        }
        Ok(Some(object))
    }
}

/// The schema of a text tool: its text is the one argument.
fn text_schema() -> serde_json::Value {
    json!({
        "type": "object",
        "properties": {TEXT_ARGUMENT: {"type": "string"}},
        "required": [TEXT_ARGUMENT],
    })
}
