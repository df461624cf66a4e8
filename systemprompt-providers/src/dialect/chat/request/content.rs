//! The parts of a message's content, written.

use serde_json::{Value, json};
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Dialect, LossKind, Media, MediaSource, ModelError,
};

use super::encode::Writer;
use super::paths::{Member, Place};

/// A part for a user or an instruction; `None` for what says nothing here.
pub(super) fn part(
    writer: &mut Writer<'_>,
    block: &Block,
    place: Place,
) -> Result<Option<Value>, ModelError> {
    let mut part = match &block.kind {
        BlockKind::Text { text } | BlockKind::Refusal { text } if text.is_empty() => None,
        BlockKind::Text { text } | BlockKind::Refusal { text } => Some(text_part(text)),
        BlockKind::Image(media) => Some(image(writer, media, place)?),
        BlockKind::Document(media) => Some(document(writer, media, place)?),
        BlockKind::Audio(media) => Some(audio(writer, media, place)?),
        BlockKind::Unknown { value } if writer.request.dialect == Dialect::Chat => {
            Some(value.clone())
        }
        BlockKind::ToolUse { name, input, .. } => {
            writer.lose(place, LossKind::Degraded);
            Some(text_part(&format!("[call of the tool `{name}`: {}]", input.as_str())))
        }
        BlockKind::ToolResult { tool_use_id, content, .. } => {
            writer.lose(place, LossKind::Degraded);
            let said = plain_text(content);
            Some(text_part(&format!("[result of the tool call `{tool_use_id}`] {said}")))
        }
        BlockKind::Thinking { .. } | BlockKind::RedactedThinking(_) | BlockKind::Unknown { .. } => {
            writer.lose(place, LossKind::Dropped);
            None
        }
    };
    mark(writer, part.as_mut(), block.cache, place);
    Ok(part)
}

/// Marks the end of a cached prompt, where the model takes that.
pub(super) fn mark(
    writer: &mut Writer<'_>,
    part: Option<&mut Value>,
    cache: Option<CacheMark>,
    place: Place,
) {
    let Some(cache) = cache else { return };
    let takes = writer.to.capabilities.cache_breakpoints;
    let Some(Value::Object(part)) = part.filter(|_| takes) else {
        let field = format!("{}.{}", writer.paths.part(place), writer.paths.member(Member::Cache));
        writer.losses.note(field, LossKind::Hint);
        return;
    };
    // Of the two times that OpenAI has, thirty minutes (its default) and twelve hours, the one that is
    // not shorter.
    let breakpoint = match cache.ttl {
        None | Some(CacheTtl::FiveMinutes) => json!({"mode": "explicit"}),
        Some(CacheTtl::OneHour) => json!({"mode": "explicit", "ttl": "12h"}),
    };
    part.insert("prompt_cache_breakpoint".to_owned(), breakpoint);
}

/// Parts as the content of a message. Texts alone are one string, for many servers of this wire take no
/// other; a caller of this wire that sent several parts knows its server.
pub(super) fn content(writer: &Writer<'_>, parts: Vec<Value>) -> Value {
    let texts: Option<Vec<&str>> = parts.iter().map(plain).collect();
    match texts.as_deref() {
        Some([]) => json!(""),
        Some([text]) => json!(text),
        Some(texts) if writer.request.dialect != Dialect::Chat => json!(texts.join("\n\n")),
        _ => Value::Array(parts),
    }
}

/// The text of a part that is nothing but that.
pub(super) fn plain(part: &Value) -> Option<&str> {
    let map = part.as_object().filter(|map| map.len() == 2)?;
    if map.get("type")?.as_str()? == "text" { map.get("text")?.as_str() } else { None }
}

pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// All texts among `blocks`, one after the other.
fn plain_text(blocks: &[Block]) -> String {
    let texts = blocks.iter().filter_map(|block| match &block.kind {
        BlockKind::Text { text } | BlockKind::Refusal { text } => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

fn image(writer: &mut Writer<'_>, media: &Media, place: Place) -> Result<Value, ModelError> {
    if !writer.to.capabilities.images {
        return Ok(instead(writer, place, "[an image that this model cannot see]"));
    }
    let url = match &media.source {
        MediaSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        MediaSource::Url { url, .. } => url.clone(),
        MediaSource::Text { text } => return Ok(instead(writer, place, text)),
        MediaSource::File { id } => return Err(foreign_file(writer, place, id)),
    };
    let mut image = json!({"url": url});
    if let (Some(detail), Value::Object(image)) = (&media.detail, &mut image) {
        image.insert("detail".to_owned(), json!(detail));
    }
    Ok(json!({"type": "image_url", "image_url": image}))
}

fn document(writer: &mut Writer<'_>, media: &Media, place: Place) -> Result<Value, ModelError> {
    let title = media.title.as_deref();
    let file = match &media.source {
        MediaSource::Base64 { media_type, data } => {
            let name = title.unwrap_or(if media_type == "application/pdf" {
                "document.pdf"
            } else {
                "document"
            });
            json!({"filename": name, "file_data": format!("data:{media_type};base64,{data}")})
        }
        MediaSource::Text { text } => {
            let title = title.map(|title| format!("{title}\n\n")).unwrap_or_default();
            return Ok(instead(writer, place, &format!("{title}{text}")));
        }
        MediaSource::Url { url, .. } => {
            return Ok(instead(writer, place, &format!("[a document at {url}]")));
        }
        // Files of OpenAI are the same on both its wires.
        MediaSource::File { id }
            if matches!(writer.request.dialect, Dialect::Chat | Dialect::Responses) =>
        {
            let mut file = json!({"file_id": id});
            if let (Some(title), Value::Object(file)) = (title, &mut file) {
                file.insert("filename".to_owned(), json!(title));
            }
            file
        }
        MediaSource::File { id } => return Err(foreign_file(writer, place, id)),
    };
    Ok(json!({"type": "file", "file": file}))
}

fn audio(writer: &mut Writer<'_>, media: &Media, place: Place) -> Result<Value, ModelError> {
    match &media.source {
        MediaSource::Base64 { media_type, data } => {
            let format = match media_type.strip_prefix("audio/") {
                Some("mpeg" | "mp3") => "mp3",
                Some("wav" | "x-wav" | "wave") => "wav",
                Some(other) => other,
                None => return Ok(instead(writer, place, "[sound of an unknown kind]")),
            };
            Ok(json!({"type": "input_audio", "input_audio": {"data": data, "format": format}}))
        }
        MediaSource::Url { url, .. } => {
            Ok(instead(writer, place, &format!("[a recording at {url}]")))
        }
        MediaSource::Text { text } => Ok(instead(writer, place, text)),
        MediaSource::File { id } => Err(foreign_file(writer, place, id)),
    }
}

/// A text that stands for what this wire or model cannot take.
pub(super) fn instead(writer: &mut Writer<'_>, place: Place, text: &str) -> Value {
    writer.lose(place, LossKind::Degraded);
    text_part(text)
}

fn foreign_file(writer: &Writer<'_>, place: Place, id: &str) -> ModelError {
    let field = writer.paths.part(place);
    let message = format!("`{field}` is the file `{id}` of another provider, which cannot be read");
    ModelError::invalid(field, message).with_code("unsupported_file")
}

impl Writer<'_> {
    pub(super) fn lose(&mut self, place: Place, what: LossKind) {
        self.losses.note(self.paths.part(place), what);
    }
}
