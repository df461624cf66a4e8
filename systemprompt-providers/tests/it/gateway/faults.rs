//! Providers that fail, and callers that leave.

use std::time::Duration;

use axum::body::Body;
use http_body_util::BodyExt as _;
use systemprompt_core::event::AiRequestStatus;
use systemprompt_providers::scripted::{Framing, Script, Step, sse};
use tower::ServiceExt as _;

use super::house::{House, Plan, request};
use super::wire::{Call, FRONTS, Text, UPSTREAMS, Wire};

pub(super) const SHORT: &str =
    "{connect_ms: 1000, first_byte_ms: 250, idle_ms: 250, total_ms: 3000}";

async fn impatient() -> House {
    House::built(Plan { timeouts: SHORT, ..Plan::default() }).await
}

pub(super) fn model(upstream: Wire) -> String {
    format!("{upstream:?}-x").to_lowercase()
}

/// The pairs of which one is of each lane.
pub(super) fn pairs() -> impl Iterator<Item = (Wire, Wire)> {
    FRONTS
        .into_iter()
        .flat_map(|front| UPSTREAMS.into_iter().map(move |upstream| (front, upstream)))
}

/// Asserts that a failure is told in the dialect of the caller.
#[track_caller]
pub(super) fn is_refusal(what: &str, front: Wire, answer: &serde_json::Value) {
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(!message.is_empty(), "{what} {answer}");
    if front == Wire::A {
        assert_eq!(answer["type"], "error", "{what}");
        assert!(answer["error"]["type"].is_string(), "{what}");
    }
}

#[tokio::test]
async fn failures_before_an_answer_are_told() {
    let whole = |wire: Wire| wire.whole(&[Text("hi")]);
    type Make = fn(&str) -> Script;
    let faults: [(&str, Make, &[u16], AiRequestStatus); 7] = [
        ("reset", |_| Script::reset(), &[502], AiRequestStatus::Failed),
        ("hang", |_| Script::hang(), &[504], AiRequestStatus::Timeout),
        (
            "half",
            |whole| Script::json(whole[..whole.len() / 2].to_owned()),
            &[502],
            AiRequestStatus::Failed,
        ),
        ("bad gzip", |whole| Script::bad_gzip(whole.as_bytes()), &[502], AiRequestStatus::Failed),
        (
            "bad utf-8",
            |whole| {
                let at = whole.find("hi").unwrap();
                let mut bytes = whole.as_bytes().to_vec();
                bytes[at] = 0xff;
                Script::json(bytes)
            },
            &[502],
            AiRequestStatus::Failed,
        ),
        ("cut", |whole| Script::cut_chunk(whole.as_bytes()), &[502], AiRequestStatus::Failed),
        ("drip", |whole| Script::drip(whole.to_owned()), &[504], AiRequestStatus::Timeout),
    ];
    for (front, upstream) in pairs() {
        let house = impatient().await;
        for (number, (name, script, statuses, recorded)) in (1..).zip(faults) {
            let what = format!("{front:?}->{upstream:?} {name}");
            house.plays(upstream, script(&whole(upstream)));
            let reply = house.ask(front, front.request(&model(upstream), false)).await;
            assert!(
                statuses.contains(&reply.status.as_u16()),
                "{what} {} {}",
                reply.status,
                reply.text()
            );
            is_refusal(&what, front, &reply.json());
            let record = house.record(number).await;
            assert_eq!(record.status, recorded, "{what} {record:?}");
            assert!(record.error_code.is_some(), "{what}");
            assert_eq!(record.detail.attempts.len(), 1, "{what} {record:?}");
        }
        house.upstream.refuse().await;
        let reply = house.ask(front, front.request(&model(upstream), true)).await;
        assert!(matches!(reply.status.as_u16(), 502 | 503), "{} {}", reply.status, reply.text());
        is_refusal("refused", front, &reply.json());
        house.record(faults.len() + 1).await;
        house.is_settled().await;
    }
}

#[tokio::test]
async fn a_provider_that_is_busy_says_when_to_come_back() {
    for (front, upstream) in pairs() {
        let house = House::new().await;
        let body = |kind: &str| {
            format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"Busy"}}}}"#)
        };
        for (number, (status, answered)) in
            (1..).zip([(429, 429), (529, if front == Wire::A { 529 } else { 503 })])
        {
            let what = format!("{front:?}->{upstream:?} {status}");
            let script = Script::status(status)
                .header("content-type", "application/json")
                .header("retry-after", "7")
                .bytes(body(if status == 429 { "rate_limit_error" } else { "overloaded_error" }));
            house.plays(upstream, script);
            let reply = house.ask(front, front.request(&model(upstream), true)).await;
            let code = reply.status.as_u16();
            // In the byte lane it is the provider's own answer.
            let expected = if front == upstream { status } else { answered };
            assert_eq!(code, expected, "{what} {}", reply.text());
            is_refusal(&what, front, &reply.json());
            assert_eq!(reply.header("retry-after"), Some("7"), "{what}");
            let record = house.record(number).await;
            assert_eq!(record.status, AiRequestStatus::Failed);
            let letter = model(upstream).replace("-x", "");
            assert_eq!(record.detail.attempts, [format!("{letter}:status_{status}")]);
        }
        house.is_settled().await;
    }
}

/// Proxies on the way answer in their own words, or in none.
#[tokio::test]
async fn a_failure_in_no_dialect_is_told_in_the_callers() {
    for (front, upstream) in pairs() {
        let house = House::new().await;
        for (number, body) in
            (1..).zip(["", "<html>Bad gateway</html>", "{}", r#"{"error":"no"}"#, "[1]"])
        {
            house.plays(
                upstream,
                Script::status(502).header("content-type", "text/html").bytes(body),
            );
            let reply = house.ask(front, front.request(&model(upstream), number % 2 == 0)).await;
            let what = format!("{front:?}->{upstream:?} {body} {}", reply.text());
            assert!(reply.status.is_server_error(), "{what} {}", reply.status);
            is_refusal(&what, front, &reply.json());
            assert_eq!(reply.header("content-type"), Some("application/json"), "{what}");
            assert_eq!(house.record(number).await.status, AiRequestStatus::Failed);
        }
        house.is_settled().await;
    }
}

#[tokio::test]
async fn a_key_that_is_refused_is_not_the_callers() {
    for front in FRONTS {
        let house = House::new().await;
        for status in [401, 403] {
            house.plays(
                front,
                Script::status(status)
                    .bytes(r#"{"error":{"message":"bad key","type":"authentication_error"}}"#),
            );
            let reply = house.ask(front, front.request(&model(front), false)).await;
            assert_eq!(reply.status, 502, "{}", reply.text());
            is_refusal("key", front, &reply.json());
        }
        assert_eq!(house.record(2).await.error_code.as_deref(), Some("provider_key"));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error() {
    let parts =
        [Text("Hello, sk-PLAN and more"), Call("call_bad", "danger_delete", r#"{"path":"/x"}"#)];
    for (front, upstream) in pairs() {
        let house = impatient().await;
        let frames = upstream.stream(&parts);
        let mut number = 0;
        for end in 0..frames.len() {
            let ways = [None, Some(Step::Close), Some(Step::Reset)];
            for way in ways.into_iter().skip((end + number) % 3).take(1) {
                let what = format!("{front:?}->{upstream:?} {end} {way:?}");
                let script = sse(&frames[..end]);
                house.plays(
                    upstream,
                    match way {
                        None => script,
                        Some(step) => script.step(step),
                    },
                );
                let reply = house.ask(front, front.request(&model(upstream), true)).await;
                number += 1;
                let record = house.record(number).await;
                if reply.status != 200 {
                    assert_eq!(end, 0, "{what} {}", reply.text());
                    is_refusal(&what, front, &reply.json());
                    continue;
                }
                front.check(&reply.body, false);
                let got = front.read_stream(&reply.body);
                assert!(!reply.text().contains("call_bad"), "{what} {}", reply.text());
                let ended = record.status == AiRequestStatus::Success;
                assert_eq!(ended, got.error.is_none(), "{what} {record:?} {}", reply.text());
                // Only what comes after the reason to stop may be missing.
                assert!(!ended || end + 3 >= frames.len(), "{what}");
                if !ended {
                    assert!(record.error_code.is_some(), "{what}");
                    assert!(!reply.text().contains("message_stop"), "{what}");
                }
            }
        }
        house.is_settled().await;
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_ended() {
    for (front, upstream) in pairs() {
        let house = impatient().await;
        let frames = upstream.stream(&[Text("Hello"), Text("again")]);
        house.plays(upstream, sse(&frames[..3]).step(Step::Hang));
        let reply = house.ask(front, front.request(&model(upstream), true)).await;
        assert_eq!(reply.status, 200);
        front.check(&reply.body, false);
        assert!(front.read_stream(&reply.body).error.is_some());
        let record = house.record(1).await;
        assert_eq!(record.status, AiRequestStatus::Timeout, "{front:?}->{upstream:?} {record:?}");
        house.is_settled().await;
    }
}

#[tokio::test]
async fn a_stream_that_is_broken_ends_with_an_error() {
    for (front, upstream) in pairs() {
        let house = impatient().await;
        let frames = upstream.stream(&[Text("Hello")]);
        for (number, broken) in (1..).zip(["data: {\"type\":\n\n", "data: \u{0}\n\n"]) {
            let mut frames = frames.clone();
            frames.insert(3, broken.to_owned());
            house.plays(upstream, sse(&frames));
            let reply = house.ask(front, front.request(&model(upstream), true)).await;
            front.check(&reply.body, false);
            assert!(front.read_stream(&reply.body).error.is_some(), "{}", reply.text());
            let record = house.record(number).await;
            assert_eq!(record.status, AiRequestStatus::Failed);
        }
    }
}

#[tokio::test]
async fn an_error_in_a_stream_is_passed_on() {
    let error = |wire: Wire| {
        match wire {
        Wire::A => "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n".to_owned(),
        Wire::R => "event: error\ndata: {\"type\":\"error\",\"sequence_number\":5,\"code\":\"server_error\",\"message\":\"Overloaded\",\"param\":null}\n\n".to_owned(),
        Wire::C => "data: {\"error\":{\"message\":\"Overloaded\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n".to_owned(),
        Wire::G => "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503,\"status\":\"UNAVAILABLE\"}}\n\n".to_owned(),
    }
    };
    for (front, upstream) in pairs() {
        let house = House::new().await;
        let mut frames = upstream.stream(&[Text("Hello, you")]);
        frames.truncate(5);
        frames.push(error(upstream));
        house.plays(upstream, sse(&frames));
        let reply = house.ask(front, front.request(&model(upstream), true)).await;
        let what = format!("{front:?}->{upstream:?} {}", reply.text());
        front.check(&reply.body, false);
        assert_eq!(
            reply.text().matches("Overloaded").count(),
            if front == Wire::R && front != upstream { 3 } else { 1 },
            "{what}"
        );
        if front == upstream {
            assert!(reply.text().starts_with(&frames.concat()), "{what}");
        }
        let record = house.record(1).await;
        assert_eq!(record.status, AiRequestStatus::Failed, "{what}");
        house.is_settled().await;
    }
}

#[tokio::test]
async fn another_provider_is_asked_before_the_first_byte_and_never_after() {
    for front in FRONTS {
        let house = impatient().await;
        let model = format!("next-{}", model(front));
        let letter = format!("{front:?}").to_lowercase();
        let parts = [Text("Hello")];
        house.second.always("POST", front.path(), sse(front.stream(&parts)));
        for (number, (script, first)) in (1..).zip([
            (Script::status(503), "status_503"),
            (Script::status(429), "status_429"),
            (Script::reset(), "reset"),
            (Script::hang(), "first_byte_timeout"),
        ]) {
            house.plays(front, script);
            let (got, _) = house.got(front, &model, true).await;
            assert_eq!(got.text, "Hello");
            let seen = house.second.journal().pop().unwrap();
            assert!(String::from_utf8_lossy(&seen.body).contains(&format!("up2-{letter}")));
            let record = house.record(number).await;
            assert_eq!(record.status, AiRequestStatus::Success);
            assert_eq!(
                (record.provider, record.model),
                (format!("{letter}2"), format!("up2-{letter}"))
            );
            assert_eq!(record.detail.attempts.len(), 2, "{first} {:?}", record.detail.attempts);
            assert!(record.detail.attempts[0].starts_with(&format!("{letter}:")));
            assert_eq!(record.detail.attempts[1], format!("{letter}2:status_200"));
        }
        let asked = house.second.requests();
        house.plays(front, sse(&front.stream(&parts)[..3]).step(Step::Reset));
        let (got, _) = house.got(front, &model, true).await;
        assert!(got.error.is_some());
        house.plays(
            front,
            Script::status(400)
                .bytes(r#"{"error":{"message":"no","type":"invalid_request_error"}}"#),
        );
        let reply = house.ask(front, front.request(&model, true)).await;
        assert_eq!(reply.status, 400);
        assert_eq!(
            house.second.requests(),
            asked,
            "it was asked after the first byte, or for a bad request"
        );
        assert_eq!(house.record(6).await.detail.attempts, [format!("{letter}:status_400")]);
        house.is_settled().await;
    }
}

/// Waits until there are no more tasks than there were.
pub(super) async fn tasks_are(at_most: usize) {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..2000 {
        if alive() <= at_most {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} tasks, not {at_most}", alive());
}

#[tokio::test]
async fn a_caller_may_leave_at_any_event() {
    let parts = [Text("Hello, you"), Call("call_ok", "allowed", r#"{"path":"/x"}"#)];
    for (front, upstream) in pairs() {
        let house = House::new().await;
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let frames = upstream.stream(&parts);
        for end in 1..frames.len() - 2 {
            let what = format!("{front:?}->{upstream:?} {end}");
            let script = sse(&frames[..end]).step(Step::Hang);
            house.plays(upstream, script);
            let asked =
                request(front).body(Body::from(front.request(&model(upstream), true).to_string()));
            let response = house.router.clone().oneshot(asked.unwrap()).await.unwrap();
            assert_eq!(response.status(), 200, "{what}");
            let mut body = response.into_body();
            // What there is so far; a translated answer may have begun with nothing yet.
            let _ = tokio::time::timeout(Duration::from_millis(20), body.frame()).await;
            drop(body);
            let record = house.record(end).await;
            assert_eq!(record.status, AiRequestStatus::Cancelled, "{what}");
            assert_eq!(record.error_code, None, "{what}");
            if end > 4 {
                assert!(record.tokens.input > 0, "{what} {record:?}");
            }
            let gone = house.upstream.wait_until(Duration::from_secs(5), |up| up.open() == 0).await;
            assert!(gone, "{what}: the connection is still open");
        }
        house.is_settled().await;
        tasks_are(before).await;
    }
}

#[tokio::test]
async fn a_caller_may_leave_before_there_is_an_answer() {
    for front in FRONTS {
        for stream in [false, true] {
            let house = House::new().await;
            let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
            let whole = front.whole(&[Text("Hello")]);
            let scripts = [
                Script::hang(),
                Script::json(whole[..20].to_owned()).framed(Framing::Said(2000)).step(Step::Hang),
            ];
            let scripts = scripts.into_iter().take(if stream { 1 } else { 2 });
            for (number, script) in (1..).zip(scripts) {
                house.plays(front, script);
                let asked = request(front)
                    .body(Body::from(front.request(&model(front), stream).to_string()));
                let answer = house.router.clone().oneshot(asked.unwrap());
                let left = tokio::time::timeout(Duration::from_millis(100), answer).await;
                assert!(left.is_err(), "it was answered");
                drop(left);
                let record = house.record(number).await;
                assert_eq!(house.upstream.requests(), number);
                assert_eq!(record.status, AiRequestStatus::Cancelled);
                let gone =
                    house.upstream.wait_until(Duration::from_secs(5), |up| up.open() == 0).await;
                assert!(gone, "the connection is still open");
            }
            house.is_settled().await;
            tasks_are(before).await;
        }
    }
}
