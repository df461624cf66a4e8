//! Writes a request.

use systemprompt_core::llm::{
    Block, BlockKind, Dialect, LossKind, LossReport, ModelError, ModelRequest, OutputFormat, Role,
    Sampling, ToolKind,
};

use super::super::VERSION_2026;
use super::super::field::Field;
use super::super::json::{ObjectOut, raw};
use super::super::names::Names;
use super::block_out::Writer;
use super::cache::Marks;
use super::model::{is_claude, takes_instructions};
use super::rest::{extras, refuse};
use super::sampling::sampling;
use super::schema;
use super::thinking::{Plan, Thinking, plan};
use super::turns::{Takes, Turn, calls_without_thinking, turns};
use crate::dialect::{Target, UpstreamRequest, forces_a_tool};

/// What is asked for where any JSON object is wanted, which this wire has no word for.
const JSON_ONLY: &str = "Answer with one JSON object and nothing else.";

/// Writes a request for an answer, or with `counted` for the number of its tokens.
pub(in super::super) fn encode(
    request: &ModelRequest,
    to: &Target<'_>,
    counted: bool,
) -> Result<UpstreamRequest, ModelError> {
    let mut losses = LossReport::default();
    refuse(request)?;
    let mut plan = plan(request, to.capabilities, &mut losses);
    let signs = is_claude(to.model);
    let takes = Takes { system: takes_instructions(to.model), prefill: to.capabilities.prefill };
    if plan.is_on() && forced(request, to) && request.dialect != Dialect::Anthropic {
        losses.note(Field::Thinking.of(request.dialect), LossKind::Degraded);
        plan.thinking = None;
    }
    let (sampling, version) = sampling(request, to, &plan, signs, &mut losses);
    let mut writer = Writer {
        request,
        target: to,
        extras: extras(request),
        names: names(request, if signs { 128 } else { 64 }),
        marks: Marks::of(request, to.flags.cache_ttl),
        losses: LossReport::default(),
        strict_version: version.as_str() >= VERSION_2026,
        signs,
    };
    let turns = turns(request, takes, &mut losses, |path, role, block, losses| {
        writer.keeps(path, block, losses) && (role != Role::System || is_text(path, block, losses))
    });
    if turns.is_empty() {
        let field = Field::Messages.of(request.dialect);
        let message = format!("`{field}` must have a message that says something");
        return Err(ModelError::invalid(field, message));
    }
    if matches!(plan.thinking, Some(Thinking::Enabled { .. })) && calls_without_thinking(&turns) {
        losses.note(Field::Thinking.of(request.dialect), LossKind::Degraded);
        plan.thinking = None;
    }
    writer.losses = losses;
    let mut body = ObjectOut::default();
    body.put("model", to.model);
    if !counted {
        body.put("max_tokens", plan.max_tokens);
    }
    writer.conversation(&mut body, &turns)?;
    writer.settings(&mut body, &plan, sampling);
    if request.stream && !counted {
        body.put("stream", true);
    }
    writer.rest(&mut body);
    let path = if counted { "/v1/messages/count_tokens" } else { "/v1/messages" };
    Ok(UpstreamRequest {
        path: path.to_owned(),
        headers: vec![("anthropic-version", version)],
        body: raw(&body).get().to_owned().into(),
        losses: writer.losses,
        tool_names: writer.names.into_changed(),
    })
}

fn forced(request: &ModelRequest, to: &Target<'_>) -> bool {
    to.capabilities.forced_tool_choice
        && !request.tools.is_empty()
        && request.tool_choice.as_ref().is_some_and(forces_a_tool)
}

fn is_text(path: &str, block: &Block, losses: &mut LossReport) -> bool {
    let text = matches!(block.kind, BlockKind::Text { .. });
    if !text {
        losses.note(path, LossKind::Dropped);
    }
    text
}

fn names(request: &ModelRequest, limit: usize) -> Names {
    let functions = request.tools.iter().filter(|tool| !matches!(tool.kind, ToolKind::Text { .. }));
    Names::new(limit, functions.map(|tool| tool.name.as_str()))
}

impl Writer<'_> {
    /// Writes instructions, messages and tools. The marks are counted in the order of the prompt.
    fn conversation(&mut self, body: &mut ObjectOut, turns: &[Turn<'_>]) -> Result<(), ModelError> {
        let tools = self.tools()?;
        self.system(body)?;
        let mut messages = Vec::with_capacity(turns.len());
        for (at, turn) in turns.iter().enumerate() {
            let prefill = at + 1 == turns.len() && turn.role == Role::Assistant;
            messages.push(self.message(turn, prefill)?);
        }
        body.put("messages", messages);
        if !tools.is_empty() {
            body.put("tools", tools);
            if let Some(choice) = self.tool_choice()? {
                body.put("tool_choice", choice);
            }
        }
        Ok(())
    }

    fn message(&mut self, turn: &Turn<'_>, prefill: bool) -> Result<ObjectOut, ModelError> {
        let mut content = Vec::with_capacity(turn.parts.len());
        for (at, part) in turn.parts.iter().enumerate() {
            let last = prefill && at + 1 == turn.parts.len();
            content.push(self.part(turn.role, part, last)?);
        }
        let mut message = ObjectOut::default();
        message.put(
            "role",
            match turn.role {
                Role::System => "system",
                Role::User => "user",
                Role::Assistant => "assistant",
            },
        );
        message.put("content", content);
        for at in &turn.messages {
            for (name, value) in self.extras(&format!("messages.{at}")) {
                message.put_new(name, value);
            }
        }
        Ok(message)
    }

    fn system(&mut self, body: &mut ObjectOut) -> Result<(), ModelError> {
        let request = self.request;
        let field = Field::System.of(request.dialect);
        let mut blocks = Vec::with_capacity(request.system.len());
        for (at, block) in request.system.iter().enumerate() {
            let path = format!("{field}.{at}");
            let mut losses = std::mem::take(&mut self.losses);
            let kept = self.keeps(&path, block, &mut losses) && is_text(&path, block, &mut losses);
            self.losses = losses;
            if kept {
                blocks.push(self.part(
                    Role::System,
                    &super::turns::Part::Block { path, block, id: None },
                    false,
                )?);
            }
        }
        if request.output == OutputFormat::JsonObject {
            self.losses.note(Field::Format.of(request.dialect), LossKind::Degraded);
            let mut block = ObjectOut::of("text");
            block.put("text", JSON_ONLY);
            blocks.push(block);
        }
        if !blocks.is_empty() {
            body.put("system", blocks);
        }
        Ok(())
    }

    fn settings(&mut self, body: &mut ObjectOut, plan: &Plan, sampling: Sampling) {
        let request = self.request;
        let dialect = request.dialect;
        self.thinking(body, plan);
        self.output_config(body, plan);
        let mut stops = Vec::with_capacity(request.stop_sequences.len());
        for (at, stop) in request.stop_sequences.iter().enumerate() {
            if stop.trim().is_empty() {
                self.losses.note(format!("{}.{at}", Field::Stop.of(dialect)), LossKind::Dropped);
            } else {
                stops.push(stop);
            }
        }
        if !stops.is_empty() {
            body.put("stop_sequences", stops);
        }
        if let Some(temperature) = sampling.temperature {
            body.put("temperature", temperature);
        }
        if let Some(top_p) = sampling.top_p {
            body.put("top_p", top_p);
        }
        if let Some(top_k) = sampling.top_k {
            body.put("top_k", top_k);
        }
        match request.service_tier.as_deref() {
            Some(tier) if self.native() || tier == "auto" => body.put("service_tier", tier),
            Some(_) => self.losses.note(Field::ServiceTier.of(dialect), LossKind::Hint),
            None => {}
        }
        if request.verbosity.is_some() {
            self.losses.note(Field::Verbosity.of(dialect), LossKind::Hint);
        }
    }

    fn thinking(&mut self, body: &mut ObjectOut, plan: &Plan) {
        let Some(thinking) = plan.thinking else { return };
        let mut object = match thinking {
            Thinking::Enabled { budget } => {
                let mut object = ObjectOut::of("enabled");
                object.put("budget_tokens", budget);
                object
            }
            Thinking::Adaptive => ObjectOut::of("adaptive"),
            Thinking::Disabled => ObjectOut::of("disabled"),
        };
        let summary = self.request.reasoning.as_ref().and_then(|asked| asked.summary.as_deref());
        match summary {
            Some(_) if thinking == Thinking::Disabled => {}
            Some(display @ ("summarized" | "omitted")) => object.put("display", display),
            Some(display) if self.native() => object.put("display", display),
            // What Responses asks for by a summary of any length.
            Some("auto" | "concise" | "detailed") => object.put("display", "summarized"),
            _ => {}
        }
        for (name, value) in self.extras("thinking") {
            object.put_new(name, value);
        }
        body.put("thinking", object);
    }

    fn output_config(&mut self, body: &mut ObjectOut, plan: &Plan) {
        let mut config = ObjectOut::default();
        if let Some(effort) = plan.effort {
            config.put("effort", effort.as_str());
        }
        if let OutputFormat::JsonSchema { schema, description, .. } = &self.request.output {
            let mut schema = schema.clone();
            if !self.native() {
                if let (Some(description), Some(members)) = (description, schema.as_object_mut()) {
                    members.entry("description").or_insert_with(|| description.as_str().into());
                }
                if schema::structured(&mut schema) {
                    self.losses.note(Field::Format.of(self.request.dialect), LossKind::Degraded);
                }
            }
            let mut format = ObjectOut::of("json_schema");
            format.put("schema", schema);
            for (name, value) in self.extras("output_config.format") {
                format.put_new(name, value);
            }
            config.put("format", format);
        }
        for (name, value) in self.extras("output_config") {
            config.put_new(name, value);
        }
        if !config.is_empty() {
            body.put("output_config", config);
        }
    }
}
