//! What passes Chat bytes on without translating them, yet wants their usage counted: asking for usage in
//! a body whose caller did not, and knowing the chunk that comes of it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use memchr::memmem;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use systemprompt_core::llm::{ErrorKind, ModelError};

use super::fields::wrong;
use crate::sse::Frame;

/// A body that asks for usage in its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamUsage {
    /// The body. But for `stream_options.include_usage` it is the caller's, byte for byte.
    pub body: Bytes,
    /// Whether the caller had asked already, and so is to see the chunk with the usage.
    pub asked: bool,
}

/// Asks for usage in the stream: sets `stream_options.include_usage` of a request that has `"stream": true`.
/// Any other body stays as it is, for the option is refused there.
///
/// # Errors
/// [`ModelError`] of a body that is no JSON object, or whose `stream_options` is none.
pub fn ask_for_stream_usage(body: &Bytes) -> Result<StreamUsage, ModelError> {
    let members = Members::read(body, &["stream", "stream_options"]).map_err(|error| {
        ModelError::new(
            ErrorKind::InvalidRequest,
            format!("the body of the request is not a JSON object: {error}"),
        )
    })?;
    let [stream, options] = members.found.as_slice() else { return Ok(unchanged(body, false)) };
    if stream.map(RawValue::get) != Some("true") {
        return Ok(unchanged(body, false));
    }
    let Some(options) = options else {
        let end = body.trim_ascii_end().len().saturating_sub(1);
        return Ok(spliced(body, end..end, b",\"stream_options\":{\"include_usage\":true}"));
    };
    if options.get() == "null" {
        return Ok(spliced(body, place(body, options), b"{\"include_usage\":true}"));
    }
    within_options(body, options)
}

fn within_options(body: &Bytes, options: &RawValue) -> Result<StreamUsage, ModelError> {
    let inner = Members::read(options.get().as_bytes(), &["include_usage"])
        .map_err(|_| wrong("stream_options".to_owned(), "an object"))?;
    match inner.found.first().copied().flatten() {
        Some(asked) if asked.get() == "true" => Ok(unchanged(body, true)),
        Some(asked) => match asked.get() {
            "false" | "null" => Ok(spliced(body, place(body, asked), b"true")),
            _ => Err(wrong("stream_options.include_usage".to_owned(), "true or false")),
        },
        None => {
            let at = place(body, options).start + 1;
            let member: &[u8] =
                if inner.is_empty { b"\"include_usage\":true" } else { b"\"include_usage\":true," };
            Ok(spliced(body, at..at, member))
        }
    }
}

/// Whether a frame is the chunk that says nothing but the usage, which comes only because it was asked for:
/// to be counted, and kept from a caller who did not ask.
#[must_use]
pub fn is_usage_chunk(frame: &Frame) -> bool {
    let Some(data) = &frame.data else { return false };
    // Most frames have no usage, and need not be read.
    if memmem::find(data, b"\"usage\"").is_none() {
        return false;
    }
    let Ok(members) = Members::read(data, &["choices", "usage"]) else { return false };
    let [Some(choices), Some(usage)] = members.found.as_slice() else { return false };
    let choices = choices.get().as_bytes();
    let inside = choices.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty()) && usage.get().starts_with('{')
}

fn unchanged(body: &Bytes, asked: bool) -> StreamUsage {
    StreamUsage { body: body.clone(), asked }
}

fn spliced(body: &Bytes, at: Range<usize>, with: &[u8]) -> StreamUsage {
    let (before, after) = (body.get(..at.start), body.get(at.end..));
    let parts = [before.unwrap_or_default(), with, after.unwrap_or_default()];
    StreamUsage { body: parts.concat().into(), asked: false }
}

/// Where `value`, which borrows from `body`, stands in it.
fn place(body: &[u8], value: &RawValue) -> Range<usize> {
    let start = (value.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    start..start + value.get().len()
}

/// The members of an object that were looked for, as they stand. The last of several counts, as it does
/// for servers.
struct Members<'a> {
    found: Vec<Option<&'a RawValue>>,
    is_empty: bool,
}

impl<'a> Members<'a> {
    fn read(json: &'a [u8], names: &'static [&'static str]) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let members = reader.deserialize_map(Names(names))?;
        reader.end()?;
        Ok(members)
    }
}

struct Names(&'static [&'static str]);

impl<'de> Visitor<'de> for Names {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Members { found: vec![None; self.0.len()], is_empty: true };
        while let Some(Key(name)) = map.next_key()? {
            let value: &RawValue = map.next_value()?;
            members.is_empty = false;
            let place = self.0.iter().position(|wanted| *wanted == name);
            if let Some(found) = place.and_then(|at| members.found.get_mut(at)) {
                *found = Some(value);
            }
        }
        Ok(members)
    }
}

/// A name, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::sse::FrameSplitter;

    fn ask(body: &str) -> StreamUsage {
        ask_for_stream_usage(&Bytes::copy_from_slice(body.as_bytes())).unwrap()
    }

    #[test]
    fn only_the_option_is_changed() {
        let cases = [
            (
                "{\"z\": 1,\"stream\":true , \"a\":\"\\u00e9\"} \n",
                "{\"z\": 1,\"stream\":true , \"a\":\"\\u00e9\",\"stream_options\":{\"include_usage\":true}} \n",
            ),
            (
                r#"{"stream":true,"stream_options":null}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true}}"#,
            ),
            (
                r#"{"stream_options": { } ,"stream":true}"#,
                r#"{"stream_options": {"include_usage":true } ,"stream":true}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{ "include_obfuscation":false}}"#,
                r#"{"stream":true,"stream_options":{"include_usage":true, "include_obfuscation":false}}"#,
            ),
            (
                r#"{"stream":true,"stream_options":{"include_usage": false}}"#,
                r#"{"stream":true,"stream_options":{"include_usage": true}}"#,
            ),
            (
                r#"{"stream":true,"stream\u005foptions":{"include_usage":null,"x":[1]}}"#,
                r#"{"stream":true,"stream\u005foptions":{"include_usage":true,"x":[1]}}"#,
            ),
        ];
        for (before, after) in cases {
            let spliced = ask(before);
            assert_eq!(std::str::from_utf8(&spliced.body).unwrap(), after);
            assert!(!spliced.asked);
            let value: Value = serde_json::from_slice(&spliced.body).unwrap();
            assert_eq!(value["stream_options"]["include_usage"], json!(true));
        }
    }

    #[test]
    fn who_asked_or_does_not_stream_is_left_alone() {
        for (body, asked) in [
            (r#"{"stream":true,"stream_options":{"include_usage":true}}"#, true),
            (r#"{"stream":false,"model":"m"}"#, false),
            (r#"{"model":"{\"stream\":true}"}"#, false),
            (r"{}", false),
            (r#"{"stream":true,"stream":false}"#, false),
        ] {
            let spliced = ask(body);
            assert_eq!(&spliced.body[..], body.as_bytes());
            assert_eq!(spliced.asked, asked, "{body}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for (body, field) in [
            ("[]", None),
            ("{\"stream\":true", None),
            ("{\"stream\":true} x", None),
            (r#"{"stream":true,"stream_options":7}"#, Some("stream_options")),
            (
                r#"{"stream":true,"stream_options":{"include_usage":"yes"}}"#,
                Some("stream_options.include_usage"),
            ),
        ] {
            let error = ask_for_stream_usage(&Bytes::from(body)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidRequest);
            assert_eq!(error.field.as_deref(), field, "{body}");
        }
    }

    #[test]
    fn the_usage_chunk_is_known() {
        let cases = [
            (r#"{"id":"a","choices":[],"usage":{"prompt_tokens":1}}"#, true),
            (r#"{"choices":[ ] , "usage": {"prompt_tokens":1}}"#, true),
            (r#"{"choices":[],"prompt_filter_results":[],"usage":null}"#, false),
            (r#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"#, false),
            (r#"{"choices":[{"delta":{"content":"\"usage\""}}]}"#, false),
            (r#"{"choices":[]}"#, false),
            ("[DONE]", false),
        ];
        for (data, is) in cases {
            let frames = format!("data: {data}\n\n: c\n\n");
            let mut splitter = FrameSplitter::from(Bytes::from(frames));
            let frame = splitter.next_frame().unwrap().unwrap();
            assert_eq!(is_usage_chunk(&frame), is, "{data}");
            assert!(!is_usage_chunk(&splitter.next_frame().unwrap().unwrap()));
        }
    }
}
