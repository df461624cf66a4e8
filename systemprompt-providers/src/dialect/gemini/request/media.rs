use systemprompt_core::llm::{BlockKind, LossKind, Media, MediaSource, ModelError};

use super::Encoder;
use super::body::{FileData, InlineData, Part};

/// The media types that the provider gets from an address itself, by the endings of names, as its guide to file
/// inputs lists them.
const BY_ENDING: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("json", "application/json"),
    ("txt", "text/plain"),
    ("html", "text/html"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("xml", "text/xml"),
    ("rtf", "text/rtf"),
    ("js", "text/javascript"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mov", "video/quicktime"),
    ("avi", "video/avi"),
    ("webm", "video/webm"),
    ("wmv", "video/wmv"),
    ("3gp", "video/3gpp"),
];

/// Where files are that the provider keeps.
const FILES: &str = "https://generativelanguage.googleapis.com/";

impl Encoder<'_> {
    /// A picture, a document or a sound; as a text where it is one, or where the model takes no pictures.
    pub(super) fn medium(&mut self, kind: &BlockKind, field: &str) -> Result<Part, ModelError> {
        let media = match kind {
            BlockKind::Image(_) if !self.to.capabilities.images => {
                self.lose(field, LossKind::Degraded);
                return Ok(Part::text("[a picture that this model cannot see]"));
            }
            BlockKind::Image(media) | BlockKind::Document(media) | BlockKind::Audio(media) => media,
            _ => {
                return Err(ModelError::invalid(field, "a block of this kind cannot stand here"));
            }
        };
        if media.detail.as_deref().is_some_and(|detail| detail != "auto") {
            self.lose(format!("{field}.detail"), LossKind::Hint);
        }
        let part = match &media.source {
            MediaSource::Text { text } => return Ok(Part::text(titled(media, text))),
            MediaSource::Base64 { media_type, data } => inline(media_type, data),
            MediaSource::File { .. } => {
                return Err(ModelError::invalid(
                    self.fields.file(field),
                    "a file that another provider keeps cannot be read by this one",
                ));
            }
            MediaSource::Url { url, media_type } => self.at(url, media_type.as_deref(), field)?,
        };
        if media.title.is_some() {
            self.lose(format!("{field}.title"), LossKind::Dropped);
        }
        Ok(part)
    }

    /// What is at `url`: in it, or where the provider can get it.
    fn at(&self, url: &str, media_type: Option<&str>, field: &str) -> Result<Part, ModelError> {
        let refused = |message: String| Err(ModelError::invalid(self.fields.url(field), message));
        if let Some(data) = url.strip_prefix("data:") {
            return match data.split_once(";base64,") {
                Some((kind, data)) if kind.contains('/') => {
                    Ok(inline(kind.split(';').next().unwrap_or(kind), data))
                }
                _ => refused("a `data:` address needs a media type and base64".to_owned()),
            };
        }
        let mime_type = media_type.map(str::to_owned).or_else(|| by_ending(url).map(str::to_owned));
        let file = |mime_type| FileData { mime_type, file_uri: url.to_owned() };
        if url.starts_with(FILES) {
            return Ok(Part { file_data: Some(file(mime_type)), ..Part::default() });
        }
        if !url.starts_with("https://") && !url.starts_with("gs://") {
            return refused(
                "the provider reads `https://`, `gs://` and `data:` addresses alone".to_owned(),
            );
        }
        if url.starts_with("https://") && !self.reads_addresses() {
            return refused(format!("`{}` reads no addresses", self.to.model));
        }
        match mime_type {
            Some(kind)
                if BY_ENDING.iter().any(|(_, known)| *known == kind)
                    || url.starts_with("gs://") =>
            {
                Ok(Part { file_data: Some(file(Some(kind))), ..Part::default() })
            }
            Some(kind) => refused(format!("the provider does not get `{kind}` from an address")),
            None => {
                refused("the media type is not said, and the address does not tell it".to_owned())
            }
        }
    }

    /// Whether the model gets files from addresses, which is so from Gemini 2.5 on.
    fn reads_addresses(&self) -> bool {
        let model = self.to.model.rsplit('/').next().unwrap_or_default();
        !["gemini-1", "gemini-2.0", "gemma"].iter().any(|old| model.starts_with(old))
    }
}

fn inline(media_type: &str, data: &str) -> Part {
    let inline = InlineData { mime_type: media_type.to_owned(), data: data.to_owned() };
    Part { inline_data: Some(inline), ..Part::default() }
}

fn titled(media: &Media, text: &str) -> String {
    match &media.title {
        Some(title) => format!("{title}\n\n{text}"),
        None => text.to_owned(),
    }
}

/// The media type that the path of `url` tells.
fn by_ending(url: &str) -> Option<&'static str> {
    let (_, path) = url.split(['?', '#']).next()?.split_once("://")?.1.split_once('/')?;
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    BY_ENDING.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_tell_their_type_by_the_path_alone() {
        assert_eq!(by_ending("https://a.example/x.PNG?y=z.pdf#q"), Some("image/png"));
        assert_eq!(by_ending("https://a.example/x?y=z.pdf"), None);
        assert_eq!(by_ending("https://a.png"), None);
        assert_eq!(by_ending(""), None);
    }
}
