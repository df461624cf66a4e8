//! Reads content blocks.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, Dialect, Media, MediaSource, ModelError, OpaqueState,
    Origin, ToolInput,
};

use super::super::envelope;
use super::super::json::{self, Members, wrong};
use super::decode::shorthand;

/// Where blocks stand, which says what they may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Instructions: texts.
    System,
    /// A turn of the user.
    User,
    /// A turn of the model.
    Assistant,
    /// The result of a tool.
    Result,
}

/// Reads content: a text, or a list of blocks.
pub(super) fn content(
    raw: &RawValue,
    field: &str,
    place: Place,
    rest: &mut Map<String, Value>,
) -> Result<Vec<Block>, ModelError> {
    if json::is_string(raw) {
        return shorthand(raw, field);
    }
    let items = json::items(raw, field)
        .map_err(|_| wrong(field, "a string or an array of content blocks"))?;
    let mut blocks: Vec<Block> = Vec::with_capacity(items.len());
    let mut of_calls = Vec::new();
    for (at, raw) in items.into_iter().enumerate() {
        // The place it has once what only carries the state of a call is taken out.
        let path = format!("{field}.{}", at - of_calls.len());
        let members = Members::read(raw, path.as_str())?;
        match block(raw, members, &path, place, rest)? {
            Found::Block(block) => blocks.push(block),
            Found::StateOfCall(call, state) => of_calls.push((call, state)),
        }
    }
    give_back(&mut blocks, of_calls);
    Ok(blocks)
}

enum Found {
    Block(Block),
    /// State of another wire that belongs to the call of that id.
    StateOfCall(String, OpaqueState),
}

fn give_back(blocks: &mut [Block], of_calls: Vec<(String, OpaqueState)>) {
    for (call, found) in of_calls {
        let state = blocks.iter_mut().find_map(|block| match &mut block.kind {
            BlockKind::ToolUse { id, state, .. } if *id == call && state.is_none() => Some(state),
            _ => None,
        });
        if let Some(state) = state {
            *state = Some(found);
        }
    }
}

fn block(
    raw: &RawValue,
    mut members: Members<'_>,
    path: &str,
    place: Place,
    rest: &mut Map<String, Value>,
) -> Result<Found, ModelError> {
    let kind = members.required_string("type")?;
    check(&kind, place, &members)?;
    let cache = cache(&mut members, rest)?;
    let mut origin = None;
    let kind = match kind.as_str() {
        "text" => BlockKind::Text { text: members.required_string("text")? },
        "thinking" => {
            let text = members.required_string("thinking")?;
            let signature = members.string("signature")?;
            let unsigned = signature.as_deref() == Some(envelope::UNSIGNED);
            let signature = signature.filter(|signature| !signature.is_empty() && !unsigned);
            let state = signature.map(|signature| envelope::unwrap(signature).0);
            origin = match &state {
                Some(state) => Some(state.origin.clone()),
                None => (!unsigned).then(unnamed),
            };
            BlockKind::Thinking { text, state }
        }
        "redacted_thinking" => {
            let (state, call) = envelope::unwrap(members.required_string("data")?);
            if let Some(call) = call {
                return Ok(Found::StateOfCall(call, state));
            }
            origin = Some(state.origin.clone());
            BlockKind::RedactedThinking(state)
        }
        "tool_use" => tool_use(&mut members)?,
        "tool_result" => tool_result(&mut members, rest)?,
        "image" | "document" => match media(&kind, &mut members, rest)? {
            Some(kind) => kind,
            None => return unknown(raw, path, cache),
        },
        _ => return unknown(raw, path, cache),
    };
    members.rest(rest)?;
    Ok(Found::Block(Block { kind, cache, origin }))
}

/// A block that no other wire has. Its cache mark is kept beside it.
fn unknown(raw: &RawValue, path: &str, cache: Option<CacheMark>) -> Result<Found, ModelError> {
    let mut value: Value = serde_json::from_str(raw.get())
        .map_err(|_| wrong(path, "a content block that is not nested too deep"))?;
    if let Some(members) = value.as_object_mut() {
        members.remove("cache_control");
    }
    Ok(Found::Block(Block { kind: BlockKind::Unknown { value }, cache, origin: Some(unnamed()) }))
}

const fn unnamed() -> Origin {
    Origin { dialect: Dialect::Anthropic, provider: None }
}

fn check(kind: &str, place: Place, members: &Members<'_>) -> Result<(), ModelError> {
    let fits = match kind {
        "text" => true,
        "tool_use" | "thinking" | "redacted_thinking" => place == Place::Assistant,
        "tool_result" => place == Place::User,
        _ => place != Place::System,
    };
    if fits {
        return Ok(());
    }
    let field = members.field("type");
    let place = match place {
        Place::System => "in instructions",
        Place::User => "in a message of the user",
        Place::Assistant => "in a message of the assistant",
        Place::Result => "in the result of a tool",
    };
    let message = format!("`{field}` is `{kind}`, which cannot stand {place}");
    Err(ModelError::invalid(field, message))
}

/// Reads `cache_control`.
pub(super) fn cache(
    members: &mut Members<'_>,
    rest: &mut Map<String, Value>,
) -> Result<Option<CacheMark>, ModelError> {
    let Some(mut mark) = members.object("cache_control")? else { return Ok(None) };
    if mark.required_string("type")? != "ephemeral" {
        return Err(wrong(mark.field("type"), "`ephemeral`"));
    }
    let ttl = match mark.string("ttl")?.as_deref() {
        None => None,
        Some("5m") => Some(CacheTtl::FiveMinutes),
        Some("1h") => Some(CacheTtl::OneHour),
        Some(_) => return Err(wrong(mark.field("ttl"), "`5m` or `1h`")),
    };
    mark.rest(rest)?;
    Ok(Some(CacheMark { ttl }))
}

fn tool_use(members: &mut Members<'_>) -> Result<BlockKind, ModelError> {
    let id = members.required_string("id")?;
    let name = members.required_string("name")?;
    let input = ToolInput::from_raw(members.require("input")?);
    if !matches!(input, ToolInput::Json(_)) {
        return Err(wrong(members.field("input"), "an object"));
    }
    Ok(BlockKind::ToolUse { id, name, input, state: None })
}

fn tool_result(
    members: &mut Members<'_>,
    rest: &mut Map<String, Value>,
) -> Result<BlockKind, ModelError> {
    let tool_use_id = members.required_string("tool_use_id")?;
    let field = members.field("content");
    let content = match members.take("content") {
        Some(raw) => content(raw, &field, Place::Result, rest)?,
        None => Vec::new(),
    };
    let is_error = members.boolean("is_error")?.unwrap_or_default();
    Ok(BlockKind::ToolResult { tool_use_id, content, is_error })
}

/// Reads a picture or a document; `None` where its source is of a kind that only this wire has.
fn media(
    kind: &str,
    members: &mut Members<'_>,
    rest: &mut Map<String, Value>,
) -> Result<Option<BlockKind>, ModelError> {
    let image = kind == "image";
    let mut source = members.object("source")?.ok_or_else(|| members.missing("source"))?;
    let read = match source.required_string("type")?.as_str() {
        "base64" => MediaSource::Base64 {
            media_type: source.required_string("media_type")?,
            data: source.required_string("data")?,
        },
        "url" => MediaSource::Url { url: source.required_string("url")?, media_type: None },
        "file" => MediaSource::File { id: source.required_string("file_id")? },
        "text" if !image => {
            // It is always `text/plain`.
            source.string("media_type")?;
            MediaSource::Text { text: source.required_string("data")? }
        }
        _ => return Ok(None),
    };
    source.rest(rest)?;
    let title = if image { None } else { members.string("title")? };
    let media = Media { source: read, title, detail: None };
    Ok(Some(if image { BlockKind::Image(media) } else { BlockKind::Document(media) }))
}
