//! Providers of a host's own, in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::http::StatusCode;
use futures_util::{StreamExt as _, stream};
use systemprompt_core::contract::{LlmAnswer, LlmProvider, LlmRequest};
use systemprompt_core::event::AiRequestStatus;
use systemprompt_core::llm::{
    Answer, Block, BlockKind, ErrorKind, LossKind, LossReport, ModelError, StopReason, ToolInput,
    Usage,
};

use super::house::{House, PROVIDER_KEY, Plan, request};
use super::wire::{FRONTS, Text, Wire};

/// Answers by the model it is asked for.
#[derive(Default)]
struct Own {
    /// Answers that are being given.
    open: Arc<AtomicUsize>,
}

/// Counts down when it is dropped.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[async_trait]
impl LlmProvider for Own {
    fn name(&self) -> &str {
        "own"
    }

    async fn answer(&self, request: LlmRequest) -> Result<LlmAnswer, ModelError> {
        let text = |text: &str| vec![Block::text(text)];
        let content = match request.model.as_str() {
            "own-key" => {
                let key = request.key.ok_or_else(|| ModelError::invalid("key", "none"))?;
                text(&format!("{} {}", key.expose() == PROVIDER_KEY, request.principal.user()))
            }
            "own-call" | "own-bad-call" => {
                let name = if request.model == "own-call" { "weather" } else { "danger_records" };
                vec![Block::new(BlockKind::ToolUse {
                    id: "call_1".into(),
                    name: name.into(),
                    input: ToolInput::Json("{\"city\":\"Oslo\"}".into()),
                    state: None,
                })]
            }
            "own-down" => return Err(ModelError::new(ErrorKind::Overloaded, "busy")),
            "own-wrong" => return Err(ModelError::invalid("tools", "`tools`: not here")),
            "own-panic" => panic!("of the provider"),
            _ => text("hello from the house"),
        };
        let calls = content.iter().any(|block| matches!(block.kind, BlockKind::ToolUse { .. }));
        let answer = Answer {
            id: request.id.to_string(),
            model: "house-1".into(),
            content,
            stop_reason: if calls { StopReason::ToolUse } else { StopReason::EndTurn },
            stop_sequence: None,
            usage: Usage { input: 7, output: 5, ..Usage::default() },
        };
        let mut losses = LossReport::default();
        losses.note("temperature", LossKind::Dropped);
        if request.model != "own-endless" {
            return Ok(LlmAnswer { losses, ..LlmAnswer::whole(answer) });
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let open = Open(self.open.clone());
        let mut events = answer.into_events();
        events.truncate(4);
        let forever = stream::pending().map(move |()| {
            let _ = &open;
            unreachable!()
        });
        Ok(LlmAnswer::stream(stream::iter(events).chain(forever)))
    }

    async fn count_tokens(&self, request: LlmRequest) -> Result<Option<u64>, ModelError> {
        match request.model.as_str() {
            "own-key" => Ok(None),
            "own-down" => Err(ModelError::new(ErrorKind::Overloaded, "busy")),
            _ => Ok(Some(42)),
        }
    }
}

const ROUTES: &str = "  \
    - {match: 'own-next', provider: own, model: own-down, unpriced: allow, fallback: [{provider: c, model: up-c}]}\n  \
    - {match: 'own-*', provider: own, unpriced: allow}\n";

async fn house() -> (House, Arc<AtomicUsize>) {
    let own = Own::default();
    let open = own.open.clone();
    let plan = Plan {
        routes: ROUTES,
        more_providers: "    own: {kind: extension, key: {env: K}, breaker: {failures: 0}}\n",
        extensions: vec![Arc::new(own)],
        ..Plan::default()
    };
    (House::built(plan).await, open)
}

#[tokio::test]
async fn it_is_asked_in_every_dialect_and_recorded() {
    let (house, _) = house().await;
    let mut number = 0;
    for front in FRONTS {
        for stream in [false, true] {
            let (got, reply) = house.got(front, "own-1", stream).await;
            assert_eq!(got.text, "hello from the house", "{front:?} {stream}");
            assert_eq!(reply.header("x-systemprompt-provider"), Some("own"));
            assert_eq!(reply.header("x-systemprompt-loss"), Some("temperature=dropped"));
            assert_eq!(reply.header("x-systemprompt-usage"), None, "it tells its usage");
            number += 1;
            let record = house.record(number).await;
            assert_eq!((record.provider.as_str(), record.model.as_str()), ("own", "own-1"));
            assert_eq!((record.tokens.input, record.tokens.output), (7, 5));
            assert_eq!(record.detail.served_model.as_deref(), Some("house-1"));
            assert_eq!(record.detail.attempts, ["own:status_200"]);
            assert!(!record.priced && !record.detail.usage_estimated);
        }
    }
    house.is_settled().await;
}

#[tokio::test]
async fn its_calls_are_decided() {
    let (house, _) = house().await;
    for front in FRONTS {
        for stream in [false, true] {
            let (got, _) = house.got(front, "own-call", stream).await;
            assert_eq!(got.calls.len(), 1, "{front:?} {stream}");
            let (got, _) = house.got(front, "own-bad-call", stream).await;
            assert!(got.calls.is_empty() && !got.text.is_empty(), "{front:?} {stream} {got:?}");
        }
    }
    house.is_settled().await;
}

#[tokio::test]
async fn it_is_handed_its_key_and_who_asks() {
    let (house, _) = house().await;
    let (got, _) = house.got(Wire::A, "own-key", false).await;
    assert_eq!(got.text, "true ann");
}

#[tokio::test]
async fn its_failures_are_the_callers_or_those_of_the_next_one() {
    let (house, _) = house().await;
    house.says(Wire::C, &[Text("second")], false);
    let (got, _) = house.got(Wire::A, "own-next", false).await;
    assert_eq!(got.text, "second");
    let record = house.record(1).await;
    assert_eq!(record.detail.attempts, ["own:status_503", "c:status_200"]);
    for (number, (model, status)) in
        [("own-wrong", 400), ("own-down", 503), ("own-panic", 502)].into_iter().enumerate()
    {
        for stream in [false, true] {
            let reply = house.ask(Wire::C, Wire::C.request(model, stream)).await;
            assert_eq!(reply.status, status, "{}", reply.text());
            assert!(reply.json()["error"]["message"].is_string());
            let record = house.record(2 + 2 * number + usize::from(stream)).await;
            assert_eq!(record.status, AiRequestStatus::Failed);
        }
    }
    house.is_settled().await;
}

#[tokio::test]
async fn it_counts_tokens_where_it_does() {
    let (house, _) = house().await;
    let count = |model: &str| {
        let body = Wire::A.request(model, false).to_string();
        let uri = "/v1/messages/count_tokens";
        house.send(request(Wire::A).uri(uri).body(axum::body::Body::from(body)).unwrap())
    };
    let counted = count("own-1").await;
    assert_eq!(counted.json()["input_tokens"], 42);
    assert_eq!(counted.header("x-systemprompt-usage"), None);
    let estimated = count("own-key").await;
    assert!(estimated.json()["input_tokens"].as_u64().is_some_and(|tokens| tokens != 42));
    assert_eq!(estimated.header("x-systemprompt-usage"), Some("estimated"));
    assert_eq!(count("own-down").await.status, 529);
    house.is_settled().await;
    let decided = house.governor.decided();
    assert_eq!(decided.iter().filter(|call| call.tool().starts_with("model:own")).count(), 3);
}

#[tokio::test]
async fn it_is_let_go_of_when_its_caller_leaves() {
    use tower::ServiceExt as _;
    let (house, open) = house().await;
    let body = Wire::C.request("own-endless", true).to_string();
    let asked = request(Wire::C).body(axum::body::Body::from(body)).unwrap();
    let response = house.router.clone().oneshot(asked).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body().into_data_stream();
    assert!(body.next().await.unwrap().is_ok());
    assert_eq!(open.load(Ordering::Relaxed), 1);
    drop(body);
    assert_eq!(house.record(1).await.status, AiRequestStatus::Cancelled);
    assert_eq!(open.load(Ordering::Relaxed), 0);
    house.is_settled().await;
}
