use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use systemprompt_core::llm::{Block, BlockKind, LossKind, MediaSource, ModelError};

use super::Encoder;
use super::body::{Content, FunctionResponse, Part};
use super::contents::{Call, Calls, raw};
use super::turns::{Placed, Turn};

/// What a result says, beside its media.
#[derive(Debug, Default)]
struct Said {
    texts: Vec<String>,
    media: Vec<Part>,
}

impl Said {
    /// The object of `functionResponse.response`: an object that the tool wrote as it stood, anything else as its
    /// `output`, or `error` when the tool failed.
    fn response(&self, is_error: bool) -> Box<RawValue> {
        let text = self.texts.join("\n");
        // Read whole, so that what is nested too deep for the wire stays a text.
        let is_object = !is_error && serde_json::from_str::<Map<String, Value>>(&text).is_ok();
        match is_object.then(|| RawValue::from_string(text.clone())) {
            Some(Ok(object)) => object,
            _ => raw(&serde_json::json!({ (if is_error { "error" } else { "output" }): text })),
        }
    }
}

impl<'a> Encoder<'a> {
    /// Writes what the person says: the results of the calls before it in the order of the calls, in a content of
    /// their own, then the rest.
    pub(super) fn user_turn(
        &mut self,
        turn: &Turn<'a>,
        calls: &Calls<'a>,
        contents: &mut Vec<Content>,
    ) -> Result<(), ModelError> {
        let mut others = Vec::new();
        let mut answers: BTreeMap<&str, &Placed<'a>> = BTreeMap::new();
        let mut rest: Vec<&Placed<'a>> = Vec::new();
        for placed in &turn.blocks {
            match &placed.block.kind {
                BlockKind::ToolResult { tool_use_id, .. }
                    if calls.find(tool_use_id).is_some_and(|(_, open)| open)
                        && !answers.contains_key(tool_use_id.as_str()) =>
                {
                    answers.insert(tool_use_id, placed);
                }
                _ => rest.push(placed),
            }
        }
        let mut results = Vec::new();
        for call in calls.open() {
            let answer = answers.get(call.id).copied();
            results.push(Part::response(self.result(call, answer, &mut others)?));
        }
        for placed in rest {
            self.rest_of_turn(placed, calls, &mut others)?;
        }
        for parts in [results, others] {
            if !parts.is_empty() {
                contents.push(Content { role: Some("user"), parts });
            }
        }
        Ok(())
    }

    /// The result of `call`. One that never came, as of a run that was broken off, is an error.
    fn result(
        &mut self,
        call: &Call<'a>,
        answer: Option<&Placed<'a>>,
        others: &mut Vec<Part>,
    ) -> Result<FunctionResponse, ModelError> {
        let (id, name) = (call.id.to_owned(), call.name.clone());
        let Some((placed, content, is_error)) = answer.and_then(parts_of_result) else {
            self.lose(call.field.clone(), LossKind::Degraded);
            let response =
                raw(&serde_json::json!({ "error": "the call was interrupted: it has no result" }));
            return Ok(FunctionResponse { id, name, response, parts: Vec::new() });
        };
        let field = self.fields.block(placed.message, placed.at);
        let mut said = self.said_by_tool(content, &field)?;
        let response = said.response(is_error);
        let mut parts = std::mem::take(&mut said.media);
        if !parts.is_empty() && !self.takes_media_in_results() {
            others.push(Part::text(format!(
                "What the tool `{name}` returned beside its text (call `{id}`):"
            )));
            others.append(&mut parts);
        }
        Ok(FunctionResponse { id, name, response, parts })
    }

    /// A text, a medium, or a result that stands where the wire takes none.
    fn rest_of_turn(
        &mut self,
        placed: &Placed<'a>,
        calls: &Calls<'a>,
        others: &mut Vec<Part>,
    ) -> Result<(), ModelError> {
        let field = self.fields.block(placed.message, placed.at);
        let BlockKind::ToolResult { tool_use_id, content, is_error } = &placed.block.kind else {
            others.push(self.said(placed, &field)?);
            return Ok(());
        };
        let Some((call, _)) = calls.find(tool_use_id) else {
            return Err(ModelError::invalid(
                format!("{field}.tool_use_id"),
                format!("no call before it has the id `{tool_use_id}`"),
            ));
        };
        // The wire pairs results with the calls right before them; a late or a second one is told in words.
        self.lose(field.clone(), LossKind::Degraded);
        let said = self.said_by_tool(content, &field)?;
        let what = if *is_error { "error" } else { "result" };
        others.push(Part::text(format!(
            "A further {what} of the tool `{}` (call `{tool_use_id}`):\n{}",
            call.name,
            said.texts.join("\n")
        )));
        others.extend(said.media);
        Ok(())
    }

    fn said_by_tool(&mut self, content: &[Block], field: &str) -> Result<Said, ModelError> {
        let mut said = Said::default();
        for (at, block) in content.iter().enumerate() {
            let field = format!("{field}.content.{at}");
            if block.cache.is_some() {
                self.lose(self.fields.cache(&field), LossKind::Hint);
            }
            match &block.kind {
                BlockKind::Text { text } | BlockKind::Refusal { text } => {
                    said.texts.push(text.clone())
                }
                BlockKind::Document(media) if matches!(media.source, MediaSource::Text { .. }) => {
                    said.texts.extend(self.medium(&block.kind, &field)?.text);
                }
                BlockKind::Image(_) | BlockKind::Document(_) | BlockKind::Audio(_) => {
                    let part = self.medium(&block.kind, &field)?;
                    match part.text {
                        Some(text) => said.texts.push(text),
                        None => said.media.push(part),
                    }
                }
                _ => self.lose(field, LossKind::Dropped),
            }
        }
        Ok(said)
    }

    /// Whether results may have media of their own, which is so from Gemini 3 on.
    fn takes_media_in_results(&self) -> bool {
        let model = self.to.model.rsplit('/').next().unwrap_or_default();
        !["gemini-1", "gemini-2", "gemma"].iter().any(|old| model.starts_with(old))
    }
}

fn parts_of_result<'p, 'a>(placed: &'p Placed<'a>) -> Option<(&'p Placed<'a>, &'a [Block], bool)> {
    match &placed.block.kind {
        BlockKind::ToolResult { content, is_error, .. } => Some((placed, content, *is_error)),
        _ => None,
    }
}
