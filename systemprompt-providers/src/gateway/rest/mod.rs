//! What of an answer its codec does not read. In the byte lane it goes to the caller all the same, so that it is
//! looked through like the texts that are read.

pub(super) mod anthropic;
pub(super) mod chat;
pub(super) mod responses;

use serde_json::{Map, Value};
use systemprompt_core::llm::Dialect;

/// What is not read of a whole answer, if there is a text in it.
pub(super) fn of_answer(dialect: Dialect, body: &[u8]) -> Option<String> {
    match dialect {
        Dialect::Anthropic => anthropic::of_answer(body),
        Dialect::Chat => chat::of_answer(body),
        Dialect::Responses => responses::of_answer(body),
        Dialect::Gemini => None,
    }
}

fn strip(object: &mut Map<String, Value>, members: &[&str]) {
    members.iter().for_each(|name| drop(object.remove(*name)));
}

fn object<'o>(from: &'o mut Map<String, Value>, name: &str) -> Option<&'o mut Map<String, Value>> {
    from.get_mut(name)?.as_object_mut()
}

/// The object, where a string in it is long enough to be worth a look.
fn with_text(object: Map<String, Value>) -> Option<String> {
    let rest = Value::Object(object);
    holds_text(&rest).then(|| rest.to_string())
}

fn holds_text(value: &Value) -> bool {
    const SHORTEST: usize = 8;
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    match value {
        Value::String(text) => text.len() >= SHORTEST,
        Value::Array(values) => values.iter().any(holds_text),
        Value::Object(members) => members.iter().any(|(name, value)| {
            holds_text(value) || (name.len() >= SHORTEST && !name.bytes().all(is_plain))
        }),
        _ => false,
    }
}
