//! Writes requests.
//!
//! `contents` writes the conversation (`turns` puts neighbours together, `signatures` puts state back onto its
//! parts, `results` pairs results with calls, `media` writes pictures and documents), `tools` the tools (with
//! `names` and `schema`), `config` the rest (with `thinking`). `field` says what the caller calls a member.

use std::collections::BTreeMap;

use systemprompt_core::llm::{
    BlockKind, ErrorKind, LossKind, LossReport, ModelError, ModelRequest,
};

pub(super) use self::body::Body;
use self::field::Fields;
use self::names::Names;
use crate::dialect::Target;

mod body;
mod config;
mod contents;
mod field;
mod media;
mod names;
mod results;
mod schema;
mod signatures;
mod thinking;
mod tools;
mod turns;

/// A request as it is written.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) body: Body,
    pub(super) losses: LossReport,
    pub(super) tool_names: BTreeMap<String, String>,
}

impl Encoded {
    /// The JSON of the body.
    pub(super) fn json(&self) -> Result<Vec<u8>, ModelError> {
        json(&self.body)
    }
}

/// The JSON of `value`.
pub(super) fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(value).map_err(|error| {
        ModelError::new(
            ErrorKind::InvalidRequest,
            format!("the request cannot be written: {error}"),
        )
    })
}

/// What the parts of the encoder share.
struct Encoder<'a> {
    request: &'a ModelRequest,
    to: &'a Target<'a>,
    fields: Fields,
    names: Names,
    losses: LossReport,
}

impl Encoder<'_> {
    fn lose(&mut self, field: impl Into<String>, what: LossKind) {
        self.losses.note(field, what);
    }
}

/// Writes `request` for `to`.
pub(super) fn encode(request: &ModelRequest, to: &Target<'_>) -> Result<Encoded, ModelError> {
    let fields = Fields::of(request);
    let mut encoder = Encoder {
        request,
        to,
        names: Names::of(request, &fields)?,
        fields,
        losses: LossReport::default(),
    };
    let body = Body {
        model: None,
        contents: encoder.contents()?,
        system_instruction: encoder.system(),
        tools: encoder.tools()?,
        tool_config: encoder.tool_config()?,
        generation_config: encoder.generation_config()?,
        service_tier: encoder.service_tier(),
    };
    encoder.rest()?;
    let tool_names = encoder.names.into_changed();
    Ok(Encoded { body, losses: encoder.losses, tool_names })
}

impl Encoder<'_> {
    /// The instructions before the conversation.
    fn system(&mut self) -> Option<body::Content> {
        let mut parts = Vec::new();
        for (at, block) in self.request.system.iter().enumerate() {
            let field = self.fields.system(at);
            if block.cache.is_some() {
                self.lose(self.fields.cache(&field), LossKind::Hint);
            }
            match &block.kind {
                BlockKind::Text { text } if text.is_empty() => {}
                BlockKind::Text { text } => parts.push(body::Part::text(text)),
                _ => self.lose(field, LossKind::Dropped),
            }
        }
        (!parts.is_empty()).then_some(body::Content { role: None, parts })
    }

    /// The members that have no word in the canonical form: none of them is of this wire.
    fn rest(&mut self) -> Result<(), ModelError> {
        for (name, value) in &self.request.rest {
            let what = match name.as_str() {
                "n" | "candidate_count" if value.as_u64() == Some(1) => continue,
                "n" | "candidate_count" => {
                    return Err(ModelError::invalid(name, "one answer is given, not several"));
                }
                // Without the state they stand for, the conversation would be another one.
                "previous_response_id" | "conversation" | "prompt" if !value.is_null() => {
                    return Err(ModelError::invalid(
                        name,
                        format!("`{name}` refers to what this provider does not keep"),
                    ));
                }
                _ if value.is_null() => continue,
                "metadata"
                | "store"
                | "cache_control"
                | "prompt_cache_key"
                | "inference_geo"
                | "prompt_cache_options"
                | "prompt_cache_retention"
                | "safety_identifier"
                | "speed" => LossKind::Hint,
                _ => LossKind::Dropped,
            };
            self.losses.note(name, what);
        }
        Ok(())
    }
}
