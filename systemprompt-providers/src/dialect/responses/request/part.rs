use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Media, MediaSource, ModelError,
};

use super::super::members::{Members, missing, wrong};

/// Reads the content of a message or the output of a tool: a string, or parts.
pub(super) fn decode_all(
    content: Value,
    path: &str,
    rest: &mut Map<String, Value>,
) -> Result<Vec<Block>, ModelError> {
    match content {
        Value::String(text) => Ok(vec![Block::text(text)]),
        Value::Array(parts) => parts
            .into_iter()
            .enumerate()
            .map(|(at, value)| decode(value, format!("{path}.{at}"), rest))
            .collect(),
        _ => Err(wrong(path, "a string or an array of parts")),
    }
}

fn decode(value: Value, path: String, rest: &mut Map<String, Value>) -> Result<Block, ModelError> {
    if !value.is_object() {
        return Err(wrong(&path, "an object"));
    }
    let kind = match value.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        None => return Err(missing(&format!("{path}.type"))),
        Some(_) => return Err(wrong(&format!("{path}.type"), "a string")),
    };
    let known = matches!(
        kind.as_str(),
        "input_text"
            | "output_text"
            | "text"
            | "summary_text"
            | "reasoning_text"
            | "refusal"
            | "input_image"
            | "input_file"
            | "input_audio"
    );
    if !known {
        return Ok(Block::new(BlockKind::Unknown { value }));
    }
    let mut part = Members::of(value, path)?;
    let cache = cache(&mut part)?;
    let kind = match kind.as_str() {
        "refusal" => BlockKind::Refusal { text: part.need_string("refusal")? },
        "input_image" => BlockKind::Image(image(&mut part)?),
        "input_file" => BlockKind::Document(file(&mut part)?),
        "input_audio" => BlockKind::Audio(audio(&mut part)?),
        _ => BlockKind::Text { text: part.need_string("text")? },
    };
    part.skip(&["type"]);
    // Every text of an answer has these, mostly empty.
    for name in ["annotations", "logprobs"] {
        match part.take(name) {
            None => {}
            Some(Value::Array(values)) if values.is_empty() => {}
            Some(values) => {
                rest.insert(part.at(name), values);
            }
        }
    }
    part.leave(rest);
    Ok(Block { cache, ..Block::new(kind) })
}

fn cache(part: &mut Members) -> Result<Option<CacheMark>, ModelError> {
    let Some(mut mark) = part.object("prompt_cache_breakpoint")? else { return Ok(None) };
    // Half an hour is what nothing said means.
    let ttl = match mark.string("ttl")?.as_deref() {
        None | Some("30m") => None,
        Some("12h") => Some(CacheTtl::OneHour),
        Some(_) => return Err(wrong(&mark.at("ttl"), "`30m` or `12h`")),
    };
    Ok(Some(CacheMark { ttl }))
}

fn image(part: &mut Members) -> Result<Media, ModelError> {
    let detail = part.string("detail")?;
    let url = part.string("image_url")?;
    let id = part.string("file_id")?;
    let source = match (url, id) {
        (Some(url), _) => address(url, &part.at("image_url"))?,
        (None, Some(id)) => MediaSource::File { id },
        (None, None) => return Err(missing(&part.at("image_url"))),
    };
    Ok(Media { source, title: None, detail })
}

fn file(part: &mut Members) -> Result<Media, ModelError> {
    let title = part.string("filename")?;
    let detail = part.string("detail")?;
    let data = part.string("file_data")?;
    let url = part.string("file_url")?;
    let id = part.string("file_id")?;
    let source = match (data, url, id) {
        (Some(data), _, _) if data.starts_with("data:") => address(data, &part.at("file_data"))?,
        (Some(data), _, _) => {
            MediaSource::Base64 { media_type: media_type_of(title.as_deref()).to_owned(), data }
        }
        (None, Some(url), _) => address(url, &part.at("file_url"))?,
        (None, None, Some(id)) => MediaSource::File { id },
        (None, None, None) => return Err(missing(&part.at("file_data"))),
    };
    Ok(Media { source, title, detail })
}

fn audio(part: &mut Members) -> Result<Media, ModelError> {
    let path = part.at("input_audio");
    let mut audio = part.object("input_audio")?.ok_or_else(|| missing(&path))?;
    let data = audio.need_string("data")?;
    let media_type = format!("audio/{}", audio.need_string("format")?);
    Ok(Media { source: MediaSource::Base64 { media_type, data }, title: None, detail: None })
}

/// Reads an address, which may be the bytes themselves: `data:<media type>;base64,<bytes>` (RFC 2397).
fn address(url: String, path: &str) -> Result<MediaSource, ModelError> {
    let Some(data) = url.strip_prefix("data:") else {
        return Ok(MediaSource::Url { url, media_type: None });
    };
    let Some((media_type, data)) = data.split_once(";base64,").filter(|(kind, _)| !kind.is_empty())
    else {
        return Err(wrong(path, "an address, or `data:<media type>;base64,<bytes>`"));
    };
    Ok(MediaSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() })
}

/// What a file is by its name, where its bytes come without a type.
fn media_type_of(name: Option<&str>) -> &'static str {
    let end = name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        None | Some("pdf") => "application/pdf",
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("html") => "text/html",
        Some("json") => "application/json",
        Some(_) => "application/octet-stream",
    }
}

/// Writes a picture, or `None` for one that is at no address of this wire.
pub(super) fn image_part(media: &Media) -> Option<Value> {
    let mut part = json!({ "type": "input_image" });
    match &media.source {
        MediaSource::File { id } => set(&mut part, "file_id", id),
        source => set(&mut part, "image_url", &address_of(source)?),
    }
    set(&mut part, "detail", media.detail.as_deref().unwrap_or("auto"));
    Some(part)
}

/// Writes a document, or `None` for a text, which is better said as one.
pub(super) fn file_part(media: &Media) -> Option<Value> {
    let mut part = json!({ "type": "input_file" });
    match &media.source {
        MediaSource::File { id } => set(&mut part, "file_id", id),
        MediaSource::Url { url, .. } => set(&mut part, "file_url", url),
        source @ MediaSource::Base64 { media_type, .. } => {
            set(&mut part, "file_data", &address_of(source)?);
            // Bytes are refused without a name.
            let end = if media_type == "application/pdf" { "document.pdf" } else { "document" };
            set(&mut part, "filename", media.title.as_deref().unwrap_or(end));
        }
        MediaSource::Text { .. } => return None,
    }
    if !matches!(media.source, MediaSource::Base64 { .. })
        && let Some(title) = &media.title
    {
        set(&mut part, "filename", title);
    }
    if let Some(detail) = &media.detail {
        set(&mut part, "detail", detail);
    }
    Some(part)
}

/// Writes sound in the formats that the wire has.
pub(super) fn audio_part(media: &Media) -> Option<Value> {
    let MediaSource::Base64 { media_type, data } = &media.source else { return None };
    let format = media_type.strip_prefix("audio/")?;
    Some(json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }))
}

/// The member of a part that marks where the prompt is cached.
pub(super) fn mark(part: &mut Value, mark: CacheMark) {
    let mut said = json!({ "mode": "explicit" });
    // The shortest life that is long enough: 30 minutes, or 12 hours.
    if mark.ttl == Some(CacheTtl::OneHour) {
        set(&mut said, "ttl", "12h");
    }
    if let Value::Object(part) = part {
        part.insert("prompt_cache_breakpoint".to_owned(), said);
    }
}

fn address_of(source: &MediaSource) -> Option<String> {
    match source {
        MediaSource::Base64 { media_type, data } => {
            Some(format!("data:{media_type};base64,{data}"))
        }
        MediaSource::Url { url, .. } => Some(url.clone()),
        MediaSource::Text { .. } | MediaSource::File { .. } => None,
    }
}

fn set(part: &mut Value, name: &str, value: &str) {
    if let Value::Object(part) = part {
        part.insert(name.to_owned(), Value::from(value));
    }
}
