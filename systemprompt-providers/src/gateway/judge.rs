use systemprompt_core::call::{Arguments, CallContext, Door, MalformedCall, ToolCall, ToolRef};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Decision, DenialReason};
use systemprompt_core::id::CallId;

use super::{Caller, ModelGateway};
use serde_json::Value;

use systemprompt_core::llm::ToolInput;

/// What became of a call of a tool in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes to the caller as the model made it.
    Allowed,
    /// It goes to the caller with these arguments, an object of JSON.
    Rewritten(String),
    /// The caller gets this sentence in its place.
    Denied {
        /// The code of the reason.
        code: &'static str,
        /// What the model can act on.
        sentence: String,
    },
}

impl ModelGateway {
    /// Decides a call of a tool. The decision is durable on return; a permit is the caller's, and its
    /// outcome is recorded when the result comes with a later request.
    pub(super) async fn judge(
        &self,
        caller: &Caller,
        id: &str,
        name: &str,
        input: &ToolInput,
    ) -> Verdict {
        let call_id = CallId::parse(id).ok();
        let context = CallContext { call_id, ..caller.context.clone() };
        let decision = match tool_call(caller, &context, name, input) {
            Ok(call) => self.parts().decide.decide(call).await,
            Err(fault) => {
                let rejected = RejectedCall {
                    principal: caller.principal.clone(),
                    door: Door::Gateway,
                    context,
                    tool: Some(name.to_owned()),
                    reason: DenialReason::MalformedCall(fault),
                };
                self.parts().decide.reject(rejected).await
            }
        };
        match decision {
            Decision::Allow(permit) => {
                let rewritten = permit
                    .is_rewritten()
                    .then(|| String::from_utf8_lossy(permit.call().arguments().raw()).into_owned());
                let _ = permit.into_ticket();
                rewritten.map_or(Verdict::Allowed, Verdict::Rewritten)
            }
            Decision::Deny(denial) => Verdict::denied(self, name, &denial.reason),
            Decision::Pending(_) => Verdict::denied(self, name, &DenialReason::ApprovalRequired),
        }
    }
}

/// The tool that an item of Responses calls where it is no function: one that OpenAI has trained and the caller
/// runs. `None` for what the provider runs itself.
pub(super) fn runs_at_the_caller(kind: &str) -> Option<&'static str> {
    match kind {
        "computer_call" => Some("computer"),
        "local_shell_call" => Some("local_shell"),
        "shell_call" => Some("shell"),
        "apply_patch_call" => Some("apply_patch"),
        _ => None,
    }
}

/// The tool that a part of an answer says the provider has called itself: its name, behind that of its server if
/// there is one.
pub(super) fn runs_at_the_provider(part: &Value) -> Option<String> {
    let member = |name: &str| part.get(name).and_then(Value::as_str);
    let kind = member("type")?;
    let of_anthropic = kind != "tool_use" && kind.ends_with("tool_use");
    let of_responses = kind.strip_suffix("_call").filter(|_| runs_at_the_caller(kind).is_none());
    let name = match of_responses {
        None if !of_anthropic => return None,
        own => member("name").or(own).unwrap_or(kind),
    };
    Some(match member("server_name").or_else(|| member("server_label")) {
        Some(server) => format!("{server}/{name}"),
        None => name.to_owned(),
    })
}

impl ModelGateway {
    /// Decides the call of a tool that the caller has built in. What is said in its place, unless it may go on
    /// as it is.
    pub(super) async fn judge_item(
        &self,
        caller: &Caller,
        tool: &str,
        item: &Value,
    ) -> Option<String> {
        const OF_THE_CALL: [&str; 4] = ["action", "actions", "operation", "pending_safety_checks"];
        let member = |name: &str| item.get(name).and_then(Value::as_str);
        let id = member("call_id").or_else(|| member("id")).unwrap_or_default();
        let arguments: serde_json::Map<String, Value> = OF_THE_CALL
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())))
            .collect();
        let input = ToolInput::Json(Value::Object(arguments).to_string());
        match self.judge(caller, id, tool, &input).await {
            Verdict::Allowed => None,
            Verdict::Denied { sentence, .. } => Some(sentence),
            Verdict::Rewritten(_) => Some(format!(
                "The call of the tool `{tool}` was withheld: the policy changes its arguments, which a call of \
                 this kind cannot carry."
            )),
        }
    }
}

impl Verdict {
    fn denied(gateway: &ModelGateway, name: &str, reason: &DenialReason) -> Self {
        let code = reason.code();
        let text = format!("The call of the tool `{name}` was denied by policy ({code}): {reason}");
        let sentence = gateway.parts().redact.redact(&text).into_owned();
        Self::Denied { code, sentence }
    }
}

fn tool_call(
    caller: &Caller,
    context: &CallContext,
    name: &str,
    input: &ToolInput,
) -> Result<ToolCall, MalformedCall> {
    let tool = ToolRef::parse(None, name)?;
    let arguments = match input {
        ToolInput::Json(text) | ToolInput::Broken(text) => Arguments::parse(text.clone())?,
        ToolInput::Text(text) => {
            Arguments::parse(serde_json::json!({ "input": text }).to_string())?
        }
    };
    Ok(ToolCall::new(caller.principal.clone(), Door::Gateway, tool, arguments, context.clone()))
}
