//! Where caller and provider speak the same dialect, bytes are passed on.

use axum::body::Body;
use sha2::{Digest as _, Sha256};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Script, sse};

use super::governor::CUSTODY_KEY;
use super::house::{CALLER_KEY, House, PROVIDER_KEY, Plan, request};
use super::wire::{Call, Part, Text, Wire};

/// A text, and a call that is allowed.
const PARTS: [Part; 2] = [Text("Hello, wörld"), Call("call_ok", "allowed", r#"{"path":"/tmp/x"}"#)];

/// What is between the frames that are known: comments, events and members that nobody knows, odd spacing.
fn with_oddities(wire: Wire) -> Vec<String> {
    let mut frames = wire.stream(&PARTS);
    frames.insert(1, ": keepalive\n\n".to_owned());
    match wire {
        Wire::A => {
            frames.insert(3, "event: brand_new\ndata: {\"type\":\"brand_new\",  \"x\":[1,2]}\n\n".to_owned());
            frames.insert(4, "event:ping\r\ndata:{\"type\" : \"ping\"}\r\n\r\n".to_owned());
        }
        Wire::C => {
            frames.insert(3, "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"up\",\"choices\":[],\"prompt_filter_results\":[]}\n\n".to_owned());
        }
        _ => frames.insert(3, "event: response.brand_new\r\ndata: {\"type\":\"response.brand_new\",\"sequence_number\":3}\r\n\r\n".to_owned()),
    }
    frames
}

fn body(wire: Wire, model: &str, stream: bool) -> String {
    let rest = match wire {
        Wire::A => r#""max_tokens" : 100,"messages":[{"role":"user","content":"hi \u00e9"}]"#,
        Wire::C => r#""messages":[ {"content":"hi \u00e9","role":"user"}]"#,
        _ => r#""input":[ {"content":"hi \u00e9","role":"user"}]"#,
    };
    let tools = match wire {
        Wire::A => r#"[{"name":"allowed","input_schema":{"type":"object"}}]"#,
        Wire::C => r#"[{"type":"function","function":{"name":"allowed"}}]"#,
        _ => r#"[{"type":"function","name":"allowed"}]"#,
    };
    format!(
        "{{ \"z_unknown\" : {{\"b\": 1.50, \"a\":[ ]}},\t\"stream\":{stream},\n \"model\" : \"{model}\" ,{rest}, \
         \"tools\":{tools},\"temperature\": 0.70}}\n"
    )
}

#[tokio::test]
async fn bytes_are_passed_on_both_ways() {
    let house = House::new().await;
    for (number, wire) in (1..).zip([Wire::A, Wire::C, Wire::R]) {
        let letter = format!("{wire:?}").to_lowercase();
        let frames = with_oddities(wire);
        let sent: Vec<u8> = frames.concat().into_bytes();
        house.plays(wire, sse(&frames).header("x-request-id", "req_up"));
        let asked = match wire {
            Wire::C => body(wire, "c-model", true).replacen(
                "{ ",
                "{ \"stream_options\":{\"include_usage\":true}, ",
                1,
            ),
            wire => body(wire, &format!("{letter}-model"), true),
        };
        let reply = house.ask(wire, &asked).await;
        assert_eq!(reply.status, 200);
        assert_eq!(
            Sha256::digest(&reply.body),
            Sha256::digest(&sent),
            "{wire:?}\n{}",
            reply.text()
        );
        assert_eq!(reply.header("x-systemprompt-loss"), None);
        assert_eq!(reply.header("x-systemprompt-provider"), Some(letter.as_str()));

        let expected = asked.replace(&format!("{letter}-model"), &format!("up-{letter}"));
        assert_eq!(house.seen().body, expected.as_bytes(), "{wire:?}");

        let record = house.record(number).await;
        assert_eq!(record.status, AiRequestStatus::Success);
        assert_eq!((record.tokens.input, record.tokens.output), (11, 7));
        assert!(record.detail.byte_lane && record.streamed && !record.detail.usage_estimated);
        assert_eq!((record.detail.tool_calls_allowed, record.detail.tool_calls_denied), (1, 0));
        assert_eq!(record.model, format!("up-{letter}"));
        assert_eq!(record.requested_model.as_deref(), Some(format!("{letter}-model").as_str()));
        assert_eq!(record.detail.attempts, [format!("{letter}:status_200")]);
        assert_eq!(record.detail.stop_reason.as_deref(), Some("tool_use"));
    }
    assert_eq!(house.governor.tools(), vec![r#"allowed {"path":"/tmp/x"}"#; 3]);
    house.is_settled().await;
}

#[tokio::test]
async fn a_whole_answer_is_passed_on_as_it_is() {
    let house = House::new().await;
    for (number, wire) in (1..).zip([Wire::A, Wire::C, Wire::R]) {
        let letter = format!("{wire:?}").to_lowercase();
        let answer = wire.whole(&PARTS).replacen('{', "{ \"odd\" :  [1.0], ", 1);
        house.plays(wire, Script::json(answer.clone()).header("x-request-id", "req_up"));
        let asked = body(wire, &format!("same-{letter}"), false);
        let reply = house.ask(wire, &asked).await;
        assert_eq!((reply.status.as_u16(), reply.text()), (200, answer));
        assert_eq!(house.seen().body, asked.as_bytes());
        let record = house.record(number).await;
        assert_eq!((record.tokens.input, record.tokens.output), (11, 7));
        assert!(record.detail.byte_lane && !record.streamed && record.requested_model.is_none());
        assert_eq!(record.detail.tool_calls_allowed, 1);
    }
    house.is_settled().await;
}

#[tokio::test]
async fn a_split_stream_has_the_same_bytes() {
    let house = House::new().await;
    for wire in [Wire::A, Wire::C, Wire::R] {
        let model = format!("{wire:?}-x").to_lowercase();
        let all = with_oddities(wire).concat().into_bytes();
        let asked = match wire {
            Wire::C => body(wire, &model, true).replacen(
                "{ ",
                "{ \"stream_options\":{\"include_usage\":true}, ",
                1,
            ),
            wire => body(wire, &model, true),
        };
        for size in [1, 2, 37, 1000] {
            house.plays(wire, sse(all.chunks(size)));
            let reply = house.ask(wire, &asked).await;
            assert_eq!(Sha256::digest(&reply.body), Sha256::digest(&all), "{wire:?} {size}");
        }
    }
}

#[tokio::test]
async fn usage_that_was_not_asked_for_is_counted_and_not_shown() {
    let house = House::new().await;
    let frames = Wire::C.stream(&PARTS);
    house.plays(Wire::C, sse(&frames));
    let asked = body(Wire::C, "c-x", true);
    let reply = house.ask(Wire::C, &asked).await;
    let shown: String =
        frames.iter().filter(|frame| !frame.contains("prompt_tokens")).cloned().collect();
    assert_eq!(reply.text(), shown);
    Wire::C.check(&reply.body, false);
    let seen = String::from_utf8(house.seen().body.to_vec()).unwrap();
    let expected = asked.replace("c-x", "up-c");
    let expected = expected.trim_end().strip_suffix('}').unwrap().to_owned();
    assert_eq!(
        seen.trim_end(),
        format!("{expected},\"stream_options\":{{\"include_usage\":true}}}}")
    );
    let record = house.record(1).await;
    assert_eq!((record.tokens.input, record.tokens.output), (11, 7));
}

#[tokio::test]
async fn keys_change_at_the_gateway_and_names_of_people_stay_behind() {
    let house = House::new().await;
    for wire in [Wire::A, Wire::C, Wire::R] {
        house.says(wire, &PARTS, false);
        let letter = format!("{wire:?}").to_lowercase();
        let member = if wire == Wire::A {
            "\"metadata\":{\"user_id\":\"ann@example.com\"},"
        } else {
            "\"user\":\"ann@example.com\", \"safety_identifier\":\"ann@example.com\","
        };
        let asked = body(wire, &format!("same-{letter}"), false);
        let named = asked.replacen("\"temperature\"", &format!("{member} \"temperature\""), 1);
        let request = request(wire)
            .header("anthropic-beta", "one-2025-01-01")
            .header("anthropic-beta", "two-2026-01-01")
            .header("openai-beta", "three=v1")
            .header("cookie", "session=1")
            .header("x-other", "secret")
            .body(Body::from(named))
            .unwrap();
        let reply = house.send(request).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let seen = house.seen();
        let everything = format!("{:?} {}", seen.headers, String::from_utf8_lossy(&seen.body));
        assert!(!everything.contains(CALLER_KEY) && !everything.contains("ann@"), "{everything}");
        assert_eq!((seen.header("cookie"), seen.header("x-other")), (None, None));
        let values = |name: &str| {
            let all = seen.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name));
            all.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        if wire == Wire::A {
            assert_eq!(values("x-api-key"), [PROVIDER_KEY]);
            assert_eq!(values("anthropic-version"), ["2023-06-01"]);
            assert_eq!(values("anthropic-beta"), ["one-2025-01-01", "two-2026-01-01"]);
            assert_eq!(seen.header("authorization"), None);
        } else {
            assert_eq!(values("authorization"), [format!("Bearer {PROVIDER_KEY}")]);
            assert_eq!(seen.header("openai-beta"), Some("three=v1"));
            assert_eq!(seen.header("x-api-key"), None);
        }
        assert_eq!(values("content-type"), ["application/json"]);
    }
}

#[tokio::test]
async fn a_key_in_custody_is_opened_for_the_request() {
    let house = House::built(Plan { key: "'secret://main-key'", ..Plan::default() }).await;
    house.says(Wire::A, &PARTS, false);
    let (got, _) = house.got(Wire::A, "a-x", false).await;
    assert_eq!(got.text, "Hello, wörld");
    assert_eq!(house.seen().header("x-api-key"), Some(CUSTODY_KEY));

    let house = House::built(Plan { key: "'secret://other-key'", ..Plan::default() }).await;
    let reply = house.ask(Wire::A, Wire::A.request("a-x", false)).await;
    assert_eq!(reply.status, 502, "{}", reply.text());
    assert_eq!(house.upstream.requests(), 0);
    let record = house.record(1).await;
    assert_eq!(
        (record.status, record.error_code.as_deref()),
        (AiRequestStatus::Failed, Some("provider_key"))
    );
    house.is_settled().await;
}
