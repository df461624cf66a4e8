//! The parts of a message's content, read.

use serde_json::Value;
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Media, MediaSource, ModelError,
};

use super::super::fields::{Fields, Object, missing, wrong};

/// Reads a part that stands at `path`. A part of an unknown type is kept as it stands.
pub(super) fn read(value: Value, path: String, rest: &mut Object) -> Result<Block, ModelError> {
    let Some(kind) = value.get("type").and_then(Value::as_str).map(str::to_owned) else {
        return Err(match value {
            Value::Object(_) => missing(format!("{path}.type")),
            _ => wrong(path, "an object"),
        });
    };
    if !matches!(kind.as_str(), "text" | "refusal" | "image_url" | "input_audio" | "file") {
        return Ok(Block::new(BlockKind::Unknown { value }));
    }
    let mut part = Fields::object(value, path)?;
    part.take("type");
    let kind = match kind.as_str() {
        "text" => BlockKind::Text { text: part.text("text")? },
        "refusal" => BlockKind::Refusal { text: part.text("refusal")? },
        "image_url" => BlockKind::Image(image(&mut part, rest)?),
        "input_audio" => BlockKind::Audio(audio(&mut part)?),
        _ => BlockKind::Document(file(&mut part)?),
    };
    let cache = cache(&mut part)?;
    part.rest_into(rest);
    Ok(Block { kind, cache, origin: None })
}

/// `prompt_cache_breakpoint` of OpenAI, or `cache_control` as other servers of this wire have it.
fn cache(part: &mut Fields) -> Result<Option<CacheMark>, ModelError> {
    let first = part.member("prompt_cache_breakpoint")?;
    let second = part.member("cache_control")?;
    let Some(mut mark) = first.or(second) else { return Ok(None) };
    // Thirty minutes are what OpenAI does where nothing is said.
    let ttl = match mark.string("ttl")?.as_deref() {
        None | Some("30m") => None,
        Some("5m") => Some(CacheTtl::FiveMinutes),
        Some("1h" | "12h") => Some(CacheTtl::OneHour),
        Some(_) => return Err(wrong(mark.at("ttl"), "one of `30m`, `12h`")),
    };
    Ok(Some(CacheMark { ttl }))
}

fn image(part: &mut Fields, rest: &mut Object) -> Result<Media, ModelError> {
    let path = part.at("image_url");
    let (url, detail, path) = match part.take("image_url") {
        Some(Value::String(url)) => (url, None, path),
        Some(value) => {
            let mut image = Fields::object(value, path)?;
            let url = image.word("url")?;
            let detail = image.string("detail")?;
            let path = image.at("url");
            image.rest_into(rest);
            (url, detail, path)
        }
        None => return Err(missing(path)),
    };
    Ok(Media { source: address(url, path)?, title: None, detail })
}

/// An address, or bytes in a `data:` URL (RFC 2397) in base64.
fn address(url: String, path: String) -> Result<MediaSource, ModelError> {
    if let Some((media_type, data)) = data_url(&url) {
        return Ok(MediaSource::Base64 {
            media_type: media_type.to_owned(),
            data: data.to_owned(),
        });
    }
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("https" | "http") => Ok(MediaSource::Url { url, media_type: None }),
        _ => Err(wrong(path, "an `https:` address, or a `data:` address in base64")),
    }
}

/// The media type and the base64 of a `data:` URL.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("data") {
        return None;
    }
    let (head, data) = rest.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    Some((media_type, data))
}

fn audio(part: &mut Fields) -> Result<Media, ModelError> {
    let mut audio = part.inner("input_audio")?;
    let data = audio.word("data")?;
    let media_type = match audio.word("format")?.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        format => format!("audio/{format}"),
    };
    Ok(Media { source: MediaSource::Base64 { media_type, data }, title: None, detail: None })
}

fn file(part: &mut Fields) -> Result<Media, ModelError> {
    let mut file = part.inner("file")?;
    let title = file.string("filename")?;
    let source = match (file.string("file_id")?, file.string("file_data")?) {
        (Some(id), _) => MediaSource::File { id },
        (None, Some(data)) => match data_url(&data) {
            Some((media_type, data)) => {
                MediaSource::Base64 { media_type: media_type.to_owned(), data: data.to_owned() }
            }
            None => MediaSource::Base64 { media_type: type_of(title.as_deref()).to_owned(), data },
        },
        (None, None) => return Err(missing(file.at("file_data"))),
    };
    Ok(Media { source, title, detail: None })
}

/// The media type of a file by its name, where the data do not say.
fn type_of(name: Option<&str>) -> &'static str {
    let extension = name.and_then(|name| name.rsplit_once('.')).map(|(_, ext)| ext);
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("pdf") => "application/pdf",
        Some("txt" | "md") => "text/plain",
        _ => "application/octet-stream",
    }
}
