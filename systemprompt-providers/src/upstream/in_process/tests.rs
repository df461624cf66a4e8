use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream;
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::LlmAnswer;
use systemprompt_core::id::{AiRequestId, Audience, TenantId, TokenId, UserId};
use systemprompt_core::llm::{
    AnswerCollector, BlockStart, Delta, Dialect, ErrorKind, ModelRequest, StopReason,
};
use systemprompt_core::principal::{Principal, PrincipalClaims};

use super::*;
use crate::upstream::{BreakerSettings, BreakerState};

type Making = Box<dyn FnMut() -> Result<LlmAnswer, ModelError> + Send>;

/// Answers with what it is given; where that is nothing, never.
struct Given(Mutex<Option<Making>>);

#[async_trait]
impl LlmProvider for Given {
    fn name(&self) -> &str {
        "given"
    }

    async fn answer(&self, _: LlmRequest) -> Result<LlmAnswer, ModelError> {
        let made = self.0.lock().unwrap().as_mut().map(|make| make());
        match made {
            Some(made) => made,
            None => std::future::pending().await,
        }
    }

    async fn count_tokens(&self, _: LlmRequest) -> Result<Option<u64>, ModelError> {
        panic!("it does not count")
    }
}

fn own(make: Option<Making>) -> InProcess {
    let settings = UpstreamSettings {
        max_answer_bytes: 64,
        max_concurrent: 1,
        max_queued: 0,
        breaker: BreakerSettings { failures_in_a_row: 2, ..UpstreamSettings::default().breaker },
        ..UpstreamSettings::default()
    };
    let provider = Arc::new(Given(Mutex::new(make)));
    InProcess::new("given".into(), provider, settings, SystemClock::shared())
}

fn making(make: impl FnMut() -> Result<LlmAnswer, ModelError> + Send + 'static) -> InProcess {
    own(Some(Box::new(make)))
}

fn events(events: Vec<StreamEvent>) -> InProcess {
    making(move || Ok(LlmAnswer::stream(stream::iter(events.clone()))))
}

fn request() -> LlmRequest {
    let principal = Principal::assert_authenticated(PrincipalClaims {
        tenant: TenantId::parse("acme").unwrap(),
        user: UserId::parse("ann").unwrap(),
        roles: Default::default(),
        scopes: Default::default(),
        department: None,
        audience: Audience::api(),
        credential: TokenId::parse("key1").unwrap(),
        actors: Vec::new(),
    });
    LlmRequest {
        id: AiRequestId::generate(),
        principal: principal.unwrap(),
        model: "m".to_owned(),
        request: Arc::new(ModelRequest::new(Dialect::Chat, "m")),
        key: None,
    }
}

fn start() -> StreamEvent {
    StreamEvent::Start { id: "1".into(), model: "m".into() }
}

fn begin(index: usize, block: BlockStart) -> StreamEvent {
    StreamEvent::BlockStart { index, block }
}

fn text(index: usize, text: &str) -> StreamEvent {
    StreamEvent::Delta { index, delta: Delta::Text(text.into()) }
}

fn stop() -> StreamEvent {
    StreamEvent::Stop { reason: StopReason::EndTurn, stop_sequence: None }
}

/// All events, and the error that stands at their end, if one does.
async fn all(own: &InProcess) -> (usize, Option<ModelError>) {
    let mut answer = match own.ask(request()).await.answer {
        Ok(answer) => answer,
        Err(error) => return (0, Some(error)),
    };
    let mut collector = AnswerCollector::default();
    let mut count = 0;
    while let Some(event) = answer.next_event().await {
        count += 1;
        collector.push(event);
    }
    assert!(answer.next_event().await.is_none(), "it ends once");
    (count, collector.finish().err())
}

async fn code(own: &InProcess) -> (usize, String) {
    let (count, error) = all(own).await;
    (count, error.and_then(|error| error.code).unwrap_or_default())
}

#[tokio::test]
async fn an_answer_passes_as_it_is() {
    let said = vec![
        StreamEvent::Ping,
        start(),
        begin(0, BlockStart::Text),
        text(0, "hi"),
        StreamEvent::Ping,
        StreamEvent::BlockStop { index: 0 },
        stop(),
        text(0, "what nobody asked for"),
    ];
    let own = events(said);
    assert_eq!(all(&own).await, (6, None));
    assert_eq!(own.health().in_flight, 0);
    assert!(own.health().last_success.is_some());
}

#[tokio::test]
async fn what_is_no_answer_is_cut_off() {
    let ok = || vec![start(), begin(0, BlockStart::Text)];
    let with = |more: Vec<StreamEvent>| ok().into_iter().chain(more).collect::<Vec<_>>();
    let long = text(0, &"x".repeat(65));
    for (said, count, expected) in [
        (vec![begin(0, BlockStart::Text)], 1, "upstream_out_of_order"),
        (vec![stop()], 1, "upstream_out_of_order"),
        (vec![start(), start()], 2, "upstream_out_of_order"),
        (vec![start(), text(0, "x")], 2, "upstream_out_of_order"),
        (vec![start(), begin(1, BlockStart::Text)], 2, "upstream_out_of_order"),
        (with(vec![begin(1, BlockStart::Text)]), 3, "upstream_out_of_order"),
        (with(vec![text(1, "x")]), 3, "upstream_out_of_order"),
        (
            with(vec![StreamEvent::Delta { index: 0, delta: Delta::Input("{}".into()) }]),
            3,
            "upstream_out_of_order",
        ),
        (with(vec![StreamEvent::BlockStop { index: 1 }]), 3, "upstream_out_of_order"),
        (with(vec![stop()]), 3, "upstream_out_of_order"),
        (with(vec![long]), 3, "upstream_too_large"),
        (with(vec![text(0, "x")]), 4, "upstream_cut_off"),
        (Vec::new(), 0, "upstream_cut_off"),
    ] {
        let shown = format!("{said:?}");
        assert_eq!(code(&events(said)).await, (count, expected.to_owned()), "{shown}");
    }
}

#[tokio::test]
async fn a_panic_is_a_failure() {
    let own = making(|| panic!("of the provider"));
    assert_eq!(code(&own).await, (0, "upstream_panicked".to_owned()));
    let own = making(|| {
        let events = stream::iter(0..2).map(|at| if at == 0 { start() } else { panic!("late") });
        Ok(LlmAnswer::stream(events))
    });
    assert_eq!(code(&own).await, (2, "upstream_panicked".to_owned()));
    let counted = own.count_tokens(request()).await.unwrap_err();
    assert_eq!(counted.code.as_deref(), Some("upstream_panicked"));
}

#[tokio::test(start_paused = true)]
async fn silence_has_an_end() {
    assert_eq!(code(&own(None)).await, (0, "upstream_first_byte_timeout".to_owned()));
    let own = making(|| Ok(LlmAnswer::stream(stream::iter([start()]).chain(stream::pending()))));
    assert_eq!(code(&own).await, (2, "upstream_idle_timeout".to_owned()));
    // A ping a minute is no end either.
    let own = making(|| {
        let pings = stream::repeat(()).then(|()| async {
            tokio::time::sleep(Duration::from_secs(60)).await;
            StreamEvent::Ping
        });
        Ok(LlmAnswer::stream(stream::iter([start()]).chain(pings)))
    });
    let (_, code) = code(&own).await;
    assert_eq!(code, "upstream_total_timeout");
}

#[tokio::test]
async fn its_own_words_reach_the_caller_and_failures_the_breaker() {
    let own = making(|| Err(ModelError::invalid("model", "no such model")));
    for _ in 0..4 {
        let (_, error) = all(&own).await;
        assert_eq!(error.unwrap().field.as_deref(), Some("model"));
    }
    assert_eq!(own.health().state, BreakerState::Closed, "the caller was wrong");
    let down = ModelError::new(ErrorKind::Overloaded, "busy");
    let own = events(vec![StreamEvent::Error(down)]);
    for _ in 0..2 {
        assert_eq!(all(&own).await.1.unwrap().message, "busy");
    }
    assert_eq!(code(&own).await.1, "upstream_breaker_open");
    assert!(matches!(own.health().state, BreakerState::Open { .. }));
}

#[tokio::test]
async fn so_many_are_asked_at_a_time() {
    let own = making(|| Ok(LlmAnswer::stream(stream::iter([start()]).chain(stream::pending()))));
    let first = own.ask(request()).await.answer.unwrap();
    assert_eq!(own.health().in_flight, 1);
    assert_eq!(code(&own).await, (0, "upstream_saturated".to_owned()));
    drop(first);
    assert_eq!(own.health().in_flight, 0);
    assert!(own.ask(request()).await.answer.is_ok());
}
