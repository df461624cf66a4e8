//! Writes a request.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::field::Field;
use super::super::json::{ObjectOut, raw};
use super::super::names::Names;
use super::super::{VERSION_2023, VERSION_2026};
use super::block_out::Writer;
use super::cache::Marks;
use super::schema;
use super::thinking::{Plan, Thinking, plan};
use super::turns::{Takes, Turn, calls_without_thinking, turns};
use crate::canonical::{
    Block, BlockKind, Dialect, LossKind, LossReport, ModelError, ModelRequest, OutputFormat, Role,
    Sampling, ToolKind,
};
use crate::dialect::{Target, UpstreamRequest, forces_a_tool};

/// What is asked for where any JSON object is wanted, which this wire has no word for.
const JSON_ONLY: &str = "Answer with one JSON object and nothing else.";

/// Members of OpenAI that change no meaning where they are left out.
const HINTS: [&str; 9] = [
    "include",
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "store",
    "truncation",
    "user",
];

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

/// Refuses what would be another request if it were left out.
fn refuse(request: &ModelRequest) -> Result<(), ModelError> {
    if request.dialect == Dialect::Anthropic {
        return Ok(());
    }
    for name in ["n", "candidateCount"] {
        if request.rest.get(name).and_then(Value::as_u64).is_some_and(|count| count > 1) {
            let message = format!("`{name}` must be 1: this model gives one answer");
            return Err(ModelError::invalid(name, message).with_code("unsupported_value"));
        }
    }
    for name in ["previous_response_id", "conversation", "prompt"] {
        if request.rest.get(name).is_some_and(|value| !value.is_null()) {
            let message =
                format!("`{name}` names what is kept elsewhere; send the whole conversation");
            return Err(ModelError::invalid(name, message).with_code("unsupported_value"));
        }
    }
    Ok(())
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

/// The members that only this wire has, by path.
fn extras(request: &ModelRequest) -> BTreeMap<&str, &Value> {
    if request.dialect != Dialect::Anthropic {
        return BTreeMap::new();
    }
    request.rest.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

/// The sampling that is sent, and the version of the API that takes it.
fn sampling(
    request: &ModelRequest,
    to: &Target<'_>,
    plan: &Plan,
    claude: bool,
    losses: &mut LossReport,
) -> (Sampling, String) {
    let dialect = request.dialect;
    let mut sampling = request.sampling;
    let unit = |value: &mut Option<f64>, field: Field, losses: &mut LossReport| {
        if let Some(value) = value
            && !(0.0..=1.0).contains(value)
        {
            *value = value.clamp(0.0, 1.0);
            losses.note(field.of(dialect), LossKind::Clamped);
        }
    };
    for (said, field) in [
        (sampling.seed.take().is_some(), Field::Seed),
        (sampling.presence_penalty.take().is_some(), Field::PresencePenalty),
        (sampling.frequency_penalty.take().is_some(), Field::FrequencyPenalty),
    ] {
        if said {
            losses.note(field.of(dialect), LossKind::Dropped);
        }
    }
    let pinned = to.flags.version.clone();
    let old = pinned.as_deref().is_none_or(|version| version < VERSION_2026);
    // A model that thinks takes no sampling beside it.
    let taken = to.capabilities.sampling && old && (dialect == Dialect::Anthropic || !plan.is_on());
    if taken {
        unit(&mut sampling.temperature, Field::Temperature, losses);
        unit(&mut sampling.top_p, Field::TopP, losses);
        if claude && dialect != Dialect::Anthropic && sampling.temperature.is_some() {
            // Claude takes one of the two.
            if let Some(top_p) = sampling.top_p.take() {
                let what = if top_p < 1.0 { LossKind::Dropped } else { LossKind::Hint };
                losses.note(Field::TopP.of(dialect), what);
            }
        }
    } else {
        for (said, field) in [
            (sampling.temperature.take().is_some(), Field::Temperature),
            (sampling.top_p.take().is_some(), Field::TopP),
            (sampling.top_k.take().is_some(), Field::TopK),
        ] {
            if said {
                losses.note(field.of(dialect), LossKind::Dropped);
            }
        }
    }
    let survives = sampling != Sampling::default();
    let version = if survives { VERSION_2023 } else { VERSION_2026 };
    (sampling, pinned.unwrap_or_else(|| version.to_owned()))
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

    /// Puts the members back that only this wire has, or notes those of another.
    fn rest(&mut self, body: &mut ObjectOut) {
        let request = self.request;
        if !self.native() {
            for (name, value) in &request.rest {
                let hint = HINTS.contains(&name.as_str()) || is_default(name, value);
                self.losses.note(name, if hint { LossKind::Hint } else { LossKind::Dropped });
            }
            return;
        }
        let metadata = self.extras("metadata");
        if !metadata.is_empty() {
            let mut object = ObjectOut::default();
            for (name, value) in metadata {
                object.put(name, value);
            }
            body.put("metadata", object);
        }
        for (name, value) in &request.rest {
            match name.as_str() {
                "cache_control" if !self.target.flags.cache_ttl => {
                    body.put_new(name, self.without_ttl(value));
                }
                name if is_inside(name) => {}
                name => body.put_new(name, value),
            }
        }
    }

    fn without_ttl(&mut self, mark: &Value) -> Value {
        let mut mark = mark.clone();
        if mark.as_object_mut().and_then(|mark| mark.remove("ttl")).is_some() {
            self.losses.note("cache_control.ttl", LossKind::Hint);
        }
        mark
    }
}

/// Whether a member that was kept by its path stands inside of another.
fn is_inside(name: &str) -> bool {
    const PARENTS: [&str; 7] =
        ["messages", "metadata", "output_config", "system", "thinking", "tool_choice", "tools"];
    name.split_once('.').is_some_and(|(parent, _)| PARENTS.contains(&parent))
}

/// Whether a member says what is done anyway.
fn is_default(name: &str, value: &Value) -> bool {
    match name {
        "n" | "candidateCount" => value.as_u64() == Some(1),
        "logprobs" | "background" => *value == Value::Bool(false),
        "top_logprobs" => value.as_u64() == Some(0),
        "logit_bias" => value.as_object().is_some_and(serde_json::Map::is_empty),
        _ => value.is_null(),
    }
}

/// Whether a model is one of Anthropic's, here or at another provider.
fn is_claude(model: &str) -> bool {
    model.to_ascii_lowercase().contains("claude")
}

/// Whether a model takes instructions between turns: Claude Opus 4.8 and what came after it, on the API of
/// Anthropic itself.
fn takes_instructions(model: &str) -> bool {
    const BEFORE: [&str; 7] = [
        "claude-1",
        "claude-2",
        "claude-3",
        "claude-4",
        "claude-haiku-4",
        "claude-instant",
        "claude-sonnet-4",
    ];
    if !model.starts_with("claude-") || model.contains('@') {
        return false;
    }
    if BEFORE.iter().any(|before| model.starts_with(before)) {
        return false;
    }
    if let Some(rest) = model.strip_prefix("claude-opus-4") {
        let minor = rest.trim_start_matches('-').split('-').next().unwrap_or_default();
        return matches!(minor.parse::<u32>(), Ok(8..=99));
    }
    if let Some(rest) = model.strip_prefix("claude-sonnet-5") {
        let minor = rest.trim_start_matches('-').split('-').next().unwrap_or_default();
        return matches!(minor.parse::<u32>(), Ok(1..=99));
    }
    true
}
