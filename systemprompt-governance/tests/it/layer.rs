use std::convert::Infallible;
use std::future::Future as _;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use systemprompt_core::call::ToolCall;
use systemprompt_core::decision::{OutcomeStatus, PermitTicket};
use systemprompt_core::id::PermitId;
use systemprompt_governance::layer::{Gate, GovernLayer, NotACall, PermitSlot, Refused};
use tokio::sync::Semaphore;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::house::{House, call, house, starter, user, with_limit};

/// A request of some protocol that is not HTTP.
struct Order {
    tool: &'static str,
    permit: Option<PermitSlot>,
}

/// Orders are calls of the tool they name; answers are texts.
struct Orders;

impl Gate<Order> for Orders {
    type Response = String;

    async fn read(&self, order: Order) -> Result<(ToolCall, Order), NotACall<String>> {
        match order.tool {
            "" => Err(NotACall::Answered("who are you?".into())),
            tool => Ok((call(&user(), tool).build(), order)),
        }
    }

    fn admit(&self, order: Order, permit: PermitSlot) -> Order {
        Order { permit: Some(permit), ..order }
    }

    fn refuse(&self, refused: Refused) -> String {
        match refused {
            Refused::Denied(denial) => denial.reason.code().into(),
            other => format!("{other:?}"),
        }
    }

    fn outcome(&self, answer: &String) -> OutcomeStatus {
        if answer == "broken" { OutcomeStatus::Failed } else { OutcomeStatus::Success }
    }
}

async fn ask(house: &House, tool: &'static str, answer: &'static str) -> String {
    let service = service_fn(move |_: Order| async move { Ok::<_, Infallible>(answer.to_owned()) });
    let service = GovernLayer::new(house.governor.clone(), Orders).layer(service);
    service.oneshot(Order { tool, permit: None }).await.unwrap()
}

fn statuses(house: &House) -> Vec<Option<OutcomeStatus>> {
    let outcomes = house.log.outcomes.lock();
    outcomes.values().map(|outcome| outcome.as_ref().map(|outcome| outcome.status)).collect()
}

#[tokio::test]
async fn allowed_requests_pass_and_are_settled_by_their_answer() {
    for (answer, status) in [("fine", OutcomeStatus::Success), ("broken", OutcomeStatus::Failed)] {
        let house = house(starter());
        assert_eq!(ask(&house, "Read", answer).await, answer);
        assert_eq!(statuses(&house), [Some(status)]);
    }
}

#[tokio::test]
async fn refused_requests_do_not_reach_the_service() {
    let house = house(with_limit(1, 60, &[]));
    assert_eq!(ask(&house, "delete_x", "ran").await, "blocked");
    assert_eq!(ask(&house, "", "ran").await, "who are you?");
    assert_eq!(ask(&house, "Read", "ran").await, "ran");
    assert_eq!(ask(&house, "Read", "ran").await, "rate_limited");
    assert_eq!(house.log.decisions().len(), 3);
    assert_eq!(statuses(&house).len(), 1);
}

#[tokio::test]
async fn a_service_may_take_the_permit_itself() {
    let house = house(starter());
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<PermitTicket>(1);
    let service = service_fn(move |order: Order| {
        let sender = sender.clone();
        async move {
            let permit = order.permit.unwrap().take().unwrap();
            sender.send(permit.into_ticket()).await.unwrap();
            Ok::<_, Infallible>("later".to_owned())
        }
    });
    let service = GovernLayer::new(house.governor.clone(), Orders).layer(service);
    service.oneshot(Order { tool: "Read", permit: None }).await.unwrap();
    let ticket = receiver.recv().await.unwrap();
    assert!(statuses(&house).is_empty(), "the outcome is the service's to report");
    assert_eq!(house.log.decisions()[0].permit, Some(ticket.id));
}

#[tokio::test]
async fn a_request_that_is_dropped_abandons_its_permit() {
    let house = house(starter());
    let service = service_fn(|_: Order| std::future::pending::<Result<String, Infallible>>());
    let service = GovernLayer::new(house.governor.clone(), Orders).layer(service);
    let mut asking = Box::pin(service.oneshot(Order { tool: "Read", permit: None }));
    let polled = std::future::poll_fn(|context| Poll::Ready(asking.as_mut().poll(context)));
    assert!(polled.await.is_pending());
    let permit: PermitId = house.log.decisions()[0].permit.unwrap();
    drop(asking);
    assert_eq!(house.log.outcomes.lock().get(&permit), Some(&None));
}

/// Orders that all name the same call.
struct Copies;

impl Gate<Order> for Copies {
    type Response = String;

    async fn read(&self, order: Order) -> Result<(ToolCall, Order), NotACall<String>> {
        Ok((call(&user(), order.tool).session("s").id("c1").build(), order))
    }

    fn admit(&self, order: Order, permit: PermitSlot) -> Order {
        Orders.admit(order, permit)
    }

    fn refuse(&self, refused: Refused) -> String {
        match refused {
            Refused::Spent(_) => "spent".into(),
            other => Orders.refuse(other),
        }
    }

    fn outcome(&self, answer: &String) -> OutcomeStatus {
        Orders.outcome(answer)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_repeats_run_the_tool_once() {
    let house = house(with_limit(1, 3_600, &[]));
    let (runs, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let service = service_fn({
        let (runs, release) = (runs.clone(), release.clone());
        move |_: Order| {
            let (runs, release) = (runs.clone(), release.clone());
            async move {
                runs.fetch_add(1, SeqCst);
                let _ = release.acquire().await.unwrap();
                Ok::<_, Infallible>("ran".to_owned())
            }
        }
    });
    let service = GovernLayer::new(house.governor.clone(), Copies).layer(service);
    let mut asking: FuturesUnordered<_> = (0..100)
        .map(|_| tokio::spawn(service.clone().oneshot(Order { tool: "Read", permit: None })))
        .collect();
    for _ in 0..99 {
        assert_eq!(asking.next().await.unwrap().unwrap().unwrap(), "spent");
    }
    assert!(house.log.outcomes.lock().is_empty(), "refused repeats leave the first alone");
    release.add_permits(1);
    assert_eq!(asking.next().await.unwrap().unwrap().unwrap(), "ran");
    assert_eq!(runs.load(SeqCst), 1);
    assert_eq!(statuses(&house), [Some(OutcomeStatus::Success)]);
}

#[cfg(feature = "http")]
mod http {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::routing::post;
    use bytes::Bytes;
    use http::request::Parts;
    use systemprompt_core::call::{Arguments, CallContext, Door, MalformedCall, ToolCall, ToolRef};
    use systemprompt_core::contract::RejectedCall;
    use systemprompt_core::decision::DenialReason;
    use systemprompt_core::principal::Principal;
    use systemprompt_governance::layer::{GovernLayer, HttpGate, Unreadable};
    use tower::ServiceExt as _;

    use crate::house::{House, house, user, with_limit};

    fn read(parts: &Parts, body: Bytes) -> Result<ToolCall, Unreadable> {
        let principal = parts.extensions.get::<Principal>().ok_or(Unreadable::Unauthenticated)?;
        let tool = parts.uri.path().trim_start_matches('/').replace('/', ".");
        let rejected = |fault: MalformedCall| {
            Unreadable::Rejected(Box::new(RejectedCall {
                principal: principal.clone(),
                door: Door::Embedded,
                context: CallContext::default(),
                tool: Some(tool.clone()),
                reason: DenialReason::MalformedCall(fault),
            }))
        };
        let arguments = Arguments::parse(body).map_err(rejected)?;
        let tool_ref = ToolRef::parse(None, &tool).map_err(rejected)?;
        let (principal, context) = (principal.clone(), CallContext::default());
        Ok(ToolCall::new(principal, Door::Embedded, tool_ref, arguments, context))
    }

    async fn ask(house: &House, path: &str, body: &str, known: bool) -> (u16, String) {
        let echo = |body: String| async move { format!("got {body}") };
        let router = Router::new()
            .route("/orders/create", post(echo))
            .route("/orders/delete", post(echo))
            .layer(GovernLayer::new(house.governor.clone(), HttpGate::new(read)));
        let mut request = Request::post(path).body(Body::from(body.to_owned())).unwrap();
        if known {
            request.extensions_mut().insert(user());
        }
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_router_is_governed_by_one_layer() {
        let house = house(with_limit(1, 60, &[]));
        let (status, body) = ask(&house, "/orders/delete", "{}", true).await;
        assert_eq!(status, 403);
        assert!(body.contains("\"code\":\"blocked\""), "{body}");
        assert_eq!(ask(&house, "/orders/create", "{}", false).await.0, 401);
        assert_eq!(ask(&house, "/orders/create", "{\"a\":1,\"a\":2}", true).await.0, 400);
        let answer = ask(&house, "/orders/create", "{\"a\":1}", true).await;
        assert_eq!(answer, (200, "got {\"a\":1}".into()));
        let (status, body) = ask(&house, "/orders/create", "{}", true).await;
        assert_eq!(status, 429);
        assert!(body.contains("retry_after_ms"), "{body}");
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(ask(&house, "/orders/create", &large, true).await.0, 413);
        assert_eq!(house.log.decisions().len(), 4);
    }
}

/// Like [`Orders`], but each order carries the same secret as its id and the answer repeats it.
struct Labelled;

impl Gate<Order> for Labelled {
    type Response = String;

    async fn read(&self, order: Order) -> Result<(ToolCall, Order), NotACall<String>> {
        Ok((call(&user(), order.tool).id(&label()).build(), order))
    }

    fn admit(&self, order: Order, _: PermitSlot) -> Order {
        order
    }

    fn refuse(&self, refused: Refused) -> String {
        format!("{refused:?}")
    }

    fn outcome(&self, _: &String) -> OutcomeStatus {
        OutcomeStatus::Success
    }
}

fn label() -> String {
    format!("ghp_{}", &"a1B2c3D4e5".repeat(4)[..36])
}

#[tokio::test]
async fn a_gate_is_not_told_the_secret_in_a_call_id() {
    let house = house(starter());
    let service = service_fn(|_: Order| async { Ok::<_, Infallible>("done".to_owned()) });
    let service = GovernLayer::new(house.governor.clone(), Labelled).layer(service);
    let answer = service.oneshot(Order { tool: "delete_all", permit: None }).await.unwrap();
    assert!(answer.contains("blocked") || answer.contains("Blocked"), "{answer}");
    assert!(!answer.contains(&label()), "{answer}");
}
