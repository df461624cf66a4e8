//! The checker finds what is wrong with a stream that is right but for one thing.

use systemprompt_core::llm::{BlockStart, Delta, StopReason};

use super::*;

/// A stream with one item of each kind.
fn good() -> Vec<Value> {
    let block = |index, block| StreamEvent::BlockStart { index, block };
    let call = |text| BlockStart::ToolUse { id: "c".into(), name: "f".into(), text, state: None };
    let text = |index| StreamEvent::Delta { index, delta: Delta::Text("ab".into()) };
    let input = |index| StreamEvent::Delta { index, delta: Delta::Input("{}".into()) };
    let end = |index| StreamEvent::BlockStop { index };
    let events = [
        block(0, BlockStart::Thinking),
        text(0),
        end(0),
        block(1, BlockStart::Text),
        text(1),
        end(1),
        block(2, BlockStart::Refusal),
        text(2),
        end(2),
        block(3, call(false)),
        input(3),
        end(3),
        block(4, call(true)),
        input(4),
        end(4),
        StreamEvent::Stop { reason: StopReason::ToolUse, stop_sequence: None },
    ];
    events_of(&stream_of(&reply(), &events).0)
}

/// The stream of `events`, numbered anew.
fn numbered(mut events: Vec<Value>) -> Vec<u8> {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    wire(&events)
}

#[test]
fn every_event_is_needed_where_it_is() {
    let good = good();
    assert_eq!(grammar::check(&numbered(good.clone())), Ok(Ending::Completed));
    for at in 0..good.len() {
        // `response.in_progress` says nothing that must be said.
        let mut without = good.clone();
        let left_out = without.remove(at);
        let needed = left_out["type"] != "response.in_progress";
        assert_eq!(grammar::check(&numbered(without)).is_err(), needed, "{left_out}");

        // A piece may come twice as far as the order goes; then the whole is another.
        let mut twice = good.clone();
        twice.insert(at, good[at].clone());
        assert_eq!(grammar::check(&numbered(twice)).is_err(), needed, "{left_out}");
    }
    for at in 1..good.len() - 1 {
        let mut swapped = good.clone();
        swapped.swap(at, at + 1);
        let order = grammar::check(&numbered(swapped));
        // One item or part may end after the next began.
        let kind = |at: usize| good[at]["type"].as_str().unwrap();
        let apart = kind(at).ends_with(".done") && kind(at + 1).ends_with(".added");
        assert_eq!(order.is_err(), at > 1 && !apart, "{} {order:?}", good[at]);
    }
}

#[test]
fn every_member_counts() {
    let good = good();
    let mut checked = 0;
    for at in 0..good.len() {
        for member in [
            "item_id",
            "output_index",
            "content_index",
            "summary_index",
            "delta",
            "text",
            "refusal",
            "arguments",
            "input",
            "part",
            "item",
            "response",
            "type",
        ] {
            if good[at].get(member).is_none() || good[at]["type"] == "response.in_progress" {
                continue;
            }
            let mut bad = good.clone();
            bad[at][member] = match &good[at][member] {
                Value::String(text) => json!(format!("{text}x")),
                Value::Number(number) => json!(number.as_u64().unwrap() + 1),
                _ => json!({}),
            };
            let stream = numbered(bad);
            assert!(grammar::check(&stream).is_err(), "{} {member}", good[at]);
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

#[test]
fn violations_name_the_event() {
    let good = good();
    let mut renumbered = good.clone();
    renumbered[5]["sequence_number"] = json!(9);
    let error = grammar::check(&wire(&renumbered)).unwrap_err();
    assert_eq!((error.event, error.message.as_str()), (5, "`sequence_number` must be 5"));

    let mut named = Vec::new();
    crate::sse::write_frame(&mut named, Some("x"), good[0].to_string().as_bytes());
    assert!(grammar::check(&named).unwrap_err().message.contains("name of the event"));

    let mut done = wire(&good);
    done.extend_from_slice(b"data: [DONE]\n\n");
    assert!(grammar::check(&done).unwrap_err().message.contains("not JSON"));

    let whole = wire(&good);
    let error = grammar::check(&whole[..whole.len() - 1]).unwrap_err();
    assert!(error.message.contains("middle of an event"), "{error}");
    assert!(grammar::check(b"").unwrap_err().message.contains("without a last event"));
    assert_eq!(grammar::check(b": x\n\n").unwrap_err().event, 0);
}

#[test]
fn a_failure_may_be_said_twice_and_nothing_after_it() {
    let error = json!({"type": "error", "code": "x", "message": "broken", "param": null});
    let failed = json!({
        "type": "response.failed",
        "response": {"id": "resp_1", "status": "failed", "error": {"code": "x", "message": "broken"}, "output": []}
    });
    let check = |events: &[&Value]| {
        grammar::check(&numbered(events.iter().map(|event| (*event).clone()).collect()))
    };
    let created = created();
    assert_eq!(check(&[&created, &error]), Ok(Ending::Error));
    assert_eq!(check(&[&error]), Ok(Ending::Error));
    assert_eq!(check(&[&created, &failed]), Ok(Ending::Failed));
    assert_eq!(check(&[&created, &failed, &error]), Ok(Ending::Failed));
    assert!(check(&[&created, &failed, &error, &error]).is_err());
    // So does OpenAI.
    assert_eq!(check(&[&created, &error, &failed]), Ok(Ending::Failed));
    assert!(check(&[&created, &error, &failed, &error]).is_err());
    assert!(check(&[&created, &error, &error]).is_err());
    assert!(check(&[&created, &failed, &failed]).is_err());
}

#[test]
fn any_cut_gives_the_same_verdict() {
    let stream = numbered(good());
    for size in [1, 7, 37] {
        let mut checker = grammar::Checker::new();
        for piece in stream.chunks(size) {
            checker.push(piece).unwrap();
        }
        assert_eq!(checker.finish(), Ok(Ending::Completed));
    }
}
