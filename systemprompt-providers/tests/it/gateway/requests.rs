//! Secrets in requests, and the results of tools that they bring.

use serde_json::{Value, json};
use systemprompt_core::decision::OutcomeStatus;
use systemprompt_core::policy::SecretDirection;

use super::house::House;
use super::scanner::{CANARY, PLANTED, REDACTED};
use super::wire::{Call, FRONTS, Text, UPSTREAMS, Wire};

/// A request whose earlier turns are these texts of the user and the model.
fn with_history(wire: Wire, model: &str, texts: &[&str]) -> Value {
    let mut request = wire.request(model, false);
    let roles = ["user", "assistant"].into_iter().cycle();
    let turns: Vec<Value> = texts
        .iter()
        .zip(roles)
        .map(|(text, role)| json!({"role": role, "content": text}))
        .collect();
    request[if wire == Wire::R { "input" } else { "messages" }] = json!(turns);
    request
}

#[tokio::test]
async fn a_secret_in_the_history_is_redacted_before_it_is_sent() {
    for front in FRONTS {
        for upstream in UPSTREAMS {
            let house = House::new().await;
            house.says(upstream, &[Text("hi")], false);
            let model = format!("{upstream:?}-x").to_lowercase();
            let texts = [format!("my key is {PLANTED}."), "noted".to_owned(), "go on".to_owned()];
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let asked = with_history(front, &model, &texts).to_string();
            let reply = house.ask(front, &asked).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            let sent = String::from_utf8(house.seen().body.to_vec()).unwrap();
            assert!(sent.contains(&format!("my key is {REDACTED}.")), "{front:?} {sent}");
            assert!(!sent.contains("PLANTED"), "{front:?} {sent}");
            if front == upstream {
                let expected = asked.replace(PLANTED, REDACTED);
                let expected = expected.replace(&model, &format!("up-{}", &model[..1]));
                assert_eq!(sent, expected);
            }
            let scanned = house.scanner.0.lock().clone();
            assert!(scanned.contains(&SecretDirection::History), "{scanned:?}");
            assert!(scanned.contains(&SecretDirection::Prompt), "{scanned:?}");
            assert!(scanned.contains(&SecretDirection::Description), "{scanned:?}");
            house.is_settled().await;
        }
    }
}

#[tokio::test]
async fn what_must_not_be_sent_is_not() {
    for front in FRONTS {
        let house = House::new().await;
        house.says(front, &[Text("hi")], false);
        let model = format!("{front:?}-x").to_lowercase();
        let asked = with_history(front, &model, &["hello", "hi", &format!("it is {CANARY}")]);
        let reply = house.ask(front, &asked).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        let answer = reply.json();
        assert!(reply.text().contains("secret_detected"), "{answer}");
        assert!(!reply.text().contains(CANARY), "{answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
        match front {
            Wire::A => {
                assert_eq!(answer["type"], "error");
                assert_eq!(answer["error"]["type"], "invalid_request_error");
            }
            _ => {
                assert_eq!(answer["error"]["code"], "secret_detected");
                assert_eq!(answer["error"]["type"], "invalid_request_error");
            }
        }
        assert_eq!(house.upstream.requests(), 0);
        assert_eq!(house.governor.rejected().len(), 1);
        assert!(house.governor.records().is_empty() && house.governor.decided().is_empty());
    }
}

#[tokio::test]
async fn the_use_of_a_model_may_be_denied() {
    for front in FRONTS {
        let house = House::new().await;
        let reply = house.ask(front, front.request("forbidden", false)).await;
        assert_eq!(reply.status, 400, "{}", reply.text());
        assert!(reply.text().contains("blocked"), "{}", reply.text());
        assert_eq!(house.upstream.requests(), 0);
        assert_eq!(house.governor.decided()[0].tool(), "model:forbidden");
    }
}

/// The turns after a call: what the model said, and what the tool returned for each id.
fn with_results(front: Wire, model: &str, ids: &[(&str, bool)]) -> Value {
    let mut request = front.request(model, false);
    let turns = match front {
        Wire::A => {
            let calls: Vec<Value> = ids
                .iter()
                .map(
                    |(id, _)| json!({"type": "tool_use", "id": id, "name": "allowed", "input": {}}),
                )
                .collect();
            let results: Vec<Value> = ids
                .iter()
                .map(|(id, failed)| {
                    json!({"type": "tool_result", "tool_use_id": id, "content": "12345", "is_error": failed})
                })
                .collect();
            json!([{"role": "user", "content": "go"}, {"role": "assistant", "content": calls},
                {"role": "user", "content": results}])
        }
        Wire::C => {
            let calls: Vec<Value> = ids
                .iter()
                .map(|(id, _)| json!({"id": id, "type": "function", "function": {"name": "allowed", "arguments": "{}"}}))
                .collect();
            let mut turns = vec![
                json!({"role": "user", "content": "go"}),
                json!({"role": "assistant", "content": null, "tool_calls": calls}),
            ];
            turns
                .extend(ids.iter().map(
                    |(id, _)| json!({"role": "tool", "tool_call_id": id, "content": "12345"}),
                ));
            json!(turns)
        }
        _ => {
            let mut turns = vec![json!({"role": "user", "content": "go"})];
            for (id, _) in ids {
                turns.push(json!({"type": "function_call", "call_id": id, "name": "allowed", "arguments": "{}"}));
            }
            for (id, _) in ids {
                turns.push(
                    json!({"type": "function_call_output", "call_id": id, "output": "12345"}),
                );
            }
            json!(turns)
        }
    };
    request[if front == Wire::R { "input" } else { "messages" }] = turns;
    request
}

#[tokio::test]
async fn results_settle_the_permits_of_their_calls() {
    for front in FRONTS {
        let house = House::new().await;
        let model = format!("{front:?}-x").to_lowercase();
        let calls =
            [Call("call_1", "allowed", "{}"), Call("call_2", "allowed", r#"{"path":"/x"}"#)];
        house.says(front, &calls, true);
        house.got(front, &model, true).await;
        house.says(front, &[Text("thanks")], false);
        let ids = [("call_1", false), ("call_2", front == Wire::A), ("call_unknown", false)];
        for number in [2, 3] {
            // A client that asks again sends its results again.
            let reply = house.ask(front, with_results(front, &model, &ids)).await;
            assert_eq!(reply.status, 200, "{}", reply.text());
            let record = house.record(number).await;
            assert_eq!(record.detail.unpermitted_results, 1, "{front:?}");
        }
        let decided = house.governor.decided();
        let outcomes: Vec<_> = decided
            .iter()
            .filter(|call| call.tool() == "allowed")
            .map(|call| {
                let outcome = call.outcome.as_ref().expect("an outcome");
                (outcome.status, outcome.result_bytes)
            })
            .collect();
        let second = if front == Wire::A { OutcomeStatus::Failed } else { OutcomeStatus::Success };
        assert_eq!(outcomes, [(OutcomeStatus::Success, Some(5)), (second, Some(5))], "{front:?}");
        house.is_settled().await;
    }
}

#[tokio::test]
async fn what_openai_keeps_is_referred_to_where_openai_answers() {
    let house = House::new().await;
    house.says(Wire::R, &[Text("hi")], false);
    house.says(Wire::C, &[Text("hi")], false);
    let mut request = Wire::R.request("same-r", false);
    request["previous_response_id"] = json!("resp_123");
    let asked = request.to_string();
    let reply = house.ask(Wire::R, &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(house.seen().body, asked.as_bytes());
    assert!(house.record(1).await.detail.byte_lane);

    for (number, model) in [(2, "c-x"), (3, "echo")] {
        request["model"] = json!(model);
        let reply = house.ask(Wire::R, &request).await;
        assert_eq!(reply.status, 400, "{model} {}", reply.text());
        assert!(reply.text().contains("previous_response_id"), "{}", reply.text());
        assert_eq!(house.upstream.requests(), 1);
        house.record(number).await;
    }
    house.is_settled().await;
}
