//! What of an answer no codec reads: it is passed on as it came, and looked through like anything else.

use serde_json::{Value, json};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Script, sse};

use super::house::{House, Reply};
use super::scanner::{CANARY, PLANTED, REDACTED};
use super::wire::{Part, Text, Wire};

fn frame(event: &Value) -> String {
    format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap())
}

fn start(index: usize, block: &Value) -> String {
    frame(&json!({"type": "content_block_start", "index": index, "content_block": block}))
}

fn delta(index: usize, delta: &Value) -> String {
    frame(&json!({"type": "content_block_delta", "index": index, "delta": delta}))
}

fn stop(index: usize) -> String {
    frame(&json!({"type": "content_block_stop", "index": index}))
}

/// A streamed answer of a text, with these frames behind it.
fn answer(frames: &[String]) -> Vec<String> {
    let mut all = Wire::A.stream(&[Text("So.")]);
    let end = all.len() - 2;
    all.splice(end..end, frames.iter().cloned());
    all
}

/// A block of a type that nobody knows, which says `text` in pieces, and in places of its own.
fn stranger(text: &str) -> Vec<String> {
    let mut frames = vec![start(1, &json!({"type": "brand_new", "label": "x", "said": ""}))];
    let pieces: Vec<char> = text.chars().collect();
    for piece in pieces.chunks(5) {
        let piece: String = piece.iter().collect();
        frames.push(delta(1, &json!({"type": "brand_new_delta", "said": piece})));
    }
    frames.push(stop(1));
    frames
}

async fn asked(house: &House, frames: &[String]) -> Reply {
    house.plays(Wire::A, sse(frames));
    let reply = house.ask(Wire::A, Wire::A.request("a-x", true)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// Streams in which the text stands where no codec looks: each with whether clients of today read it all.
fn streams(text: &str) -> Vec<(&'static str, Vec<String>)> {
    let citation = json!({"type": "char_location", "cited_text": text, "document_index": 0});
    let plain = Wire::A.stream(&[Text("So.")]);
    let with = |at: usize, frame: String| {
        let mut frames = plain.clone();
        frames.insert(at, frame);
        frames
    };
    let replaced = |from: &str, to: &Value| -> Vec<String> {
        let to = to.to_string();
        let to = if from.ends_with(',') { format!("{},", &to[1..to.len() - 1]) } else { to };
        let frames: Vec<String> = plain.iter().map(|frame| frame.replace(from, &to)).collect();
        assert_ne!(frames, plain);
        frames
    };
    let cut: Vec<char> = text.chars().collect();
    let mut pieces = plain.clone();
    for (at, piece) in cut.chunks(3).enumerate() {
        let piece: String = piece.iter().collect();
        pieces.insert(3 + at, delta(0, &json!({"type": "aside_delta", "aside": piece})));
    }
    vec![
        ("a block", answer(&stranger(text))),
        ("its beginning", answer(&[start(1, &json!({"type": "brand_new", "x": [text]})), stop(1)])),
        ("a block without an end", answer(&stranger(text)[..stranger(text).len() - 1])),
        (
            "a result of the provider's tool",
            answer(&[
                start(
                    1,
                    &json!({"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
                        "content": [{"type": "web_search_result", "url": "https://e.org", "title": text}]}),
                ),
                stop(1),
            ]),
        ),
        ("pieces of another kind", pieces),
        (
            "a citation",
            with(4, delta(0, &json!({"type": "citations_delta", "citation": citation}))),
        ),
        ("an event", with(3, frame(&json!({"type": "brand_new", "x": {"y": text}})))),
        ("a ping", with(3, frame(&json!({"type": "ping", "x": text})))),
        ("a member", replaced("\"index\":0,", &json!({"index": 0, "x": text}))),
        (
            "a member of a piece",
            replaced(
                r#"{"text":"So.","type":"text_delta"}"#,
                &json!({"text": "So.", "type": "text_delta", "x": text}),
            ),
        ),
        (
            "a piece of another block",
            replaced(
                r#"{"text":"So.","type":"text_delta"}"#,
                &json!({"thinking": text, "type": "thinking_delta"}),
            ),
        ),
        (
            "citations of a beginning",
            replaced(
                r#"{"text":"","type":"text"}"#,
                &json!({"type": "text", "text": "", "citations": [citation]}),
            ),
        ),
    ]
}

#[tokio::test]
async fn what_nobody_knows_is_passed_on_as_it_came() {
    let house = House::new().await;
    for (number, (what, frames)) in (1..).zip(streams("nothing that is secret")) {
        let reply = asked(&house, &frames).await;
        // A block that never ends is no answer of this wire, and ends with its neighbour.
        if what != "a block without an end" {
            assert_eq!(reply.text(), frames.concat(), "{what}");
        }
        assert_eq!(house.record(number).await.status, AiRequestStatus::Success, "{what}");
    }
    house.is_settled().await;
}

#[tokio::test]
async fn what_nobody_knows_is_looked_through() {
    let house = House::new().await;
    for (number, (what, frames)) in (1..).zip(streams(&format!("a key: {PLANTED}, and"))) {
        let reply = asked(&house, &frames).await;
        assert!(!reply.text().contains("PLANTED"), "{what} {}", reply.text());
        assert!(!reply.text().contains("0123456789"), "{what} {}", reply.text());
        Wire::A.check(&reply.body, false);
        let got = Wire::A.read_stream(&reply.body);
        if what != "a piece of another block" {
            assert_eq!(got.text, "So.", "{what}");
        }
        assert_eq!((got.stop.as_str(), got.error), ("end_turn", None), "{what}");
        assert_eq!(house.record(number).await.status, AiRequestStatus::Success, "{what}");
    }
    house.is_settled().await;
}

#[tokio::test]
async fn what_nobody_knows_and_must_not_be_said_ends_the_answer() {
    let house = House::new().await;
    for (number, (what, frames)) in (1..).zip(streams(&format!("a key: {CANARY}, and"))) {
        let reply = asked(&house, &frames).await;
        assert!(!reply.text().contains("CANARY"), "{what} {}", reply.text());
        assert!(!reply.text().contains("9876543210"), "{what} {}", reply.text());
        Wire::A.check(&reply.body, false);
        assert!(Wire::A.read_stream(&reply.body).error.is_some(), "{what} {}", reply.text());
        let record = house.record(number).await;
        assert_eq!(record.status, AiRequestStatus::Failed, "{what}");
        assert_eq!(record.error_code.as_deref(), Some("secret_detected"), "{what}");
    }
    house.is_settled().await;
}

#[tokio::test]
async fn a_block_that_nobody_knows_is_looked_through_wherever_it_is_cut() {
    let house = House::new().await;
    let clean = answer(&stranger("nothing that is secret")).concat().into_bytes();
    let secret = answer(&stranger(PLANTED)).concat().into_bytes();
    for at in (1..secret.len()).step_by(41) {
        let (first, last) = clean.split_at(at.min(clean.len()));
        let reply =
            asked(&house, &[first, last].map(|it| String::from_utf8(it.to_vec()).unwrap())).await;
        assert_eq!(reply.body, clean, "{at}");
        let (first, last) = secret.split_at(at);
        let reply =
            asked(&house, &[first, last].map(|it| String::from_utf8(it.to_vec()).unwrap())).await;
        assert!(!reply.text().contains("sk-PL"), "{at} {}", reply.text());
    }
}

/// The same of the other dialects.
fn streams_of_others(text: &str) -> Vec<(Wire, &'static str, Vec<String>)> {
    let at = |wire: Wire, place: usize, more: Vec<String>| {
        let mut frames = wire.stream(&[Text("So.")]);
        frames.splice(place..place, more);
        frames
    };
    let chunk = |more: &Value| {
        let mut chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
            "model": "up", "choices": [{"index": 0, "delta": {}, "finish_reason": null}]});
        chunk["choices"][0]["delta"]["aside"] = more.clone();
        format!("data: {chunk}\n\n")
    };
    let mut sources: Value = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk",
        "created": 1, "model": "up", "choices": []});
    sources["citations"] = json!([text]);
    let item =
        json!({"type": "code_interpreter_call", "id": "ci_1", "status": "in_progress", "code": ""});
    let mut done = item.clone();
    (done["status"], done["code"]) = (json!("completed"), json!(text));
    let event = |kind: &str, more: Value| {
        let mut event = json!({"type": kind, "sequence_number": 0, "output_index": 1});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        frame(&event)
    };
    let pieces: Vec<char> = text.chars().collect();
    let pieces = pieces.chunks(4).map(|piece| {
        let piece: String = piece.iter().collect();
        event(
            "response.code_interpreter_call_code.delta",
            json!({"item_id": "ci_1", "delta": piece}),
        )
    });
    let mut code = vec![event("response.output_item.added", json!({"item": item}))];
    code.extend(pieces);
    code.push(event("response.output_item.done", json!({"item": done})));
    let end = Wire::R.stream(&[Text("So.")]).len() - 1;
    let note = json!({"item_id": "msg_up_0", "output_index": 0, "content_index": 0,
        "annotation_index": 0, "annotation": {"type": "url_citation", "title": text}});
    let mut code = at(Wire::R, end, code);
    // The end repeats it.
    let last = code.pop().unwrap();
    code.push(last.replace("\"output\":[", &format!("\"output\":[{done},")));
    vec![
        (Wire::C, "a member", at(Wire::C, 2, vec![chunk(&json!({"x": [text]}))])),
        (Wire::C, "sources", at(Wire::C, 2, vec![format!("data: {sources}\n\n")])),
        (
            Wire::R,
            "an annotation",
            at(Wire::R, 5, vec![event("response.output_text.annotation.added", note)]),
        ),
        (
            Wire::R,
            "an event",
            at(
                Wire::R,
                3,
                vec![event("response.brand_new", json!({"output_index": 0, "x": text}))],
            ),
        ),
        (Wire::R, "pieces of an item", code),
    ]
}

#[tokio::test]
async fn what_nobody_knows_of_other_dialects_is_looked_through() {
    for (text, clean) in [("nothing that is secret", true), (PLANTED, false)] {
        for (wire, what, mut frames) in streams_of_others(text) {
            let house = House::new().await;
            if wire == Wire::R {
                frames = super::streams::numbered(frames.into_iter());
            }
            let mut asked = wire.request(&format!("{wire:?}-x").to_lowercase(), true);
            if wire == Wire::C {
                asked["stream_options"] = json!({"include_usage": true});
            }
            house.plays(wire, sse(&frames));
            let reply = house.ask(wire, &asked).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            assert_eq!(house.record(1).await.status, AiRequestStatus::Success, "{what}");
            if clean {
                assert_eq!(reply.text(), frames.concat(), "{wire:?} {what}");
                continue;
            }
            assert!(!reply.text().contains("PLAN"), "{wire:?} {what} {}", reply.text());
            assert!(!reply.text().contains("789"), "{wire:?} {what} {}", reply.text());
            wire.check(&reply.body, true);
            assert_eq!(wire.read_stream(&reply.body).text, "So.", "{wire:?} {what}");
            house.is_settled().await;
        }
    }
}

/// Parts of whole answers in which the text stands where no codec looks.
fn wholes(text: &str) -> Vec<(&'static str, String)> {
    let plain = Wire::A.whole(&[Text("So.")]);
    let with = |change: &dyn Fn(&mut Value)| {
        let mut answer: Value = serde_json::from_str(&plain).unwrap();
        change(&mut answer);
        answer.to_string()
    };
    vec![
        (
            "a block",
            with(&|answer| {
                let block = json!({"type": "brand_new", "x": {"y": [text]}});
                answer["content"].as_array_mut().unwrap().push(block);
            }),
        ),
        ("a member", with(&|answer| answer["x"] = json!(text))),
        (
            "citations",
            with(&|answer| answer["content"][0]["citations"] = json!([{"cited_text": text}])),
        ),
        ("why it ended", with(&|answer| answer["stop_details"] = json!({"explanation": text}))),
    ]
}

#[tokio::test]
async fn what_nobody_knows_of_a_whole_answer_is_looked_through() {
    let house = House::new().await;
    let mut number = 0;
    let asked = Wire::A.request("a-x", false);
    for (what, body) in wholes("nothing that is secret") {
        house.plays(Wire::A, Script::json(body.clone()));
        assert_eq!(house.ask(Wire::A, &asked).await.text(), body, "{what}");
        number += 1;
    }
    for (what, body) in wholes(PLANTED) {
        house.plays(Wire::A, Script::json(body));
        let reply = house.ask(Wire::A, &asked).await;
        assert_eq!(reply.status, 200, "{what}");
        assert!(!reply.text().contains("PLANTED"), "{what} {}", reply.text());
        assert_eq!(Wire::A.read_whole(&reply.body).text, "So.", "{what}");
        number += 1;
    }
    for (what, body) in wholes(CANARY) {
        house.plays(Wire::A, Script::json(body));
        let reply = house.ask(Wire::A, &asked).await;
        assert_eq!(reply.status, 400, "{what}");
        assert!(!reply.text().contains("CANARY"), "{what} {}", reply.text());
        number += 1;
        let record = house.record(number).await;
        assert_eq!(record.error_code.as_deref(), Some("secret_detected"), "{what}");
    }
    house.is_settled().await;
}

#[tokio::test]
async fn what_nobody_knows_of_a_request_is_looked_through() {
    let house = House::new().await;
    for wire in [Wire::A, Wire::C, Wire::R] {
        house.says(wire, &[Text("So.")], false);
        let model = format!("{wire:?}-x").to_lowercase();
        for (text, status) in [("nothing that is secret", 200), (PLANTED, 200), (CANARY, 400)] {
            let mut asked = wire.request(&model, false);
            let turns = if wire == Wire::R { "input" } else { "messages" };
            let block = json!({"type": "brand_new", "x": {"y": [text]}});
            let known = if wire == Wire::R { "input_text" } else { "text" };
            if wire == Wire::A {
                asked[turns][0]["content"] = json!([{"type": known, "text": "hi"}, block]);
            }
            asked["brand_new"] = json!({"x": {"y": [text]}});
            asked[turns][0]["brand_new"] = json!(text);
            let before = house.upstream.requests();
            let reply = house.ask(wire, &asked).await;
            assert_eq!(reply.status, status, "{wire:?} {text} {}", reply.text());
            assert_eq!(house.upstream.requests() - before, usize::from(status == 200));
            if status == 200 {
                let seen = String::from_utf8(house.seen().body.to_vec()).unwrap();
                assert!(!seen.contains("PLANTED"), "{wire:?} {seen}");
                let said = if text == PLANTED { REDACTED } else { text };
                let times = if wire == Wire::A { 3 } else { 2 };
                assert_eq!(seen.matches(said).count(), times, "{wire:?} {seen}");
            }
        }
    }
}

#[tokio::test]
async fn tools_that_the_provider_runs_are_recorded() {
    let parts: [Part; 1] = [Text("So.")];
    let blocks = [
        json!({"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}),
        json!({"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "list", "server_name": "files",
            "input": {}}),
        json!({"type": "brand_new_tool_use", "id": "b_1", "name": "dig", "input": {}}),
        json!({"type": "server_tool_use", "id": "srvtoolu_2", "name": "web_search", "input": {}}),
    ];
    let tools = ["web_search", "files/list", "dig"];
    let mut frames = Vec::new();
    for (at, block) in (1..).zip(&blocks) {
        let input = json!({"type": "input_json_delta", "partial_json": r#"{"q":"x"}"#});
        frames.extend([start(at, block), delta(at, &input), stop(at)]);
    }
    let house = House::new().await;
    let frames = answer(&frames);
    assert_eq!(asked(&house, &frames).await.text(), frames.concat());
    assert_eq!(house.record(1).await.detail.provider_tools, tools);
    let mut whole: Value = serde_json::from_str(&Wire::A.whole(&parts)).unwrap();
    whole["content"].as_array_mut().unwrap().extend(blocks);
    house.plays(Wire::A, Script::json(whole.to_string()));
    house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    assert_eq!(house.record(2).await.detail.provider_tools, tools);

    let items = [
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        json!({"type": "mcp_call", "id": "mcp_1", "server_label": "files", "name": "list",
            "arguments": "{}", "output": null}),
        json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "status": "completed",
            "action": {"type": "exec", "command": ["ls"]}}),
    ];
    let mut whole: Value = serde_json::from_str(&Wire::R.whole(&parts)).unwrap();
    whole["output"].as_array_mut().unwrap().extend(items);
    house.plays(Wire::R, Script::json(whole.to_string()));
    house.ask(Wire::R, Wire::R.request("r-x", false)).await;
    let record = house.record(3).await;
    assert_eq!(record.detail.provider_tools, ["web_search", "files/list"]);
    // Nobody decides them but what the caller runs.
    assert_eq!(house.governor.tools().len(), 1);
}
