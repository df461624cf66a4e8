use std::fmt;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::join_all;
use serde::Serialize;
use serde::de::{Deserializer as _, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use systemprompt_core::api::Problem;
use systemprompt_core::call::{CallContext, ToolCall};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::Decision;
use systemprompt_core::principal::Principal;

use super::call_body::{CallBody, rejected_item};
use super::{DecisionAnswer, admit, bad_body};
use crate::http::doors::MAX_BATCH;
use crate::http::fields::{FieldFault, Fields, Unknown};
use crate::http::{Doors, Incoming, answer};

/// `POST /api/v1/govern`.
pub(in crate::http) async fn govern(State(doors): State<Doors>, request: Request) -> Response {
    let (incoming, body) = Incoming::of(request);
    match decide_one(&doors, &incoming, body).await {
        Ok(decision) => {
            let answered = DecisionAnswer::of(&decision, &*doors.redact);
            let response = answer::json(&answered, incoming.trace_id());
            hand_over(decision);
            response
        }
        Err(problem) => incoming.refuse(problem),
    }
}

/// `POST /api/v1/govern/batch`.
pub(in crate::http) async fn govern_batch(
    State(doors): State<Doors>,
    request: Request,
) -> Response {
    let (incoming, body) = Incoming::of(request);
    match decide_all(&doors, &incoming, body).await {
        Ok(decisions) => {
            let answered = |decision| DecisionAnswer::of(decision, &*doors.redact);
            let answers = decisions.iter().map(answered).collect();
            let response = answer::json(&BatchAnswer { decisions: answers }, incoming.trace_id());
            decisions.into_iter().for_each(hand_over);
            response
        }
        Err(problem) => incoming.refuse(problem),
    }
}

#[derive(Serialize)]
struct BatchAnswer<'d> {
    decisions: Vec<DecisionAnswer<'d>>,
}

/// The permit, if any, is the remote caller's from here on.
fn hand_over(decision: Decision) {
    if let Some(permit) = decision.permit() {
        let _ = permit.into_ticket();
    }
}

async fn decide_one(doors: &Doors, incoming: &Incoming, body: Body) -> Result<Decision, Problem> {
    let (principal, body) = admit(doors, incoming, body).await?;
    let call = CallBody::read(&body)
        .map_err(|fault| bad_body(doors, &fault, incoming.trace_id()))?
        .into_call(&body, &principal, &incoming.context(doors));
    Ok(doors.decide(call).await)
}

async fn decide_all(
    doors: &Doors,
    incoming: &Incoming,
    body: Body,
) -> Result<Vec<Decision>, Problem> {
    let (principal, body) = admit(doors, incoming, body).await?;
    let context = incoming.context(doors);
    let calls = items(&body)
        .map_err(|fault| fault.problem(doors, incoming))?
        .into_iter()
        .map(|item| doors.decide(item_call(item, &body, doors, &principal, &context)));
    // Together, so that one commit of the log serves many; each future starts in its turn.
    Ok(join_all(calls).await)
}

fn item_call(
    item: &str,
    body: &Bytes,
    doors: &Doors,
    principal: &Principal,
    context: &CallContext,
) -> Result<ToolCall, Box<RejectedCall>> {
    CallBody::read(item.as_bytes())
        .map_err(|fault| Box::new(rejected_item(&fault, doors, principal, context)))?
        .into_call(body, principal, context)
}

enum BatchFault {
    Field(FieldFault),
    Size,
}

impl BatchFault {
    fn problem(&self, doors: &Doors, incoming: &Incoming) -> Problem {
        match self {
            Self::Field(fault) => bad_body(doors, fault, incoming.trace_id()),
            Self::Size => Problem::bad_request(
                format!("`calls` must hold 1 to {MAX_BATCH} calls"),
                incoming.trace_id(),
            ),
        }
    }
}

/// The JSON texts of the calls of a batch.
fn items(body: &[u8]) -> Result<Vec<&str>, BatchFault> {
    let fields = Fields::read(body, &["calls"], Unknown::Refuse).map_err(BatchFault::Field)?;
    let raw = fields.required(0).map_err(BatchFault::Field)?;
    if !raw.starts_with('[') {
        return Err(BatchFault::Field(fields.mistyped(0, "an array")));
    }
    let items = serde_json::Deserializer::from_str(raw).deserialize_seq(ItemsVisitor);
    items.ok().filter(|items| !items.is_empty()).ok_or(BatchFault::Size)
}

/// Collects at most [`MAX_BATCH`] items; one more is an error, so that memory stays bounded.
struct ItemsVisitor;

impl<'b> Visitor<'b> for ItemsVisitor {
    type Value = Vec<&'b str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = items.next_element::<&'b RawValue>()? {
            if texts.len() == MAX_BATCH {
                return Err(A::Error::custom("too many"));
            }
            texts.push(item.get());
        }
        Ok(texts)
    }
}
