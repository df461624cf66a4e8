//! Bodies of requests to models, in the dialect of Anthropic.

use serde_json::{Value, json};

const WORDS: [&str; 24] = [
    "the",
    "function",
    "returns",
    "a",
    "list",
    "of",
    "files",
    "that",
    "were",
    "changed",
    "since",
    "build",
    "and",
    "test_case",
    "fails",
    "with",
    "src/main.rs:42",
    "error[E0308]:",
    "expected",
    "`Result<String>`",
    "so",
    "we",
    "2026-11-28T01:00:00Z",
    "0x7ffd3c",
];

/// A question of about 1 KiB.
#[must_use]
pub fn question(model: &str, stream: bool) -> String {
    let text = "The quick brown fox jumps over the lazy dog near the river bank. ".repeat(14);
    body(model, stream, vec![json!({"role": "user", "content": text})])
}

/// A conversation of about `bytes`, none of whose turns is in one with another number.
#[must_use]
pub fn conversation(model: &str, bytes: usize, number: usize) -> String {
    let mut turns = turns(bytes, number);
    turns.push(json!({"role": "user", "content": "go on"}));
    body(model, false, turns)
}

/// The turns of such a conversation.
#[must_use]
pub fn turns(bytes: usize, number: usize) -> Vec<Value> {
    const TURN: usize = 2_000;
    let mut random = number as u64 + 1;
    let turn = |at| {
        let role = if at % 2 == 0 { "user" } else { "assistant" };
        let mut text = format!("Turn {at} of conversation {number}:");
        while text.len() < TURN - 45 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push(' ');
            text.push_str(WORDS[(random >> 33) as usize % WORDS.len()]);
        }
        json!({"role": role, "content": [{"type": "text", "text": text}]})
    };
    (0..bytes / TURN).map(turn).collect()
}

/// The model stands first, where the provider of the bench looks for it.
fn body(model: &str, stream: bool, messages: Vec<Value>) -> String {
    let messages = Value::from(messages);
    format!(r#"{{"model":"{model}","max_tokens":4096,"stream":{stream},"messages":{messages}}}"#)
}
