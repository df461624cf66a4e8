use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Block, BlockKind, Dialect, LossKind, LossReport, ModelError, ModelRequest, OutputFormat, Role,
    ToolChoice, ToolKind,
};

use super::fields::Fields;
use super::items::{self, mark_name};
use super::names::Names;
use super::{part, reasoning, tools};
use crate::dialect::{Target, UpstreamRequest, forces_a_tool};

/// The least `max_output_tokens` that OpenAI takes.
const LEAST_OUTPUT: u64 = 16;

/// Members that Chat and Responses have in common.
const OF_OPENAI: [&str; 5] = [
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "moderation",
];

/// Writes a request.
pub(in super::super) fn encode(
    request: &ModelRequest,
    to: &Target<'_>,
) -> Result<UpstreamRequest, ModelError> {
    Ok(body(request, to)?.sent_to("/v1/responses"))
}

/// The body of a request, with what goes with it.
pub(super) struct Written {
    pub(super) members: Map<String, Value>,
    losses: LossReport,
    tool_names: BTreeMap<String, String>,
}

impl Written {
    pub(super) fn sent_to(self, path: &str) -> UpstreamRequest {
        UpstreamRequest {
            path: path.to_owned(),
            headers: Vec::new(),
            body: Value::Object(self.members).to_string().into(),
            losses: self.losses,
            tool_names: self.tool_names,
        }
    }
}

/// Writes the body of a request.
pub(super) fn body(request: &ModelRequest, to: &Target<'_>) -> Result<Written, ModelError> {
    refuse(request)?;
    let names = Names::of(request);
    let mut losses = LossReport::default();
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(to.model));
    let stored = request.rest.get("store").and_then(Value::as_bool).unwrap_or(false)
        && matches!(request.dialect, Dialect::Responses | Dialect::Chat);

    let mut input = system(request, to, &mut body, &mut losses);
    input.extend(items::encode(request, to, &names, stored, &mut losses));
    body.insert("input".to_owned(), Value::Array(input));
    note_prefill(request, &mut losses);
    tools(request, to, &names, &mut body, &mut losses);
    limits(request, to, &mut body, &mut losses);
    if let Some(said) = reasoning::encode(request, to.capabilities, &mut losses) {
        body.insert("reasoning".to_owned(), Value::Object(said));
    }
    body.extend(text(request).map(|text| ("text".to_owned(), text)));
    tier(request, &mut body, &mut losses);
    if request.stream {
        body.insert("stream".to_owned(), json!(true));
    }
    rest(request, &mut body, &mut losses);
    keep(to, stored, &mut body);
    Ok(Written { members: body, losses, tool_names: names.into_sent() })
}

/// What no answer of this wire can be an answer to.
fn refuse(request: &ModelRequest) -> Result<(), ModelError> {
    let own = request.dialect == Dialect::Responses;
    let server = request.tools.iter().position(|tool| matches!(tool.kind, ToolKind::Server { .. }));
    if let Some((at, tool)) = server.and_then(|at| Some((at, request.tools.get(at)?)))
        && !own
    {
        let message = format!(
            "`tools.{at}` (`{}`) is run by its own provider, and this model is served by another",
            tool.name
        );
        return Err(ModelError::invalid(format!("tools.{at}"), message)
            .with_code("unsupported_server_tool"));
    }
    for name in ["web_search_options", "mcp_servers"] {
        if !own && request.rest.contains_key(name) {
            let message = format!("`{name}` is run by its own provider, and this model is not");
            return Err(ModelError::invalid(name, message).with_code("unsupported_server_tool"));
        }
    }
    if !own && request.rest.get("n").and_then(Value::as_u64).is_some_and(|n| n > 1) {
        return Err(ModelError::invalid("n", "`n` must be 1: this model gives one answer"));
    }
    Ok(())
}

/// Writes the instructions: as `instructions`, or, to mark where they are cached, as a message.
fn system(
    request: &ModelRequest,
    to: &Target<'_>,
    body: &mut Map<String, Value>,
    losses: &mut LossReport,
) -> Vec<Value> {
    let marked = request.system.iter().any(|block| block.cache.is_some());
    let marks = marked && to.capabilities.cache_breakpoints;
    let mut parts = Vec::new();
    let mut texts = Vec::new();
    for (at, block) in request.system.iter().enumerate() {
        let path = match request.dialect {
            Dialect::Anthropic => format!("system.{at}"),
            Dialect::Chat => format!("messages.{at}"),
            Dialect::Responses => "instructions".to_owned(),
            Dialect::Gemini => format!("systemInstruction.parts.{at}"),
        };
        let Some(text) = system_text(block) else {
            losses.note(path, LossKind::Dropped);
            continue;
        };
        if block.cache.is_some() && !marks {
            losses.note(format!("{path}.{}", mark_name(request.dialect)), LossKind::Hint);
        }
        if text.is_empty() {
            continue;
        }
        if marks {
            let mut part = json!({ "type": "input_text", "text": text });
            if let Some(cache) = block.cache {
                part::mark(&mut part, cache);
            }
            parts.push(part);
        } else {
            texts.push(text);
        }
    }
    if !texts.is_empty() {
        body.insert("instructions".to_owned(), json!(texts.join("\n\n")));
    }
    if parts.is_empty() {
        return Vec::new();
    }
    vec![json!({ "type": "message", "role": "system", "content": parts })]
}

fn system_text(block: &Block) -> Option<&str> {
    match &block.kind {
        BlockKind::Text { text } => Some(text),
        _ => None,
    }
}

/// The wire cannot go on with an answer that the caller began; the model begins another.
fn note_prefill(request: &ModelRequest, losses: &mut LossReport) {
    let Some(last) = request.messages.last() else { return };
    let text = last.content.last().map(|block| &block.kind);
    if request.dialect != Dialect::Responses
        && last.role == Role::Assistant
        && matches!(text, Some(BlockKind::Text { .. }))
    {
        losses.note(format!("messages.{}", request.messages.len() - 1), LossKind::Degraded);
    }
}

fn tools(
    request: &ModelRequest,
    to: &Target<'_>,
    names: &Names,
    body: &mut Map<String, Value>,
    losses: &mut LossReport,
) {
    if !request.tools.is_empty() {
        // Nothing said means strict here, and not strict everywhere else.
        let strict = (request.dialect != Dialect::Responses).then_some(false);
        let mut said = Vec::new();
        for (at, tool) in request.tools.iter().enumerate() {
            said.push(tools::encode_tool(tool, names.tool(&tool.name), strict));
            if tool.cache.is_some() {
                let mark = mark_name(request.dialect);
                losses.note(format!("tools.{at}.{mark}"), LossKind::Hint);
            }
        }
        body.insert("tools".to_owned(), Value::Array(said));
        if let Some(parallel) = request.parallel_tool_calls {
            body.insert("parallel_tool_calls".to_owned(), json!(parallel));
        }
    }
    let Some(choice) = &request.tool_choice else { return };
    if request.tools.is_empty() && !forces_a_tool(choice) {
        return;
    }
    let mut said = tools::encode_choice(choice, &request.tools, |name| names.tool(name));
    if forces_a_tool(choice) && !to.capabilities.forced_tool_choice {
        losses.note("tool_choice", LossKind::Degraded);
        match &mut said {
            Value::Object(members) if matches!(choice, ToolChoice::Among { .. }) => {
                members.insert("mode".to_owned(), json!("auto"));
            }
            said => *said = json!("auto"),
        }
    }
    body.insert("tool_choice".to_owned(), said);
}

fn limits(
    request: &ModelRequest,
    to: &Target<'_>,
    body: &mut Map<String, Value>,
    losses: &mut LossReport,
) {
    let field = Fields::of(request.dialect);
    if let Some(asked) = request.max_output_tokens {
        let most = to.capabilities.max_output.unwrap_or(u64::MAX).max(LEAST_OUTPUT);
        let given = asked.clamp(LEAST_OUTPUT, most);
        if given != asked {
            losses.note(field.max_output, LossKind::Clamped);
        }
        body.insert("max_output_tokens".to_owned(), json!(given));
    }
    if !request.stop_sequences.is_empty() {
        losses.note(field.stop, LossKind::Dropped);
    }
    let sampling = &request.sampling;
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        match value {
            Some(value) if to.capabilities.sampling => {
                body.insert(name.to_owned(), json!(value));
            }
            Some(_) => losses.note(name, LossKind::Dropped),
            None => {}
        }
    }
    let unsaid = [
        ("top_k", sampling.top_k.is_some()),
        ("seed", sampling.seed.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
    ];
    for (name, _) in unsaid.into_iter().filter(|(_, said)| *said) {
        losses.note(name, LossKind::Dropped);
    }
}

/// Writes `text`, or `None` where nothing is to be said.
pub(in super::super) fn text(request: &ModelRequest) -> Option<Value> {
    let mut said = Map::new();
    if let Some(format) = format(&request.output) {
        said.insert("format".to_owned(), format);
    }
    if let Some(verbosity) = &request.verbosity {
        said.insert("verbosity".to_owned(), json!(verbosity));
    }
    (!said.is_empty()).then_some(Value::Object(said))
}

fn format(output: &OutputFormat) -> Option<Value> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::JsonObject => Some(json!({ "type": "json_object" })),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            let name = name.as_deref().unwrap_or("answer");
            let mut format = json!({ "type": "json_schema", "name": name, "schema": schema });
            if let Value::Object(format) = &mut format {
                if let Some(description) = description {
                    format.insert("description".to_owned(), json!(description));
                }
                if let Some(strict) = strict {
                    format.insert("strict".to_owned(), json!(strict));
                }
            }
            Some(format)
        }
    }
}

fn tier(request: &ModelRequest, body: &mut Map<String, Value>, losses: &mut LossReport) {
    let Some(tier) = request.service_tier.as_deref() else { return };
    let said = match (request.dialect, tier) {
        (Dialect::Responses | Dialect::Chat, tier) => tier,
        (_, "auto") => "auto",
        (Dialect::Anthropic, "standard_only") => "default",
        _ => {
            losses.note("service_tier", LossKind::Hint);
            return;
        }
    };
    body.insert("service_tier".to_owned(), json!(said));
}

/// Writes what has no word in the canonical form: back to its place where it was said in this dialect.
fn rest(request: &ModelRequest, body: &mut Map<String, Value>, losses: &mut LossReport) {
    for (path, value) in &request.rest {
        let said = match request.dialect {
            Dialect::Responses => set(body, path, value),
            Dialect::Chat if OF_OPENAI.contains(&path.as_str()) => set(body, path, value),
            Dialect::Chat if path == "store" => true,
            Dialect::Anthropic | Dialect::Chat | Dialect::Gemini => false,
        };
        if !said {
            let hint = ["metadata", "prompt_cache_key", "diagnostics", "cache_control"];
            let hint = hint.contains(&path.as_str());
            losses.note(path, if hint { LossKind::Hint } else { LossKind::Dropped });
        }
    }
}

/// Puts `value` at `path`, whose steps but the last must be there already or be `reasoning` or `text`.
fn set(body: &mut Map<String, Value>, path: &str, value: &Value) -> bool {
    let Some((first, others)) = path.split_once('.') else {
        body.entry(path).or_insert_with(|| value.clone());
        return true;
    };
    if first == "input" {
        return false;
    }
    if (first == "reasoning" || first == "text") && !body.contains_key(first) {
        body.insert(first.to_owned(), json!({}));
    }
    let Some(mut at) = body.get_mut(first) else { return false };
    let mut steps = others.split('.').peekable();
    while let Some(step) = steps.next() {
        if steps.peek().is_none() {
            let Value::Object(members) = at else { return false };
            members.entry(step).or_insert_with(|| value.clone());
            return true;
        }
        let next = match at {
            Value::Array(values) => {
                step.parse::<usize>().ok().and_then(|number| values.get_mut(number))
            }
            Value::Object(members) => members.get_mut(step),
            _ => None,
        };
        let Some(next) = next else { return false };
        at = next;
    }
    false
}

/// Nothing is kept at the provider unless the caller says so; its reasoning comes along instead.
fn keep(to: &Target<'_>, stored: bool, body: &mut Map<String, Value>) {
    const REASONING: &str = "reasoning.encrypted_content";
    body.insert("store".to_owned(), json!(stored));
    // Models that do not think refuse to be asked for it.
    if stored || !to.capabilities.thinks {
        return;
    }
    let include = body.entry("include").or_insert_with(|| json!([]));
    if let Value::Array(include) = include
        && !include.iter().any(|name| name == REASONING)
    {
        include.push(json!(REASONING));
    }
}
