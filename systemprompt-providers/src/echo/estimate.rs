use systemprompt_core::llm::{
    Block, BlockKind, Media, MediaSource, ModelRequest, OutputFormat, ToolKind,
};

/// How many bytes of UTF-8 are taken for a token.
pub const BYTES_PER_TOKEN: usize = 4;

/// The tokens of a message beside what it says: its role, and where it begins and ends.
pub const MESSAGE_TOKENS: u64 = 4;

/// The tokens of a picture: about the most that Anthropic counts for one (width times height through 750, for
/// 1.15 megapixels).
pub const IMAGE_TOKENS: u64 = 1_600;

/// The tokens of a page of a document that is no text.
pub const DOCUMENT_PAGE_TOKENS: u64 = 2_000;

/// The bytes of a document, no base64, that are taken for a page.
pub const DOCUMENT_PAGE_BYTES: u64 = 50_000;

/// The bytes of sound, no base64, that are taken for a token: 32 tokens (Gemini) for a second of 128 kbit/s.
pub const AUDIO_BYTES_PER_TOKEN: u64 = 500;

/// An estimate of the tokens that `request` sends in, where no provider counts them.
///
/// All texts (instructions, messages, calls, results; names, descriptions and schemas of tools, the schema of the
/// answer) are added up and divided by [`BYTES_PER_TOKEN`], rounded up. [`MESSAGE_TOKENS`] come to every message,
/// [`IMAGE_TOKENS`] to every picture, [`DOCUMENT_PAGE_TOKENS`] to every begun [`DOCUMENT_PAGE_BYTES`] of a document
/// (one page where its size is not known), and a token to every begun [`AUDIO_BYTES_PER_TOKEN`] of sound.
#[must_use]
pub fn estimate_tokens(request: &ModelRequest) -> u64 {
    let mut total = Total::default();
    total.blocks(&request.system);
    for message in &request.messages {
        total.tokens = total.tokens.saturating_add(MESSAGE_TOKENS);
        total.blocks(&message.content);
    }
    for tool in &request.tools {
        total.text(&tool.name);
        total.text(tool.description.as_deref().unwrap_or_default());
        match &tool.kind {
            ToolKind::Function { schema, .. } => total.json(schema),
            ToolKind::Text { format } => {
                if let Some(format) = format {
                    total.json(format);
                }
            }
            ToolKind::Server { value } => total.json(value),
        }
    }
    if let OutputFormat::JsonSchema { schema, .. } = &request.output {
        total.json(schema);
    }
    total.tokens.saturating_add(text_tokens(total.bytes))
}

/// The tokens of a text of `bytes`.
pub(super) fn text_tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

#[derive(Debug, Default)]
struct Total {
    /// Of texts.
    bytes: usize,
    /// Of all else.
    tokens: u64,
}

impl Total {
    fn text(&mut self, text: &str) {
        self.bytes = self.bytes.saturating_add(text.len());
    }

    fn json(&mut self, value: &serde_json::Value) {
        self.text(&value.to_string());
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        let media = match &block.kind {
            BlockKind::Text { text } | BlockKind::Refusal { text } => return self.text(text),
            BlockKind::Thinking { text, .. } => return self.text(text),
            // What nobody can read is not counted: its bytes say nothing of its tokens.
            BlockKind::RedactedThinking(_) => return,
            BlockKind::ToolUse { name, input, .. } => {
                self.text(name);
                return self.text(input.as_str());
            }
            BlockKind::ToolResult { content, .. } => return self.blocks(content),
            BlockKind::Unknown { value } => return self.json(value),
            BlockKind::Image(_) => IMAGE_TOKENS,
            BlockKind::Document(media) => match &media.source {
                MediaSource::Text { text } => return self.text(text),
                _ => size(media)
                    .div_ceil(DOCUMENT_PAGE_BYTES)
                    .max(1)
                    .saturating_mul(DOCUMENT_PAGE_TOKENS),
            },
            BlockKind::Audio(media) => size(media).div_ceil(AUDIO_BYTES_PER_TOKEN),
        };
        self.tokens = self.tokens.saturating_add(media);
    }
}

/// The bytes of a medium that is in the request; 0 for one that is elsewhere.
fn size(media: &Media) -> u64 {
    match &media.source {
        MediaSource::Base64 { data, .. } => {
            u64::try_from(data.len() / 4).unwrap_or(u64::MAX).saturating_mul(3)
        }
        MediaSource::Text { text } => u64::try_from(text.len()).unwrap_or(u64::MAX),
        MediaSource::Url { .. } | MediaSource::File { .. } => 0,
    }
}
