use serde_json::{Value, json};
use systemprompt_core::llm::{LossKind, ModelError, Tool, ToolChoice, ToolKind};

use super::body::{FunctionCallingConfig, FunctionDeclaration, ToolConfig, ToolGroup};
use super::field::Fields;
use super::{Encoder, schema};
use crate::dialect::forces_a_tool;

impl Encoder<'_> {
    /// The tools on offer.
    pub(super) fn tools(&mut self) -> Result<Vec<ToolGroup>, ModelError> {
        let mut function_declarations = Vec::new();
        for (at, tool) in self.request.tools.iter().enumerate() {
            if tool.cache.is_some() {
                self.lose(self.fields.cache(&Fields::tool(at)), LossKind::Hint);
            }
            let wanted = self.schema_of(tool, at)?;
            let name = self.names.sent(&tool.name);
            let mut declaration = FunctionDeclaration {
                name,
                description: tool.description.clone(),
                parameters: None,
                parameters_json_schema: None,
            };
            if self.to.flags.json_schema {
                declaration.parameters_json_schema = Some(schema::whole(&wanted));
            } else {
                let schema =
                    schema::cleaned(&wanted, &self.fields.tool_schema(at), &mut self.losses)?;
                // An object without members is refused; a function without arguments has no schema.
                declaration.parameters = schema.get("properties").is_some().then_some(schema);
            }
            function_declarations.push(declaration);
        }
        let any = !function_declarations.is_empty();
        Ok(any.then_some(ToolGroup { function_declarations }).into_iter().collect())
    }

    /// The JSON Schema of the arguments of `tool`.
    fn schema_of(&mut self, tool: &Tool, at: usize) -> Result<Value, ModelError> {
        match &tool.kind {
            ToolKind::Function { schema, strict } => {
                if !schema.is_object() {
                    let message = format!("the schema of the tool `{}` is no object", tool.name);
                    return Err(ModelError::invalid(self.fields.tool_schema(at), message));
                }
                if *strict == Some(true) && !self.all_strict() {
                    self.lose(self.fields.tool_strict(at), LossKind::Hint);
                }
                Ok(schema.clone())
            }
            ToolKind::Text { format } => {
                let mut description = "The whole input of the tool, as plain text.".to_owned();
                if let Some(format) = format {
                    self.lose(self.fields.tool_format(at), LossKind::Degraded);
                    description.push_str(" Its format: ");
                    description.push_str(&format.to_string());
                }
                Ok(json!({
                    "type": "object",
                    "properties": { "input": { "type": "string", "description": description } },
                    "required": ["input"],
                }))
            }
            ToolKind::Server { .. } => Err(ModelError::invalid(
                Fields::tool(at),
                format!("the tool `{}` is run by another provider, and not by this one", tool.name),
            )),
        }
    }

    /// Whether the model is to be held to the schema of every function: the wire knows it for all or none.
    fn all_strict(&self) -> bool {
        let strict =
            |tool: &Tool| matches!(tool.kind, ToolKind::Function { strict: Some(true), .. });
        !self.request.tools.is_empty() && self.request.tools.iter().all(strict)
    }

    /// Which tools are to be used.
    pub(super) fn tool_config(&mut self) -> Result<Option<ToolConfig>, ModelError> {
        if self.request.parallel_tool_calls == Some(false) && !self.request.tools.is_empty() {
            self.lose(self.fields.parallel(), LossKind::Dropped);
        }
        let choice = self.request.tool_choice.as_ref();
        if let Some(choice) = choice {
            self.check_choice(choice)?;
        }
        if self.request.tools.is_empty() {
            return Ok(None);
        }
        let auto = if self.all_strict() { "VALIDATED" } else { "AUTO" };
        let held = choice.is_some_and(forces_a_tool) && !self.to.capabilities.forced_tool_choice;
        if held {
            self.lose("tool_choice", LossKind::Degraded);
        }
        let (mode, names) = match choice {
            None if auto == "AUTO" => return Ok(None),
            None | Some(ToolChoice::Auto) => (auto, Vec::new()),
            Some(ToolChoice::None) => ("NONE", Vec::new()),
            Some(ToolChoice::Required) if held => (auto, Vec::new()),
            Some(ToolChoice::Required) => ("ANY", Vec::new()),
            Some(ToolChoice::Named(name)) => {
                (if held { "VALIDATED" } else { "ANY" }, vec![self.names.sent(name)])
            }
            Some(ToolChoice::Among { names, required }) => {
                let mode = if *required && !held { "ANY" } else { "VALIDATED" };
                (mode, names.iter().map(|name| self.names.sent(name)).collect())
            }
        };
        Ok(Some(ToolConfig {
            function_calling_config: FunctionCallingConfig { mode, allowed_function_names: names },
        }))
    }

    /// That the tools to be used are on offer.
    fn check_choice(&self, choice: &ToolChoice) -> Result<(), ModelError> {
        let named: &[String] = match choice {
            ToolChoice::Named(name) => std::slice::from_ref(name),
            ToolChoice::Among { names, .. } => names,
            ToolChoice::Required if self.request.tools.is_empty() => {
                return Err(ModelError::invalid(
                    "tool_choice",
                    "a tool is required, but none is on offer",
                ));
            }
            ToolChoice::Required | ToolChoice::Auto | ToolChoice::None => &[],
        };
        let offered = |name: &&String| self.request.tools.iter().any(|tool| tool.name == **name);
        match named.iter().find(|name| !offered(name)) {
            Some(name) => {
                let message = format!("no tool on offer is named `{name}`");
                Err(ModelError::invalid("tool_choice", message))
            }
            None => Ok(()),
        }
    }
}
