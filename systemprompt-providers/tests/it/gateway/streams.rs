//! Calls of tools and secrets in answers, however the bytes of the provider are cut.

use sha2::{Digest as _, Sha256};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Script, sse};

use super::governor::SAFE;
use super::house::House;
use super::scanner::{CANARY, PLANTED, REDACTED};
use super::wire::{Call, FRONTS, Got, Part, Refusal, Text, Thought, UPSTREAMS, Wire};

/// The id and the arguments of the call that must not be seen.
const FORBIDDEN: Part = Call("call_bad", "danger_delete", r#"{"path":"/etc/shadow"}"#);

const ALLOWED: Part = Call("call_ok", "allowed", r#"{"path":"/tmp/x"}"#);

fn model(upstream: Wire) -> String {
    format!("{upstream:?}-x").to_lowercase()
}

/// Asserts that nothing of the forbidden call is in an answer but the sentence about it.
#[track_caller]
fn is_denied(what: &str, front: Wire, got: &Got, body: &str, allowed: usize) {
    let sentence = "The call of the tool `danger_delete` was denied by policy (blocked)";
    assert_eq!(got.text.matches(sentence).count(), 1, "{what} {got:?}");
    assert!(!body.contains("call_bad") && !body.contains("shadow"), "{what} {body}");
    assert_eq!(got.calls.len(), allowed, "{what} {got:?}");
    assert!(got.calls.iter().all(|(name, _)| name == "allowed"), "{what} {got:?}");
    assert_eq!(got.error, None, "{what}");
    let stop = match (front, allowed) {
        (Wire::A, 0) => "end_turn",
        (Wire::A, _) => "tool_use",
        (Wire::C, 0) => "stop",
        (Wire::C, _) => "tool_calls",
        _ => "completed",
    };
    assert_eq!(got.stop, stop, "{what}");
}

/// Streams are cut at every so many bytes: a prime, so that the cuts fall everywhere in a frame.
const CUT_EVERY: usize = 61;

/// Every way to cut a stream: whole, in bytes, and at each `step`th byte.
fn cuts(all: &[u8], step: usize) -> impl Iterator<Item = Script> + '_ {
    let whole = [sse([all]), sse(all.chunks(1))];
    let at = (1..all.len()).step_by(step).map(|at| sse([&all[..at], &all[at..]]));
    whole.into_iter().chain(at)
}

#[tokio::test]
async fn a_forbidden_call_is_denied_on_every_way() {
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let house = House::new().await;
            for (parts, allowed) in [
                (vec![Text("I will."), FORBIDDEN], 0),
                (vec![FORBIDDEN], 0),
                (vec![Thought("hm"), ALLOWED, FORBIDDEN], 1),
                (vec![FORBIDDEN, ALLOWED], 1),
            ] {
                for stream in [false, true] {
                    let what = format!("{front:?}->{upstream:?} {stream} {parts:?}");
                    house.says(upstream, &parts, stream);
                    let (got, reply) = house.got(front, &model(upstream), stream).await;
                    is_denied(&what, front, &got, &reply.text(), allowed);
                    house.gateway.settled().await;
                    let number = house.governor.records().len();
                    let record = house.record(number).await;
                    assert_eq!(record.status, AiRequestStatus::Success, "{what}");
                    let detail = &record.detail;
                    assert_eq!(
                        (detail.tool_calls_allowed as usize, detail.tool_calls_denied),
                        (allowed, 1),
                        "{what}"
                    );
                    assert_eq!((record.tokens.input, record.tokens.output), (11, 7), "{what}");
                }
            }
            house.is_settled().await;
        }
    }
}

/// Cuts the stream with a forbidden call at every seventh byte.
async fn cut_everywhere(front: Wire) {
    for upstream in UPSTREAMS {
        let house = House::new().await;
        let parts = [Text("I will."), ALLOWED, FORBIDDEN];
        let all = upstream.stream(&parts).concat().into_bytes();
        for (number, script) in cuts(&all, CUT_EVERY).enumerate() {
            house.plays(upstream, script);
            let (got, reply) = house.got(front, &model(upstream), true).await;
            let what = format!("{front:?}->{upstream:?} {number}");
            is_denied(&what, front, &got, &reply.text(), 1);
        }
    }
}

#[tokio::test]
async fn a_cut_stream_for_anthropic_is_governed() {
    cut_everywhere(Wire::A).await;
}

#[tokio::test]
async fn a_cut_stream_for_chat_is_governed() {
    cut_everywhere(Wire::C).await;
}

#[tokio::test]
async fn a_cut_stream_for_responses_is_governed() {
    cut_everywhere(Wire::R).await;
}

#[tokio::test]
async fn allowed_calls_pass_unchanged() {
    let house = House::new().await;
    let parts = [Thought("hm"), Text("So."), ALLOWED, Call("call_2", "allowed", "{}")];
    for wire in FRONTS {
        let all = wire.stream(&parts).concat().into_bytes();
        let mut asked = wire.request(&model(wire), true);
        if wire == Wire::C {
            asked["stream_options"] = serde_json::json!({"include_usage": true});
        }
        for (number, script) in cuts(&all, 31).enumerate() {
            house.plays(wire, script);
            let reply = house.ask(wire, &asked).await;
            assert_eq!(
                Sha256::digest(&reply.body),
                Sha256::digest(&all),
                "{wire:?} {number} {}",
                reply.text()
            );
        }
    }
}

#[tokio::test]
async fn arguments_are_rewritten() {
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let house = House::new().await;
            let parts = [
                Text("So."),
                ALLOWED,
                Call("call_r", "rewritten_path", r#"{"path":"/etc/shadow"}"#),
            ];
            for stream in [false, true] {
                let what = format!("{front:?}->{upstream:?} {stream}");
                house.says(upstream, &parts, stream);
                let (got, reply) = house.got(front, &model(upstream), stream).await;
                let calls: Vec<_> =
                    got.calls.iter().map(|(name, input)| (name.as_str(), input.as_str())).collect();
                let expected = [("allowed", r#"{"path":"/tmp/x"}"#), ("rewritten_path", SAFE)];
                assert_eq!(calls, expected, "{what}");
                assert!(!reply.text().contains("shadow"), "{what}");
                assert_eq!(got.text, "So.", "{what}");
            }
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn a_secret_in_an_answer_is_redacted() {
    const SAID: &str = "the key is sk-PLANTED-0123456789, keep it; sk-PLAN is none";
    let redacted = SAID.replace(PLANTED, REDACTED);
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let house = House::new().await;
            for (parts, thought) in [
                ([Text(SAID), ALLOWED], false),
                ([Thought(SAID), Text("done")], true),
                ([Refusal(SAID), Text("")], false),
            ] {
                let parts: Vec<Part> = parts.into_iter().filter(|part| *part != Text("")).collect();
                for stream in [false, true] {
                    let what = format!("{front:?}->{upstream:?} {stream} {parts:?}");
                    house.says(upstream, &parts, stream);
                    let (got, reply) = house.got(front, &model(upstream), stream).await;
                    let said = if thought { &got.thought } else { &got.text };
                    assert_eq!(*said, redacted, "{what}");
                    assert!(!reply.text().contains("PLANTED"), "{what} {}", reply.text());
                    assert_eq!(got.error, None, "{what}");
                }
            }
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn a_secret_is_found_wherever_it_is_cut() {
    for wire in FRONTS {
        let house = House::new().await;
        let all = wire.stream(&[Text("one sk-PLANTED-0123456789 two")]).concat().into_bytes();
        for script in cuts(&all, CUT_EVERY) {
            house.plays(wire, script);
            let (got, reply) = house.got(wire, &model(wire), true).await;
            assert_eq!(got.text, format!("one {REDACTED} two"), "{wire:?}");
            assert!(!reply.text().contains("PLANTED"), "{}", reply.text());
        }
    }
}

/// What was passed on of a block before its first word is not begun again.
#[tokio::test]
async fn a_secret_may_be_the_first_word() {
    for wire in FRONTS {
        for part in [Text(PLANTED), Thought(PLANTED), Refusal(PLANTED)] {
            let house = House::new().await;
            let parts = [part, Text("So.")];
            for frames in [wire.stream(&parts), wire.stream(&parts[..1])] {
                let all = frames.concat().into_bytes();
                for script in [sse(&frames), sse([&all]), sse(all.chunks(1))] {
                    house.plays(wire, script);
                    let (got, reply) = house.got(wire, &model(wire), true).await;
                    let what = format!("{wire:?} {} {}", parts.len(), reply.text());
                    assert!(got.text.contains(REDACTED) || got.thought == REDACTED, "{what}");
                    assert!(!reply.text().contains("PLANTED"), "{what}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_must_not_be_said_ends_the_answer() {
    for front in FRONTS {
        for upstream in UPSTREAMS {
            for part in [
                Text("first cn-CANARY-9876543210 last"),
                Thought("first cn-CANARY-9876543210 last"),
            ] {
                let house = House::new().await;
                let what = format!("{front:?}->{upstream:?} {part:?}");
                let parts = [part, ALLOWED];
                house.says(upstream, &parts, true);
                let (got, reply) = house.got(front, &model(upstream), true).await;
                assert!(got.error.is_some(), "{what} {got:?}");
                assert!(got.calls.is_empty(), "{what}");
                assert!(!reply.text().contains("CANARY"), "{what} {}", reply.text());
                let record = house.record(1).await;
                assert_eq!(
                    (record.status, record.error_code.as_deref()),
                    (AiRequestStatus::Failed, Some("secret_detected")),
                    "{what}"
                );

                house.says(upstream, &parts, false);
                let reply = house.ask(front, front.request(&model(upstream), false)).await;
                assert_eq!(reply.status, 400, "{what} {}", reply.text());
                assert!(!reply.text().contains(CANARY), "{what}");
                assert!(reply.text().contains("secret_detected"), "{what} {}", reply.text());
                house.record(2).await;
                house.is_settled().await;
            }
        }
    }
}

/// A call whose name comes last, among pieces that say nothing by themselves.
#[tokio::test]
async fn a_call_that_is_named_late_is_held() {
    let house = House::new().await;
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up\",\
             \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let frames = [
        chunk(r#"{"role":"assistant","content":"So."}"#, "null"),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_bad","type":"function","function":{"arguments":"{\"path\":\"/etc/sh"}}]}"#,
            "null",
        ),
        ": a comment\n\n".to_owned(),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"adow\"}"}}]}"#, "null"),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"name":"danger_delete"}}]}"#, "null"),
        chunk("{}", "\"tool_calls\""),
        "data: [DONE]\n\n".to_owned(),
    ];
    house.plays(Wire::C, sse(&frames));
    let (got, reply) = house.got(Wire::C, "c-x", true).await;
    is_denied("late", Wire::C, &got, &reply.text(), 0);
    assert!(!reply.text().contains("etc"), "{}", reply.text());
}

/// Events of Responses, numbered anew.
pub(super) fn numbered(frames: impl Iterator<Item = String>) -> Vec<String> {
    let frames = frames.enumerate().map(|(number, frame)| {
        let (name, data) = frame.trim_end().split_once("\ndata: ").unwrap();
        let mut event: serde_json::Value = serde_json::from_str(data).unwrap();
        event["sequence_number"] = number.into();
        format!("{name}\ndata: {event}\n\n")
    });
    frames.collect()
}

/// What was passed on before the policy changes something, the encoder does not know.
#[tokio::test]
async fn what_only_the_dialect_knows_stays_before_a_change() {
    let house = House::new().await;
    let odd = r#"{"type":"brand_new","x":[1]}"#;
    let frames: Vec<String> = Wire::A
        .stream(&[Text("x"), FORBIDDEN])
        .into_iter()
        .filter(|frame| !frame.contains("text_delta"))
        .map(|frame| frame.replace(r#"{"text":"","type":"text"}"#, odd))
        .collect();
    house.plays(Wire::A, sse(&frames));
    let reply = house.ask(Wire::A, Wire::A.request("a-x", true)).await;
    // The grammar knows no block that is new.
    let known = reply.text().replace(odd, r#"{"type":"redacted_thinking","data":"eA=="}"#);
    Wire::A.check(known.as_bytes(), false);
    is_denied("A", Wire::A, &Wire::A.read_stream(known.as_bytes()), &reply.text(), 0);
    assert!(reply.text().starts_with(&frames[..4].concat()), "{}", reply.text());

    let item = r#"{"type":"web_search_call","id":"ws_1","status":"completed","action":{"type":"search","query":"q"}}"#;
    let mut frames: Vec<String> = Wire::R
        .stream(&[Thought("hm"), Text("one"), ALLOWED, FORBIDDEN, Text("two")])
        .into_iter()
        .map(|frame| {
            let shift = |frame: String, at: usize| {
                frame.replace(
                    &format!("\"output_index\":{at}"),
                    &format!("\"output_index\":{}", at + 1),
                )
            };
            (0..5)
                .rev()
                .fold(frame, shift)
                .replace("\"output\":[{", &format!("\"output\":[{item},{{"))
        })
        .collect();
    for kind in ["done", "added"] {
        let frame = format!(
            "event: response.output_item.{kind}\ndata: {{\"type\":\"response.output_item.{kind}\",\
             \"sequence_number\":0,\"output_index\":0,\"item\":{item}}}\n\n"
        );
        frames.insert(2, frame);
    }
    let frames = numbered(frames.into_iter());
    house.plays(Wire::R, sse(&frames));
    let (got, reply) = house.got(Wire::R, "r-x", true).await;
    is_denied("R", Wire::R, &got, &reply.text(), 1);
    assert!(got.text.starts_with("one") && got.text.ends_with("two"), "{got:?}");
    let end = reply.text();
    let end = end.trim_end().rsplit("data: ").next().unwrap();
    let end: serde_json::Value = serde_json::from_str(end).unwrap();
    let ids: Vec<&str> = end["response"]["output"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids[..4], ["ws_1", "rs_up_0", "msg_up_1", "fc_up_2"], "{ids:?}");
}

/// Items of Responses that are told at the same time.
#[tokio::test]
async fn interleaved_items_are_governed() {
    let house = House::new().await;
    let frames = Wire::R.stream(&[Text("one two three"), FORBIDDEN, Text("sk-PLANTED-0123456789")]);
    // The text is not whole before the others are.
    let is_end = |frame: &String| frame.contains("\"output_index\":0") && (frame.contains(".done"));
    let (ends, rest): (Vec<_>, Vec<_>) = frames.iter().cloned().partition(is_end);
    let mut rest = rest;
    let last = rest.pop().unwrap();
    house.plays(Wire::R, sse(numbered(rest.into_iter().chain(ends).chain([last]))));
    let (got, reply) = house.got(Wire::R, "r-x", true).await;
    is_denied("interleaved", Wire::R, &got, &reply.text(), 0);
    assert!(got.text.contains(REDACTED) && !reply.text().contains("PLANTED"), "{}", reply.text());
}
