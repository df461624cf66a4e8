use std::collections::HashSet;

use serde_json::{Map, Value, json};
use systemprompt_core::llm::{Dialect, LossKind, LossReport, ModelError, ModelRequest, ToolKind};

use super::super::names::{CallIds, ToolNames};
use super::paths::Paths;
use super::{choice, options, turns};
use crate::dialect::{Target, UpstreamRequest};

/// What is needed while a request is written.
pub(super) struct Writer<'a> {
    pub(super) request: &'a ModelRequest,
    pub(super) to: &'a Target<'a>,
    pub(super) paths: Paths,
    pub(super) names: ToolNames,
    pub(super) ids: CallIds,
    /// The names of the tools that take a text.
    pub(super) texts: HashSet<&'a str>,
    pub(super) losses: LossReport,
}

/// Writes a request for `to`.
pub(in super::super) fn encode(
    request: &ModelRequest,
    to: &Target<'_>,
) -> Result<UpstreamRequest, ModelError> {
    let texts = request.tools.iter().filter(|tool| matches!(tool.kind, ToolKind::Text { .. }));
    let texts = texts.map(|tool| tool.name.as_str());
    let mut writer = Writer {
        request,
        to,
        paths: Paths::of(request),
        names: ToolNames::of(request),
        ids: CallIds::of(request),
        texts: texts.collect(),
        losses: LossReport::default(),
    };
    let mut body = Map::new();
    body.insert("model".to_owned(), json!(to.model));
    body.insert("messages".to_owned(), Value::Array(turns::write(&mut writer)?));
    choice::write(&mut writer, &mut body)?;
    options::write(&mut writer, &mut body)?;
    rest(&mut writer, &mut body)?;
    stream(&mut writer, &mut body);
    let body = serde_json::to_vec(&Value::Object(body)).map_err(|error| {
        ModelError::new(systemprompt_core::llm::ErrorKind::Api, error.to_string())
    })?;
    Ok(UpstreamRequest {
        path: "/v1/chat/completions".to_owned(),
        headers: Vec::new(),
        body: body.into(),
        losses: writer.losses,
        tool_names: writer.names.into_changed(),
    })
}

/// Asks for usage, which the gateway counts whether its caller asked for it or not.
fn stream(writer: &mut Writer<'_>, body: &mut Map<String, Value>) {
    if !writer.request.stream {
        return;
    }
    body.insert("stream".to_owned(), json!(true));
    if writer.to.flags.stream_usage {
        let options = body.entry("stream_options").or_insert_with(|| json!({}));
        if let Value::Object(options) = options {
            options.insert("include_usage".to_owned(), json!(true));
        }
    } else {
        body.remove("stream_options");
        if writer.request.stream_usage {
            writer.losses.note("stream_options.include_usage", LossKind::Hint);
        }
    }
}

/// The members without a word in the canonical form. Those of this dialect are sent as they stand; of those of
/// others, the few that mean the same here.
fn rest(writer: &mut Writer<'_>, body: &mut Map<String, Value>) -> Result<(), ModelError> {
    for (name, value) in &writer.request.rest {
        refuse_unsayable(writer.request.dialect, name, value)?;
        match writer.request.dialect {
            // A path into the messages or tools, which were written anew.
            Dialect::Chat if name.contains('.') => writer.losses.note(name, LossKind::Dropped),
            Dialect::Chat => {
                body.entry(name.clone()).or_insert_with(|| value.clone());
            }
            Dialect::Responses if is_shared(name) => {
                body.insert(name.clone(), value.clone());
            }
            _ if is_hint(name) => writer.losses.note(name, LossKind::Hint),
            _ => writer.losses.note(name, LossKind::Dropped),
        }
    }
    Ok(())
}

/// Members whose absence would ask something else.
fn refuse_unsayable(dialect: Dialect, name: &str, value: &Value) -> Result<(), ModelError> {
    let says = match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        _ => true,
    };
    let refused = match dialect {
        Dialect::Chat => false,
        Dialect::Anthropic => name == "mcp_servers",
        Dialect::Responses => {
            matches!(name, "previous_response_id" | "conversation" | "prompt" | "background")
        }
        Dialect::Gemini => name == "cachedContent",
    };
    if refused && says {
        return Err(ModelError::invalid(
            name,
            format!("`{name}` cannot be translated for this provider"),
        )
        .with_code("unsupported_parameter"));
    }
    Ok(())
}

/// Members of Responses that Chat has, too.
fn is_shared(name: &str) -> bool {
    matches!(name, "prompt_cache_key" | "prompt_cache_options" | "prompt_cache_retention")
}

/// Members of other dialects that change no meaning.
fn is_hint(name: &str) -> bool {
    matches!(
        name,
        "metadata"
            | "store"
            | "include"
            | "diagnostics"
            | "cache_control"
            | "labels"
            | "background"
            | "stream_options"
    )
}
