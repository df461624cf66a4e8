use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use systemprompt_core::api::Problem;
use systemprompt_core::call::{Door, MalformedCall, ToolRef};
use systemprompt_core::content::{
    Content, ContentBody, ContentFinding, ContentOrigin, ContentVerdict, Inspection,
};
use systemprompt_core::id::{CallId, SessionId};
use systemprompt_core::policy::SecretDirection;
use systemprompt_core::secret::Redact;

use super::{admit, bad_body, id};
use crate::http::fields::{Fields, Unknown, string};
use crate::http::{Doors, Incoming, answer};
use crate::record;

const NAMES: [&str; 6] = ["direction", "tool", "server", "session_id", "call_id", "content"];

/// `POST /api/v1/inspect`.
pub(in crate::http) async fn inspect(State(doors): State<Doors>, request: Request) -> Response {
    let (incoming, body) = Incoming::of(request);
    match look_through(&doors, &incoming, body).await {
        Ok((inspection, text)) => {
            let answered = Inspected::of(&inspection, text, &*doors.redact);
            answer::json(&answered, incoming.trace_id())
        }
        Err(problem) => incoming.refuse(problem),
    }
}

/// What became of a text, as the API writes it.
#[derive(Serialize)]
struct Inspected<'i> {
    verdict: &'static str,
    /// What goes on in the place of the text, in the form it came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Withheld>,
    findings: &'i [ContentFinding],
}

#[derive(Serialize)]
struct Withheld {
    code: &'static str,
    message: String,
}

impl<'i> Inspected<'i> {
    fn of(inspection: &'i Inspection, text: bool, redact: &dyn Redact) -> Self {
        let findings = &inspection.findings;
        match &inspection.verdict {
            ContentVerdict::Pass => Self { verdict: "pass", content: None, reason: None, findings },
            ContentVerdict::Rewritten(rewritten) => {
                let content = match text {
                    true => serde_json::value::to_raw_value(rewritten).ok(),
                    false => RawValue::from_string(rewritten.clone()).ok(),
                };
                Self { verdict: "rewritten", content, reason: None, findings }
            }
            ContentVerdict::Withheld(reason) => {
                let message = record::text(redact, &reason.to_string()).into_owned();
                let reason = Some(Withheld { code: reason.code(), message });
                Self { verdict: "withheld", content: None, reason, findings }
            }
        }
    }
}

/// The inspection, and whether the content was a text.
async fn look_through(
    doors: &Doors,
    incoming: &Incoming,
    body: Body,
) -> Result<(Inspection, bool), Problem> {
    let trace_id = incoming.trace_id();
    let (principal, body) = admit(doors, incoming, body).await?;
    let read = || {
        let fields = Fields::read(&body, &NAMES, Unknown::Refuse)?;
        let direction = fields.required_text(0)?;
        let direction = SecretDirection::ALL.into_iter().find(|one| one.as_str() == direction);
        let expected = "one of `call`, `prompt`, `result`, `description`, `answer` and `history`";
        let direction = direction.ok_or(fields.mistyped(0, expected))?;
        Ok((direction, fields))
    };
    let (direction, fields) = read().map_err(|fault| bad_body(doors, &fault, trace_id))?;
    let bad = |fault| bad_body(doors, &fault, trace_id);
    let unfit = |fault: MalformedCall| Problem::bad_request(fault.to_string(), trace_id);
    let (tool, server) = (fields.text(1).map_err(bad)?, fields.text(2).map_err(bad)?);
    let tool = tool.map(|tool| ToolRef::parse(server.as_deref(), &tool));
    let tool = tool.transpose().map_err(unfit)?;
    let mut context = incoming.context(doors);
    let session = fields.text(3).map_err(bad)?;
    context.session = id("session_id", session.as_deref(), SessionId::parse).map_err(unfit)?;
    let call = fields.text(4).map_err(bad)?;
    context.call_id = id("call_id", call.as_deref(), CallId::parse).map_err(unfit)?;
    let raw = fields.required(5).map_err(bad)?;
    let text = string(raw);
    let origin = ContentOrigin {
        direction,
        principal: &principal,
        tool: tool.as_ref(),
        door: Door::Api,
        context: &context,
    };
    let content = text.as_deref().map_or(ContentBody::Json(raw), ContentBody::Text);
    let inspection = doors.inspect.inspect(Content { origin, body: content }).await;
    Ok((inspection, text.is_some()))
}
