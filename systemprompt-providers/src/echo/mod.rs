//! A model that is built in: it answers with what it is told, calls the tools it is told to call, and needs no
//! network. It is for trying a gateway out, and for tests of everything around a model.
//!
//! What it does, in this order:
//!
//! 1. The last message ends with the result of a tool: it says the text of that result.
//! 2. The last text of the user is `call <tool> <json object>` and the request offers that tool: it calls it. The
//!    object may be left out; what follows the name of a text tool is its text.
//! 3. `tool_choice` forces a tool: it calls that one, or the first it may call, with `{}` (a text tool with the
//!    last text of the user).
//! 4. Else it says the last text of the user.
//!
//! `tool_choice: none` keeps it from calling. Stop sequences end the text before them. An answer has at most
//! `max_output_tokens` tokens, as [`estimate_tokens`] counts them: what is longer is cut off, arguments too.
//!
//! Everything is a function of the request: the same one has the same answer, with the same ids.

use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hasher};

use systemprompt_core::llm::{
    Answer, Block, BlockKind, Delta, ModelRequest, StopReason, StreamEvent, ToolInput, Usage,
};

mod estimate;
mod provider;
mod reply;

#[cfg(test)]
mod tests;

pub use estimate::{
    AUDIO_BYTES_PER_TOKEN, BYTES_PER_TOKEN, DOCUMENT_PAGE_BYTES, DOCUMENT_PAGE_TOKENS,
    IMAGE_TOKENS, MESSAGE_TOKENS, estimate_tokens,
};

pub use provider::EchoProvider;

use estimate::text_tokens;
use reply::{Reply, reply};

/// The name of the model.
pub const MODEL: &str = "echo";

/// Answers `request`.
#[must_use]
pub fn answer(request: &ModelRequest) -> Answer {
    let seed = seed(request);
    let limit = request.max_output_tokens;
    let (kind, stop_reason, stop_sequence) = match reply(request) {
        Reply::Text(text) => said(text, &request.stop_sequences, limit),
        Reply::Call { name, input } => called(format!("call_{seed:016x}"), name, input, limit),
    };
    let output = match &kind {
        BlockKind::Text { text } => text_tokens(text.len()),
        BlockKind::ToolUse { input, .. } => text_tokens(input.as_str().len()),
        _ => 0,
    };
    let is_empty = matches!(&kind, BlockKind::Text { text } if text.is_empty());
    Answer {
        id: format!("echo_{seed:016x}"),
        model: MODEL.to_owned(),
        content: if is_empty { Vec::new() } else { vec![Block::new(kind)] },
        stop_reason,
        stop_sequence,
        usage: Usage { input: estimate_tokens(request), output, ..Usage::default() },
    }
}

/// Answers `request` as a stream, word by word. Put together, it is what [`answer`] gives.
pub fn events(request: &ModelRequest) -> impl Iterator<Item = StreamEvent> + use<> {
    answer(request).into_events().into_iter().flat_map(by_words)
}

/// A piece of text as a piece for every word, with the white space after it.
fn by_words(event: StreamEvent) -> Vec<StreamEvent> {
    let words = |text: &str, piece: fn(String) -> Delta, index: usize| {
        let words = text.split_inclusive(char::is_whitespace).map(str::to_owned);
        words.map(|word| StreamEvent::Delta { index, delta: piece(word) }).collect()
    };
    match event {
        StreamEvent::Delta { index, delta: Delta::Text(text) } => words(&text, Delta::Text, index),
        StreamEvent::Delta { index, delta: Delta::Input(text) } => {
            words(&text, Delta::Input, index)
        }
        event => vec![event],
    }
}

/// The text up to its first stop sequence, as far as it may go.
fn said(
    mut text: String,
    stops: &[String],
    limit: Option<u64>,
) -> (BlockKind, StopReason, Option<String>) {
    let found = stops.iter().filter(|stop| !stop.is_empty());
    let first = found.filter_map(|stop| Some((text.find(stop.as_str())?, stop))).min();
    if let Some((at, _)) = first {
        text.truncate(at);
    }
    if cut(&mut text, limit) {
        return (BlockKind::Text { text }, StopReason::MaxTokens, None);
    }
    match first {
        Some((_, stop)) => (BlockKind::Text { text }, StopReason::StopSequence, Some(stop.clone())),
        None => (BlockKind::Text { text }, StopReason::EndTurn, None),
    }
}

fn called(
    id: String,
    name: String,
    input: ToolInput,
    limit: Option<u64>,
) -> (BlockKind, StopReason, Option<String>) {
    let is_text = matches!(input, ToolInput::Text(_));
    let mut text = input.as_str().to_owned();
    let was_cut = cut(&mut text, limit);
    if was_cut && text.is_empty() {
        // No arguments at all would be `{}`, a call that was never meant.
        return (BlockKind::Text { text }, StopReason::MaxTokens, None);
    }
    let (input, reason) = match (was_cut, is_text) {
        (false, _) => (input, StopReason::ToolUse),
        (true, true) => (ToolInput::Text(text), StopReason::MaxTokens),
        (true, false) => (ToolInput::from_json_text(text), StopReason::MaxTokens),
    };
    (BlockKind::ToolUse { id, name, input, state: None }, reason, None)
}

/// Cuts `text` to `limit` tokens; whether it was longer.
fn cut(text: &mut String, limit: Option<u64>) -> bool {
    let bytes = limit
        .and_then(|tokens| usize::try_from(tokens).ok())
        .and_then(|tokens| tokens.checked_mul(BYTES_PER_TOKEN));
    match bytes {
        Some(bytes) if text.len() > bytes => {
            text.truncate(text.floor_char_boundary(bytes));
            true
        }
        _ => false,
    }
}

/// What the ids of an answer are made from: the conversation.
fn seed(request: &ModelRequest) -> u64 {
    let mut hash = Hash(DefaultHasher::new());
    // Writing into a hash cannot fail.
    _ = write!(hash, "{}{:?}", request.model, request.messages);
    hash.0.finish()
}

/// Takes what is written into a hash.
struct Hash(DefaultHasher);

impl fmt::Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
