use serde_json::value::RawValue;
use systemprompt_core::call::{CallContext, Door, ToolRef};
use systemprompt_core::content::{Content, ContentBody, ContentOrigin, ContentVerdict};
use systemprompt_core::id::{CallId, SessionId};
use systemprompt_core::policy::SecretDirection;

use super::HookAnswer;
use super::event::Event;
use super::hook_answer::ReportedResult;

impl Event<'_> {
    /// Records how a call went, and says what the model is to see of its result.
    pub(super) async fn report(&self) -> HookAnswer {
        let settled = self.settle().await;
        let Some(result) = self.inspected().await else { return settled };
        let trace_id = match settled {
            HookAnswer::Settled(trace_id) => Some(trace_id),
            _ => None,
        };
        HookAnswer::Result { trace_id, result }
    }

    /// What the model is to see of the result; `None` when that is the result itself.
    async fn inspected(&self) -> Option<ReportedResult> {
        let error = self.envelope.error();
        let body = match (self.envelope.tool_response(), &error) {
            (Some(response), _) => ContentBody::Json(response),
            (None, Some(error)) => ContentBody::Text(error),
            (None, None) => return None,
        };
        let name = self.envelope.tool_name().ok();
        let tool = name.and_then(|name| ToolRef::parse(None, &name).ok());
        let context = self.circumstances();
        let origin = ContentOrigin {
            direction: SecretDirection::Result,
            principal: &self.principal,
            tool: tool.as_ref(),
            door: Door::Hook,
            context: &context,
        };
        let inspection = self.door.doors.inspect.inspect(Content { origin, body }).await;
        let rules: Vec<&str> = inspection.findings.iter().map(|found| &*found.rule).collect();
        match inspection.verdict {
            ContentVerdict::Pass => None,
            ContentVerdict::Rewritten(text) => {
                let response = matches!(body, ContentBody::Json(_));
                let output = response.then(|| RawValue::from_string(text).ok()).flatten();
                let note = format!(
                    "The result held secrets ({}). Do not repeat, store or use them.",
                    rules.join(", ")
                );
                Some(ReportedResult { output, note, withheld: false })
            }
            ContentVerdict::Withheld(reason) => {
                let note = format!("The result is withheld [{}]: do not use it.", reason.code());
                let output = serde_json::value::to_raw_value(&note).ok();
                Some(ReportedResult { output, note, withheld: true })
            }
        }
    }

    /// The call that is reported, as far as it can be read.
    fn circumstances(&self) -> CallContext {
        let mut context = self.incoming.context(&self.door.doors);
        let session = self.envelope.session_id().ok().flatten();
        context.session = session.and_then(|text| SessionId::parse(&text).ok());
        let call_id = self.envelope.tool_use_id().ok().flatten();
        context.call_id = call_id.and_then(|text| CallId::parse(&text).ok());
        context
    }
}
