//! The members of a request that say how to answer, written.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Dialect, Effort, LossKind, ModelError, OutputFormat, Reasoning, ReasoningMode,
};

use super::encode::Writer;
use super::paths::Member;

/// OpenAI takes no more stop sequences.
const STOPS: usize = 4;

pub(super) fn write(
    writer: &mut Writer<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), ModelError> {
    limit(writer, body)?;
    stop(writer, body);
    sampling(writer, body);
    reasoning(writer, body);
    output(writer, body);
    if let Some(verbosity) = &writer.request.verbosity {
        body.insert("verbosity".to_owned(), json!(verbosity));
    }
    if let Some(tier) = &writer.request.service_tier {
        if matches!(writer.request.dialect, Dialect::Chat | Dialect::Responses) {
            body.insert("service_tier".to_owned(), json!(tier));
        } else {
            writer.losses.note("service_tier", LossKind::Hint);
        }
    }
    Ok(())
}

fn limit(writer: &mut Writer<'_>, body: &mut Map<String, Value>) -> Result<(), ModelError> {
    let Some(asked) = writer.request.max_output_tokens else { return Ok(()) };
    let field = writer.paths.member(Member::Limit);
    if asked == 0 {
        return Err(ModelError::invalid(
            field,
            format!(
                "`{field}` must be at least 1: this provider does not warm its cache on request"
            ),
        ));
    }
    let most = writer.to.capabilities.max_output.unwrap_or(u64::MAX);
    if asked > most {
        writer.losses.note(field, LossKind::Clamped);
    }
    let name =
        if writer.to.flags.max_completion_tokens { "max_completion_tokens" } else { "max_tokens" };
    body.insert(name.to_owned(), json!(asked.min(most)));
    Ok(())
}

fn stop(writer: &mut Writer<'_>, body: &mut Map<String, Value>) {
    let stops = &writer.request.stop_sequences;
    if stops.is_empty() {
        return;
    }
    if stops.len() > STOPS && writer.request.dialect != Dialect::Chat {
        let field = writer.paths.member(Member::Stop);
        writer.losses.note(format!("{field}.{STOPS}"), LossKind::Dropped);
        body.insert("stop".to_owned(), json!(stops.get(..STOPS)));
    } else {
        body.insert("stop".to_owned(), json!(stops));
    }
}

fn sampling(writer: &mut Writer<'_>, body: &mut Map<String, Value>) {
    let sampling = writer.request.sampling;
    let takes = writer.to.capabilities.sampling;
    let Writer { losses, paths, .. } = writer;
    let mut send = |name: &str, field: &'static str, value: Option<Value>, sendable: bool| {
        let Some(value) = value else { return };
        if sendable {
            body.insert(name.to_owned(), value);
        } else {
            losses.note(field, LossKind::Dropped);
        }
    };
    let temperature = sampling.temperature.map(|value| value.clamp(0.0, 2.0));
    send("temperature", paths.member(Member::Temperature), temperature.map(|v| json!(v)), takes);
    send("top_p", paths.member(Member::TopP), sampling.top_p.map(|v| json!(v)), takes);
    // OpenAI refuses it; a caller of this wire knows whom it asks.
    let top_k = takes && writer.request.dialect == Dialect::Chat;
    send("top_k", paths.member(Member::TopK), sampling.top_k.map(|v| json!(v)), top_k);
    send("seed", "seed", sampling.seed.map(|v| json!(v)), true);
    let presence = sampling.presence_penalty.map(|v| json!(v));
    send("presence_penalty", "presence_penalty", presence, true);
    let frequency = sampling.frequency_penalty.map(|v| json!(v));
    send("frequency_penalty", "frequency_penalty", frequency, true);
    if takes && temperature != sampling.temperature {
        losses.note(paths.member(Member::Temperature), LossKind::Clamped);
    }
}

/// `reasoning_effort`: one word, never together with another that says the opposite.
fn reasoning(writer: &mut Writer<'_>, body: &mut Map<String, Value>) {
    let Some(asked) = &writer.request.reasoning else { return };
    let field = |member| writer.paths.member(member);
    let (caps, losses) = (writer.to.capabilities, &mut writer.losses);
    if asked.summary.is_some() {
        losses.note(field(Member::Summary), LossKind::Hint);
    }
    let off = asked.mode == Some(ReasoningMode::Disabled) || asked.effort == Some(Effort::None);
    if !caps.thinks {
        if !off {
            losses.note(field(Member::Thinking), LossKind::Dropped);
        }
        return;
    }
    if off && caps.always_thinks {
        losses.note(field(Member::Thinking), LossKind::Dropped);
        return;
    }
    let effort = if off { Some(Effort::None) } else { asked.effort.or_else(|| by_budget(asked)) };
    if asked.effort.is_none() && !off && asked.budget_tokens.is_some() {
        losses.note(field(Member::Budget), LossKind::Degraded);
    } else if asked.budget_tokens.is_some() && !off {
        losses.note(field(Member::Budget), LossKind::Hint);
    }
    if let Some(effort) = effort {
        body.insert("reasoning_effort".to_owned(), json!(effort.as_str()));
    }
}

/// The effort nearest to a number of tokens. Only the three words that every server knows.
fn by_budget(asked: &Reasoning) -> Option<Effort> {
    asked.budget_tokens.map(|tokens| match tokens {
        0..=4_095 => Effort::Low,
        4_096..=16_383 => Effort::Medium,
        _ => Effort::High,
    })
}

fn output(writer: &mut Writer<'_>, body: &mut Map<String, Value>) {
    let format = match &writer.request.output {
        OutputFormat::Text => return,
        OutputFormat::JsonObject => json!({"type": "json_object"}),
        OutputFormat::JsonSchema { name, description, schema, strict } => {
            let mut inner = Map::new();
            inner.insert("name".to_owned(), json!(schema_name(name.as_deref())));
            inner.insert("schema".to_owned(), schema.clone());
            if let Some(description) = description {
                inner.insert("description".to_owned(), json!(description));
            }
            let strict = strict.or_else(|| wants_strict(writer, schema));
            if let Some(strict) = strict {
                inner.insert("strict".to_owned(), json!(strict));
            }
            json!({"type": "json_schema", "json_schema": inner})
        }
    };
    body.insert("response_format".to_owned(), format);
}

/// Anthropic holds its models to the schema without being asked. OpenAI does so only when asked, and then takes
/// only schemas that name all properties as required and allow no others.
fn wants_strict(writer: &mut Writer<'_>, schema: &Value) -> Option<bool> {
    if writer.request.dialect != Dialect::Anthropic {
        return None;
    }
    if is_closed(schema) {
        return Some(true);
    }
    writer.losses.note(writer.paths.member(Member::Output), LossKind::Degraded);
    None
}

/// Whether every object in a schema is closed and requires all it names.
fn is_closed(schema: &Value) -> bool {
    let Value::Object(map) = schema else { return true };
    let is_object = map.get("type").and_then(Value::as_str) == Some("object");
    if is_object || map.contains_key("properties") {
        let closed = map.get("additionalProperties") == Some(&Value::Bool(false));
        let names = map.get("properties").and_then(Value::as_object);
        let required = map.get("required").and_then(Value::as_array).into_iter().flatten();
        let required: HashSet<&str> = required.filter_map(Value::as_str).collect();
        let all =
            names.is_none_or(|names| names.keys().all(|name| required.contains(name.as_str())));
        if !closed || !all {
            return false;
        }
    }
    map.iter().all(|(word, value)| match word.as_str() {
        "properties" | "$defs" | "definitions" => {
            value.as_object().is_none_or(|map| map.values().all(is_closed))
        }
        "anyOf" | "allOf" | "oneOf" | "prefixItems" => {
            value.as_array().is_none_or(|list| list.iter().all(is_closed))
        }
        "items" => is_closed(value),
        _ => true,
    })
}

/// OpenAI asks for a name of `^[A-Za-z0-9_-]{1,64}$`.
fn schema_name(name: Option<&str>) -> String {
    let name: String = name
        .unwrap_or_default()
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .collect();
    if name.is_empty() { "answer".to_owned() } else { name }
}
