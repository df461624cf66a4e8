//! The same calls through every wire to every caller, cut at every byte of the one that is forbidden.

use serde_json::{Value, json};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Framing, Script, sse};

use super::house::House;
use super::wire::{Call, FRONTS, Got, Part, UPSTREAMS, Wire, named};

/// Short, so that there are few bytes to cut at.
const CALLS: [Part; 2] =
    [Call("ok", "allowed", r#"{"p":1}"#), Call("bad", "danger_x", r#"{"q":2}"#)];

/// An answer with the calls, in as few words as its reader takes; where the caller speaks the same dialect and
/// sees it, in all words.
fn frames(front: Wire, upstream: Wire) -> Vec<String> {
    if front == upstream || upstream == Wire::G {
        return upstream.stream(&CALLS);
    }
    let data = |event: Value| format!("data: {event}\n\n");
    let calls = CALLS.iter().enumerate().map(|(at, part)| {
        let Call(id, name, arguments) = part else { unreachable!() };
        (at, *id, *name, *arguments)
    });
    let (mut frames, end): (Vec<String>, _) = match upstream {
        Wire::A => {
            let calls = calls.flat_map(|(at, id, name, arguments)| {
                let (first, last) = arguments.split_at(3);
                let delta = |piece| {
                    named(&json!({"type": "content_block_delta", "index": at,
                        "delta": {"type": "input_json_delta", "partial_json": piece}}))
                };
                [
                    named(&json!({"type": "content_block_start", "index": at,
                        "content_block": {"type": "tool_use", "id": id, "name": name}})),
                    delta(first),
                    delta(last),
                    named(&json!({"type": "content_block_stop", "index": at})),
                ]
            });
            let stop = json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}});
            (calls.collect(), named(&stop) + &named(&json!({"type": "message_stop"})))
        }
        Wire::C => {
            let chunk = |delta: Value| data(json!({"choices": [{"delta": delta}]}));
            let calls = calls.flat_map(|(at, id, name, arguments)| {
                let (first, last) = arguments.split_at(3);
                [
                    chunk(json!({"tool_calls": [{"index": at, "id": id,
                        "function": {"name": name, "arguments": first}}]})),
                    chunk(json!({"tool_calls": [{"index": at, "function": {"arguments": last}}]})),
                ]
            });
            let stop = json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]});
            (calls.collect(), data(stop) + "data: [DONE]\n\n")
        }
        _ => {
            let calls = calls.flat_map(|(at, id, name, arguments)| {
                let item = json!({"type": "function_call", "id": id, "call_id": id, "name": name});
                [
                    data(json!({"type": "response.output_item.added", "output_index": at, "item": item})),
                    data(json!({"type": "response.function_call_arguments.delta", "output_index": at,
                        "delta": arguments})),
                    data(json!({"type": "response.output_item.done", "output_index": at, "item": item})),
                ]
            });
            let end = json!({"type": "response.completed", "response": {"status": "completed"}});
            (calls.collect(), data(end))
        }
    };
    frames.push(end);
    frames
}

/// The bytes of the forbidden call.
fn forbidden(frames: &[String]) -> std::ops::Range<usize> {
    let is_of = |frame: &String| {
        let names = ["danger_x", "\"index\":1", "\"output_index\":1"];
        names.iter().any(|name| frame.contains(name)) && !frame.contains("response.completed")
    };
    let first = frames.iter().position(is_of).unwrap();
    let last = frames.iter().rposition(is_of).unwrap();
    let start: usize = frames[..first].iter().map(String::len).sum();
    start..start + frames[first..=last].iter().map(String::len).sum::<usize>()
}

/// Asserts that one call is told, and of the other the sentence with the reason.
#[track_caller]
fn is_decided(what: &str, front: Wire, got: &Got, body: &str) {
    let sentence = "The call of the tool `danger_x` was denied by policy (blocked)";
    assert_eq!(got.text.matches(sentence).count(), 1, "{what} {got:?}");
    assert_eq!(got.calls, [("allowed".to_owned(), r#"{"p":1}"#.to_owned())], "{what}");
    assert!(
        !body.contains("\"bad\"") && !body.contains("\"q\"") && !body.contains("q\\\""),
        "{what} {body}"
    );
    let stop = match front {
        Wire::A => "tool_use",
        Wire::C => "tool_calls",
        _ => "completed",
    };
    assert_eq!((got.stop.as_str(), got.error.as_deref()), (stop, None), "{what}");
}

/// Asks for the answer in each of these forms.
async fn decided(front: Wire, upstream: Wire, stream: bool, scripts: Vec<Script>) {
    let house = House::new().await;
    let asked = front.request(&format!("{upstream:?}-x").to_lowercase(), stream);
    for (number, script) in scripts.into_iter().enumerate() {
        house.plays(upstream, script);
        let reply = house.ask(front, &asked).await;
        let what = format!("{front:?}->{upstream:?} {stream} {number}");
        assert_eq!(reply.status, 200, "{what} {}", reply.text());
        let got = if stream {
            front.check(&reply.body, false);
            front.read_stream(&reply.body)
        } else {
            front.read_whole(&reply.body)
        };
        is_decided(&what, front, &got, &reply.text());
    }
    for record in house.governor.records() {
        assert_eq!(record.status, AiRequestStatus::Success);
        let detail = record.detail;
        assert_eq!((detail.tool_calls_allowed, detail.tool_calls_denied), (1, 1));
    }
    house.is_settled().await;
}

/// Every pair at the same time, each in a house of its own.
async fn every_pair(stream: bool, scripts: impl Fn(Wire, Wire) -> Vec<Script>) {
    let mut pairs = tokio::task::JoinSet::new();
    for front in FRONTS {
        for upstream in UPSTREAMS {
            pairs.spawn(decided(front, upstream, stream, scripts(front, upstream)));
        }
    }
    while let Some(pair) = pairs.join_next().await {
        pair.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_a_stream_is_decided_wherever_it_is_cut() {
    every_pair(true, |front, upstream| {
        let frames = frames(front, upstream);
        let all = frames.concat().into_bytes();
        let cut = |at: usize| sse([&all[..at], &all[at..]]);
        forbidden(&frames).map(cut).chain([sse([&all]), sse(all.chunks(1))]).collect()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_a_whole_answer_is_decided_wherever_it_is_cut() {
    every_pair(false, |_, upstream| {
        let all = upstream.whole(&CALLS).into_bytes();
        let script = |first: &[u8]| Script::json(first.to_vec()).framed(Framing::Chunked);
        // Whole answers are put together before they are read: some of the cuts will do.
        let cut = |at: usize| script(&all[..at]).bytes(all[at..].to_vec());
        let bytes =
            all[1..].iter().fold(script(&all[..1]), |script, byte| script.bytes(vec![*byte]));
        (1..all.len()).step_by(37).map(cut).chain([Script::json(all.clone()), bytes]).collect()
    })
    .await;
}
