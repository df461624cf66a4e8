//! Writes content blocks.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::Value;
use systemprompt_core::llm::{
    Block, BlockKind, Dialect, LossKind, LossReport, ModelError, ModelRequest, OpaqueState, Role,
    ToolInput,
};

use super::super::json::ObjectOut;
use super::super::names::{Names, TEXT_ARGUMENT};
use super::cache::Marks;
use super::turns::{NO_RESULT, Part};
use crate::dialect::Target;

/// Writes the blocks of one request.
pub(super) struct Writer<'a> {
    pub(super) request: &'a ModelRequest,
    pub(super) target: &'a Target<'a>,
    /// The members that only this wire has, by path.
    pub(super) extras: BTreeMap<&'a str, &'a Value>,
    pub(super) names: Names,
    pub(super) marks: Marks,
    pub(super) losses: LossReport,
    /// Whether the rules of version 2026-10-21 hold.
    pub(super) strict_version: bool,
    /// Whether the model signs its thoughts.
    pub(super) signs: bool,
}

impl<'a> Writer<'a> {
    /// Whether the request came in this dialect.
    pub(super) fn native(&self) -> bool {
        self.request.dialect == Dialect::Anthropic
    }

    /// The members of the object at `path` that only this wire has.
    pub(super) fn extras(&self, path: &str) -> Vec<(&'a str, &'a Value)> {
        if self.extras.is_empty() {
            return Vec::new();
        }
        let start = format!("{path}.");
        self.extras
            .range::<str, _>((Bound::Included(start.as_str()), Bound::Unbounded))
            .map_while(|(key, value)| {
                let key: &'a str = key;
                Some((key.strip_prefix(start.as_str())?, *value))
            })
            .filter(|(name, _)| !name.contains('.'))
            .collect()
    }

    /// Whether a block is sent at all; notes those that are not.
    pub(super) fn keeps(&self, path: &str, block: &Block, losses: &mut LossReport) -> bool {
        let kept = match &block.kind {
            BlockKind::Text { text } | BlockKind::Refusal { text } if text.trim().is_empty() => {
                if block.cache.is_some() || !text.is_empty() {
                    losses.note(path, LossKind::Hint);
                }
                return false;
            }
            BlockKind::Thinking { state: Some(state), .. } | BlockKind::RedactedThinking(state) => {
                self.reads(state)
            }
            BlockKind::Thinking { text, state: None } => {
                let origin = block.origin.as_ref().and_then(|origin| origin.provider.as_ref());
                let own = origin.is_none_or(|provider| provider == self.target.provider);
                !self.signs && own && !text.is_empty()
            }
            BlockKind::Unknown { .. } => match &block.origin {
                Some(origin) => origin.dialect == Dialect::Anthropic,
                None => self.native(),
            },
            _ => true,
        };
        if !kept {
            losses.note(path, LossKind::Dropped);
        }
        kept
    }

    /// Whether the provider made `state`, as far as can be told.
    fn reads(&self, state: &OpaqueState) -> bool {
        let provider = state.origin.provider.as_ref();
        state.origin.dialect == Dialect::Anthropic
            && provider.is_none_or(|provider| provider == self.target.provider)
    }

    /// Writes a part of a turn. `last` is the end of an answer that the model goes on with.
    pub(super) fn part(
        &mut self,
        role: Role,
        part: &Part<'_>,
        last: bool,
    ) -> Result<ObjectOut, ModelError> {
        match part {
            Part::Block { path, block, .. } if last => self.last(path, block, role),
            Part::Block { path, block, id } => self.block(path, block, role, id.as_deref()),
            Part::Instructions { path, block } => {
                let BlockKind::Text { text } = &block.kind else {
                    return self.block(path, block, role, None);
                };
                let mut object = said(&format!("<system>\n{text}\n</system>"));
                self.mark(&mut object, path, block);
                Ok(object)
            }
            Part::NoResult { id } => {
                let mut object = ObjectOut::of("tool_result");
                object.put("tool_use_id", id);
                object.put("content", NO_RESULT);
                object.put("is_error", true);
                Ok(object)
            }
            Part::Said(text) => Ok(said(text)),
        }
    }

    /// Writes what the model is to go on from; it must not end with white space.
    fn last(&mut self, path: &str, block: &Block, role: Role) -> Result<ObjectOut, ModelError> {
        let BlockKind::Text { text } = &block.kind else {
            return self.block(path, block, role, None);
        };
        if text.trim_end().len() == text.len() {
            return self.block(path, block, role, None);
        }
        self.losses.note(path, LossKind::Hint);
        let trimmed =
            Block { kind: BlockKind::Text { text: text.trim_end().to_owned() }, ..block.clone() };
        self.block(path, &trimmed, role, None)
    }

    /// Writes a block.
    fn block(
        &mut self,
        path: &str,
        block: &Block,
        role: Role,
        id: Option<&str>,
    ) -> Result<ObjectOut, ModelError> {
        let mut object = match &block.kind {
            BlockKind::Text { text } | BlockKind::Refusal { text } => said(text),
            BlockKind::Image(media) => self.image(path, media, role),
            BlockKind::Document(media) => self.document(path, media, role),
            BlockKind::Audio(_) => self.left_out(path, "Sound"),
            BlockKind::ToolUse { name, input, state, .. } => {
                if state.is_some() {
                    self.losses.note(path, LossKind::Dropped);
                }
                self.tool_use(path, name, input, id)?
            }
            BlockKind::ToolResult { content, is_error, .. } => {
                self.tool_result(path, content, *is_error, id)?
            }
            BlockKind::Thinking { text, state } => {
                let mut object = ObjectOut::of("thinking");
                object.put("thinking", text);
                object.put("signature", state.as_ref().map_or("", |state| state.data.as_str()));
                return Ok(self.unmarked(object, path, block));
            }
            BlockKind::RedactedThinking(state) => {
                let mut object = ObjectOut::of("redacted_thinking");
                object.put("data", &state.data);
                return Ok(self.unmarked(object, path, block));
            }
            BlockKind::Unknown { value } => ObjectOut::as_it_stood(value),
        };
        for (name, value) in self.extras(path) {
            if name == "citations" && self.refuses_citations(block, role, value) {
                self.losses.note(format!("{path}.citations"), LossKind::Dropped);
                continue;
            }
            object.put_new(name, value);
        }
        self.mark(&mut object, path, block);
        Ok(object)
    }

    /// The new version refuses citations on texts of the user.
    fn refuses_citations(&self, block: &Block, role: Role, value: &Value) -> bool {
        self.strict_version
            && role == Role::User
            && matches!(block.kind, BlockKind::Text { .. })
            && value.as_array().is_some_and(|citations| !citations.is_empty())
    }

    fn mark(&mut self, object: &mut ObjectOut, path: &str, block: &Block) {
        let extra = if block.cache.is_some() {
            self.extras(&format!("{path}.cache_control"))
        } else {
            Vec::new()
        };
        self.marks.put(object, block.cache, &extra, || path.to_owned(), &mut self.losses);
    }

    /// Thoughts cannot be marked.
    fn unmarked(&mut self, object: ObjectOut, path: &str, block: &Block) -> ObjectOut {
        if block.cache.is_some() {
            self.losses.note(format!("{path}.cache_control"), LossKind::Hint);
        }
        object
    }

    fn tool_use(
        &mut self,
        path: &str,
        name: &str,
        input: &ToolInput,
        id: Option<&str>,
    ) -> Result<ObjectOut, ModelError> {
        let mut object = ObjectOut::of("tool_use");
        object.put("id", id.unwrap_or_default());
        object.put("name", self.names.sent(name, matches!(input, ToolInput::Text(_))));
        match input {
            ToolInput::Json(text) => {
                let raw: Box<serde_json::value::RawValue> =
                    serde_json::from_str(text).map_err(|_| self.no_object(path))?;
                object.put("input", raw);
            }
            ToolInput::Text(text) => {
                let mut argument = ObjectOut::default();
                argument.put(TEXT_ARGUMENT, text);
                object.put("input", argument);
            }
            ToolInput::Broken(_) => return Err(self.no_object(path)),
        }
        Ok(object)
    }

    fn no_object(&self, path: &str) -> ModelError {
        let field = match self.request.dialect {
            Dialect::Anthropic => format!("{path}.input"),
            Dialect::Gemini => format!("{path}.functionCall.args"),
            Dialect::Chat | Dialect::Responses => format!("{path}.arguments"),
        };
        let message = format!("`{field}` must be a JSON object");
        ModelError::invalid(field, message)
    }

    fn tool_result(
        &mut self,
        path: &str,
        content: &[Block],
        is_error: bool,
        id: Option<&str>,
    ) -> Result<ObjectOut, ModelError> {
        let mut object = ObjectOut::of("tool_result");
        object.put("tool_use_id", id.unwrap_or_default());
        let mut parts = Vec::with_capacity(content.len());
        for (at, block) in content.iter().enumerate() {
            let path = format!("{path}.content.{at}");
            let mut losses = std::mem::take(&mut self.losses);
            let kept = self.keeps(&path, block, &mut losses);
            self.losses = losses;
            if kept {
                parts.push(self.block(&path, block, Role::User, None)?);
            }
        }
        if !parts.is_empty() {
            object.put("content", parts);
        }
        if is_error {
            object.put("is_error", true);
        }
        Ok(object)
    }

    /// A text in the place of what the model does not take.
    pub(super) fn left_out(&mut self, path: &str, what: &str) -> ObjectOut {
        self.losses.note(path, LossKind::Degraded);
        said(&format!("({what} stood here, which this model cannot be given.)"))
    }
}

fn said(text: &str) -> ObjectOut {
    let mut object = ObjectOut::of("text");
    object.put("text", text);
    object
}
