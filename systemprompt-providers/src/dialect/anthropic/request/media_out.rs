//! Writes pictures and documents, or a text in their place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use systemprompt_core::llm::{LossKind, Media, MediaSource, Role};

use super::super::json::ObjectOut;
use super::block_out::Writer;

/// The pictures that are taken.
const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

impl Writer<'_> {
    pub(super) fn image(&mut self, path: &str, media: &Media, role: Role) -> ObjectOut {
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.losses.note(format!("{path}.detail"), LossKind::Hint);
        }
        let taken = self.target.capabilities.images && (self.native() || role != Role::Assistant);
        let source = if taken { self.image_source(&media.source) } else { None };
        let Some(source) = source else { return self.left_out(path, "A picture") };
        let mut object = ObjectOut::of("image");
        object.put("source", source);
        object
    }

    fn image_source(&self, source: &MediaSource) -> Option<ObjectOut> {
        match source {
            MediaSource::Base64 { media_type, data } => {
                let known = self.native() || PICTURES.contains(&media_type.as_str());
                known.then(|| base64(media_type, data))
            }
            MediaSource::Url { url, .. } => match data_url(url) {
                Some((media_type, data)) => {
                    PICTURES.contains(&media_type).then(|| base64(media_type, data))
                }
                None => Some(at_url(url)),
            },
            MediaSource::File { id } => self.native().then(|| file(id)),
            MediaSource::Text { .. } => None,
        }
    }

    pub(super) fn document(&mut self, path: &str, media: &Media, role: Role) -> ObjectOut {
        let taken = role != Role::Assistant || (self.native() && !self.strict_version);
        let source = if taken { self.document_source(&media.source) } else { None };
        let Some(source) = source else { return self.left_out(path, "A document") };
        let mut object = ObjectOut::of("document");
        object.put("source", source);
        if let Some(title) = &media.title {
            object.put("title", title);
        }
        object
    }

    fn document_source(&self, source: &MediaSource) -> Option<ObjectOut> {
        match source {
            MediaSource::Base64 { media_type, data } => self.document_bytes(media_type, data),
            MediaSource::Url { url, .. } => match data_url(url) {
                Some((media_type, data)) => self.document_bytes(media_type, data),
                None => Some(at_url(url)),
            },
            MediaSource::File { id } => self.native().then(|| file(id)),
            MediaSource::Text { text } => Some(plain(text)),
        }
    }

    fn document_bytes(&self, media_type: &str, data: &str) -> Option<ObjectOut> {
        if self.native() || media_type == "application/pdf" {
            return Some(base64(media_type, data));
        }
        let textual = media_type.starts_with("text/") || media_type == "application/json";
        let bytes = if textual { STANDARD.decode(data).ok()? } else { return None };
        String::from_utf8(bytes).ok().map(|text| plain(&text))
    }
}

fn base64(media_type: &str, data: &str) -> ObjectOut {
    let mut source = ObjectOut::of("base64");
    source.put("media_type", media_type);
    source.put("data", data);
    source
}

fn at_url(url: &str) -> ObjectOut {
    let mut source = ObjectOut::of("url");
    source.put("url", url);
    source
}

fn file(id: &str) -> ObjectOut {
    let mut source = ObjectOut::of("file");
    source.put("file_id", id);
    source
}

fn plain(text: &str) -> ObjectOut {
    let mut source = ObjectOut::of("text");
    source.put("media_type", "text/plain");
    source.put("data", text);
    source
}

/// The media type and the bytes of a `data:` address in base64.
fn data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    Some((head.strip_suffix(";base64")?.split(';').next()?, data))
}
