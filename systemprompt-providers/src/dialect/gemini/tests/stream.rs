use proptest::prelude::*;
use serde_json::json;
use systemprompt_core::llm::{
    AnswerCollector, Delta, ErrorKind, EventOrder, StopReason, StreamEvent,
};

use super::*;
use crate::sse::FrameSplitter;

fn decode(pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut splitter = FrameSplitter::new(1 << 20);
    let mut stream = GeminiUpstream.stream_decoder(&source());
    let mut events = Vec::new();
    for piece in pieces {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame().unwrap() {
            stream.push(&frame, &mut events);
        }
    }
    if let Some(frame) = splitter.finish() {
        stream.push(&frame, &mut events);
    }
    stream.finish(&mut events);
    check(&events);
    events
}

/// That `events` are a stream as [`StreamEvent`] says it is.
fn check(events: &[StreamEvent]) {
    let mut order = EventOrder::default();
    for event in events {
        assert!(!order.is_over(), "nothing comes after the end: {events:?}");
        order.take(event).unwrap_or_else(|fault| panic!("{fault}: {events:?}"));
    }
    assert!(order.is_over(), "every stream has an end: {events:?}");
}

fn frames(all: &[Value]) -> Vec<u8> {
    all.iter().flat_map(|value| format!("data: {value}\r\n\r\n").into_bytes()).collect()
}

fn says(parts: &Value) -> Value {
    json!({"candidates": [{"content": {"role": "model", "parts": parts}}], "responseId": "r", "modelVersion": "m"})
}

/// An answer as it is streamed: thoughts, a text in pieces, two calls, the end, and usage in every frame.
fn stream() -> Vec<Value> {
    let mut all = vec![
        says(&json!([{"text": "let me ", "thought": true}])),
        says(&json!([{"text": "see", "thought": true}])),
        says(&json!([{"text": "Grüße, "}])),
        says(&json!([{"text": "Welt 🌍"}])),
        says(&json!([
            {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "Y2FsbA=="},
            {"functionCall": {"name": "g", "args": {}}},
        ])),
        says(&json!([{"text": "", "thoughtSignature": "ZW5k"}])),
    ];
    all[0]["usageMetadata"] = json!({"promptTokenCount": 1000, "cachedContentTokenCount": 700});
    all[5]["usageMetadata"] = json!({"promptTokenCount": 1000, "cachedContentTokenCount": 700,
        "candidatesTokenCount": 20, "thoughtsTokenCount": 5});
    all[5]["candidates"][0]["finishReason"] = json!("STOP");
    all
}

fn collect(events: Vec<StreamEvent>) -> Result<Answer, ModelError> {
    let mut collector = AnswerCollector::default();
    events.into_iter().for_each(|event| collector.push(event));
    collector.finish()
}

fn error_of(events: &[StreamEvent]) -> &ModelError {
    match events.last() {
        Some(StreamEvent::Error(error)) => error,
        other => panic!("no error: {other:?}"),
    }
}

#[test]
fn a_streamed_answer_is_the_whole_answer() {
    let all = stream();
    let answer = collect(decode(&[&frames(&all)])).unwrap();
    let parts: Vec<Value> = all
        .iter()
        .flat_map(|frame| frame["candidates"][0]["content"]["parts"].as_array().unwrap().clone())
        .collect();
    let mut whole = says(&Value::Array(parts));
    whole["candidates"][0]["finishReason"] = json!("STOP");
    whole["usageMetadata"] = all[5]["usageMetadata"].clone();
    let mut whole = GeminiUpstream.decode_answer(whole.to_string().as_bytes(), &source()).unwrap();
    whole.content.iter_mut().for_each(|block| block.origin = None);
    assert_eq!(answer, whole);
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    assert_eq!((answer.usage.input, answer.usage.cache_read), (300, 700));
    assert_eq!((answer.usage.output, answer.usage.reasoning), (25, Some(5)));
    assert_eq!(answer.content.len(), 5);
}

/// A step with parallel calls as Gemini 3 streams it: a thought, the calls in one frame, the first signed.
#[test]
fn a_recorded_step_is_read() {
    let bytes = include_str!("golden/calls.sse").replace('\n', "\r\n");
    let answer = collect(decode(&[bytes.as_bytes()])).unwrap();
    assert_eq!(answer.id, "mAkpaZ3eFcS7xN8P3tWZ0Ao");
    assert_eq!(answer.model, "gemini-3-pro-preview");
    assert_eq!(answer.stop_reason, StopReason::ToolUse);
    assert_eq!(answer.usage.prompt(), 142);
    assert_eq!((answer.usage.input, answer.usage.cache_read), (14, 128));
    assert_eq!((answer.usage.output, answer.usage.reasoning), (133, Some(97)));
    let calls: Vec<(String, Option<String>)> = answer
        .content
        .into_iter()
        .filter_map(|block| match block.kind {
            BlockKind::ToolUse { input, state, .. } => {
                Some((input.as_str().to_owned(), state.map(|state| state.data)))
            }
            _ => None,
        })
        .collect();
    let signature = Some("CiQBVKhc7vB1y2lnbmF0dXJlIG9mIHRoZSBmaXJzdCBjYWxs".to_owned());
    let expected =
        [(r#"{"city":"Oslo"}"#.to_owned(), signature), (r#"{"city":"Tromsø"}"#.to_owned(), None)];
    assert_eq!(calls, expected);
}

#[test]
fn texts_come_as_they_are_streamed() {
    let events = decode(&[&frames(&stream()[2..])]);
    let texts: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            StreamEvent::Delta { delta: Delta::Text(text), .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["Grüße, ", "Welt 🌍"]);
}

#[test]
fn usage_may_come_after_the_end() {
    let mut all = stream();
    let usage = all[5].as_object_mut().unwrap().remove("usageMetadata").unwrap();
    all.push(json!({ "usageMetadata": usage }));
    let events = decode(&[&frames(&all)]);
    assert!(matches!(events.last(), Some(StreamEvent::Stop { reason: StopReason::ToolUse, .. })));
    assert_eq!(collect(events).unwrap().usage.output, 25);
}

#[test]
fn a_stream_without_its_end_was_cut_off() {
    for length in 0..6 {
        let events = decode(&[&frames(&stream()[..length])]);
        assert_eq!(error_of(&events).code.as_deref(), Some("upstream_cut_off"), "{length}");
    }
    let mut bytes = frames(&stream());
    bytes.truncate(bytes.len() - 20);
    let events = decode(&[&bytes]);
    assert_eq!(error_of(&events).kind, ErrorKind::BadGateway);
}

#[test]
fn an_error_in_the_middle_ends_the_stream() {
    let error = json!({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}});
    for error in [error.clone(), json!([error])] {
        let events = decode(&[&frames(&[stream()[2].clone(), error, stream()[5].clone()])]);
        let error = error_of(&events);
        assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Overloaded, "overloaded"));
    }
}

#[test]
fn an_error_that_is_no_event_is_still_an_error() {
    let body = b"[{\"error\": {\"code\": 429, \"status\": \"RESOURCE_EXHAUSTED\"}}]\n\n";
    assert_eq!(error_of(&decode(&[body])).kind, ErrorKind::RateLimit);
}

#[test]
fn a_malformed_call_is_an_error_and_never_an_end() {
    let mut last = says(&json!([]));
    last["candidates"][0]["finishReason"] = json!("MALFORMED_FUNCTION_CALL");
    let events = decode(&[&frames(&[stream()[2].clone(), last])]);
    assert_eq!(error_of(&events).code.as_deref(), Some("malformed_function_call"));
}

#[test]
fn a_blocked_prompt_is_a_refusal() {
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "m"});
    let answer = collect(decode(&[&frames(&[blocked])])).unwrap();
    assert_eq!(answer.stop_reason, StopReason::Refusal);
}

#[test]
fn a_frame_that_cannot_be_read_is_an_error() {
    for data in [
        "{",
        "7",
        "\"x\"",
        "{\"candidates\": {}}",
        "[1]",
        "{\"candidates\": [{\"content\": {\"parts\": [1]}}]}",
    ] {
        let bytes = format!("data: {data}\r\n\r\n");
        let events = decode(&[bytes.as_bytes()]);
        assert_eq!(error_of(&events).code.as_deref(), Some("upstream_unreadable"), "{data}");
    }
}

#[test]
fn other_candidates_comments_and_end_marks_are_passed_over() {
    let mut all = stream();
    all[2]["candidates"].as_array_mut().unwrap().insert(
        0,
        json!({"index": 1, "content": {"parts": [{"text": "another"}]}, "finishReason": "OTHER"}),
    );
    let mut bytes = b": ping\r\n\r\n".to_vec();
    bytes.extend(frames(&all));
    bytes.extend(b"data: [DONE]\n\n");
    assert_eq!(collect(decode(&[&bytes])), collect(decode(&[&frames(&stream())])));
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let bytes = frames(&stream());
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        at.extend([0, bytes.len()]);
        at.sort_unstable();
        let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(&pieces), decode(&[&bytes]));
    }

    #[test]
    fn hostile_bytes_never_panic(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        // `decode` checks that what comes out is a stream.
        let mut bytes = frames(&stream());
        let at = at.index(bytes.len());
        let end = (at + cut.index(60)).min(bytes.len());
        bytes.splice(at..end, noise.iter().copied());
        decode(&[&bytes]);
        decode(&[&noise]);
        _ = GeminiUpstream.decode_answer(&noise, &source());
        _ = GeminiUpstream.decode_error(500, &noise);
    }

    #[test]
    fn a_frame_of_any_json_never_panics(
        text in r#"[\[\]{}",:a0\\]{0,30}"#,
        member in "(candidates|usageMetadata|promptFeedback|error|responseId)",
    ) {
        decode(&[format!("data: {text}\n\n").as_bytes()]);
        decode(&[format!("data: {{\"{member}\": {text}}}\n\n").as_bytes()]);
    }
}
