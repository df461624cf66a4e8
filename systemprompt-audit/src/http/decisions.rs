use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use systemprompt_core::api::Problem;
use systemprompt_core::call::ToolRef;
use systemprompt_core::event::Verdict;

use super::parameters::Parameters;
use super::{Door, access};
use crate::{Cursor, DecisionFilter, PageSize};

/// `GET /api/v1/audit/decisions`
pub(super) async fn list(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let (parts, _) = request.into_parts();
    let trace_id = access::trace(&parts);
    let scope = access::enter(&door, &parts).await?;
    let parameters = Parameters::of(&parts, trace_id)?;
    let wanted = Wanted::of(&parameters, &door)?;
    let page = door
        .reader
        .decisions(&scope, &wanted.filter, wanted.cursor.as_ref(), wanted.size)
        .await
        .map_err(|error| access::unreadable(&error, trace_id))?;
    let body = json!({ "decisions": page.items, "next_cursor": page.next_cursor });
    Ok(Json(body).into_response())
}

#[derive(Default)]
struct Wanted {
    filter: DecisionFilter,
    cursor: Option<Cursor>,
    size: PageSize,
}

impl Wanted {
    fn of(parameters: &Parameters, door: &Door) -> Result<Self, Problem> {
        let mut wanted = Self::default();
        for (name, value) in parameters.pairs() {
            if !wanted.take(parameters, name, value)? && !wanted.filter.text(name, value) {
                return Err(parameters.unknown(name, &*door.redact));
            }
        }
        wanted.filter.split_tool();
        Ok(wanted)
    }

    /// Takes a parameter that is no plain text; `false` when it is none of those.
    fn take(&mut self, parameters: &Parameters, name: &str, value: &str) -> Result<bool, Problem> {
        let bad = |expected: &str| parameters.bad(name, expected);
        match name {
            "trace_id" => {
                let trace = value.parse().map_err(|_| bad("32 lower-case hex digits"))?;
                self.filter.trace_id = Some(trace);
            }
            "from" => {
                self.filter.from = Some(value.parse().map_err(|_| bad("an RFC 3339 instant"))?)
            }
            "to" => self.filter.to = Some(value.parse().map_err(|_| bad("an RFC 3339 instant"))?),
            "decision" => {
                let verdict = verdict(value).ok_or_else(|| bad("`allow`, `deny` or `pending`"))?;
                self.filter.decision = Some(verdict);
            }
            "limit" => {
                let size = value.parse().ok().and_then(PageSize::new);
                self.size = size.ok_or_else(|| bad("a number from 1 to 1000"))?;
            }
            "cursor" => {
                let cursor = value.parse().map_err(|_| bad("the `next_cursor` of a page"))?;
                self.cursor = Some(cursor);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn verdict(name: &str) -> Option<Verdict> {
    [Verdict::Allow, Verdict::Deny, Verdict::Pending].into_iter().find(|it| it.as_str() == name)
}

impl DecisionFilter {
    /// Sets the plain text of this name; `false` when there is none.
    fn text(&mut self, name: &str, value: &str) -> bool {
        let field = match name {
            "user_id" | "user" => &mut self.user_id,
            "agent_id" | "agent" => &mut self.agent_id,
            "tool" => &mut self.tool,
            "server" => &mut self.server,
            "reason_code" => &mut self.reason_code,
            "call_id" => &mut self.call_id,
            "session_id" | "session" => &mut self.session_id,
            "context_id" => &mut self.context_id,
            "task_id" => &mut self.task_id,
            "department" => &mut self.department,
            "credential_id" => &mut self.credential_id,
            "door" => &mut self.door,
            "policy_version" => &mut self.policy_version,
            _ => return false,
        };
        *field = Some(value.to_owned());
        true
    }

    /// A qualified tool name stands for the tool and its server.
    fn split_tool(&mut self) {
        let tool = self.tool.as_deref().filter(|tool| tool.starts_with("mcp__"));
        let Some(Ok(tool)) = tool.map(|tool| ToolRef::parse(self.server.as_deref(), tool)) else {
            return;
        };
        self.server = tool.server().map(|server| server.as_str().to_owned());
        self.tool = Some(tool.name().as_str().to_owned());
    }
}
