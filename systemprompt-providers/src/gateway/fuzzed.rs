//! What holds for every body and every edit of it, for the fuzz targets.

use bytes::Bytes;
use serde_json::{Map, Value};

use systemprompt_core::llm::{Dialect, ModelRequest};

use super::body::{Edits, RequestBody};
use super::{lane, scan};
use crate::dialect::chat::splice;

/// Takes a body apart and edits it.
///
/// # Errors
/// What does not hold.
pub fn body(input: &[u8]) -> Result<(), String> {
    let bytes = Bytes::copy_from_slice(input);
    let Ok(body) = RequestBody::read(bytes.clone()) else { return Ok(()) };
    ensure(body.with(Edits::default()) == bytes, "without an edit it is another")?;
    // What is nested too deep for a tree is passed on all the same.
    let Ok(Value::Object(whole)) = serde_json::from_slice(&bytes) else { return Ok(()) };
    ensure(body.members().count() == whole.len(), "members are missing")?;
    for (key, place) in body.members() {
        let value = read(body.at(place).as_bytes())?;
        ensure(whole.get(key) == Some(&value), "a member is another")?;
        let items: Vec<Value> = body
            .items(place)
            .iter()
            .map(|item| read(body.at(item).as_bytes()))
            .collect::<Result<_, _>>()?;
        ensure(items.is_empty() || Value::from(items) == value, "items are others")?;
        replaced(&body, key, &whole)?;
        removed(&body, key, &whole)?;
    }
    for dialect in [Dialect::Anthropic, Dialect::Chat, Dialect::Responses] {
        for place in scan::places(dialect, &body) {
            read(body.at(&place).as_bytes())?;
        }
        sent_on(dialect, &body, whole.clone())?;
    }
    usage_asked(&bytes, whole)
}

/// In the byte lane the provider gets the same JSON, but for the model and what names the caller's user.
fn sent_on(
    dialect: Dialect,
    body: &RequestBody,
    mut whole: Map<String, Value>,
) -> Result<(), String> {
    const MODEL: &str = "a \"model\"\\ of\u{2028}\n them";
    let asked = whole.get("model").and_then(Value::as_str).unwrap_or_default();
    let request = ModelRequest::new(dialect, asked);
    let (sent, _) = lane::spliced(&request, body, MODEL)
        .map_err(|error| format!("it cannot be sent on: {error}"))?;
    let kept = ["metadata", "user", "safety_identifier"];
    let kept = if dialect == Dialect::Anthropic { &kept[..1] } else { &kept[1..] };
    kept.iter().for_each(|name| drop(whole.remove(*name)));
    if let Some(model) = whole.get_mut("model") {
        *model = MODEL.into();
    }
    ensure(read(&sent)? == Value::from(whole), "what is sent on is another")
}

fn replaced(body: &RequestBody, key: &str, whole: &Map<String, Value>) -> Result<(), String> {
    let place = body.value(key).ok_or("a member has no place")?;
    let mut edits = Edits::default();
    edits.replace(place.clone(), "\"new\"");
    let bytes = body.with(edits);
    let kept = bytes.get(..place.start) == body.bytes().get(..place.start)
        && bytes.ends_with(body.bytes().get(place.end..).unwrap_or_default());
    ensure(kept, "other bytes were replaced")?;
    let mut wanted = whole.clone();
    wanted.insert(key.to_owned(), Value::from("new"));
    ensure(read(&bytes)? == Value::from(wanted), "a replacement is another")
}

fn removed(body: &RequestBody, key: &str, whole: &Map<String, Value>) -> Result<(), String> {
    let mut edits = Edits::default();
    edits.replace(body.removal(key).ok_or("a member cannot be taken out")?, "");
    let mut wanted = whole.clone();
    wanted.remove(key);
    ensure(read(&body.with(edits))? == Value::from(wanted), "more or less was taken out")
}

fn usage_asked(bytes: &Bytes, mut whole: Map<String, Value>) -> Result<(), String> {
    let Ok(usage) = splice::ask_for_stream_usage(bytes) else { return Ok(()) };
    if whole.get("stream") != Some(&Value::Bool(true)) {
        return ensure(usage.body == *bytes, "a body without a stream is another");
    }
    let Value::Object(mut asked) = read(&usage.body)? else {
        return Err("it is no object any more".to_owned());
    };
    let includes = asked.get("stream_options").and_then(|options| options.get("include_usage"));
    ensure(includes == Some(&Value::Bool(true)), "usage is not asked for")?;
    asked.remove("stream_options");
    whole.remove("stream_options");
    ensure(asked == whole, "something else was changed")
}

fn read(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("`{}` is no JSON: {error}", String::from_utf8_lossy(bytes)))
}

fn ensure(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
