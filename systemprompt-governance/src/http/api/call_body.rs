use std::borrow::Cow;

use bytes::Bytes;
use systemprompt_core::call::{Arguments, CallContext, Door, MalformedCall, ToolCall, ToolRef};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::DenialReason;
use systemprompt_core::id::{AgentId, CallId, ContextId, SessionId, TaskId};
use systemprompt_core::principal::Principal;

use super::id;
use crate::http::Doors;
use crate::http::fields::{FieldFault, Fields, Unknown};

const NAMES: [&str; 8] =
    ["tool", "server", "arguments", "agent_id", "session_id", "context_id", "task_id", "call_id"];

/// The body of a call, as it was sent.
pub(super) struct CallBody<'b> {
    tool: Cow<'b, str>,
    server: Option<Cow<'b, str>>,
    arguments: &'b str,
    agent: Option<Cow<'b, str>>,
    session: Option<Cow<'b, str>>,
    context: Option<Cow<'b, str>>,
    task: Option<Cow<'b, str>>,
    call: Option<Cow<'b, str>>,
}

impl<'b> CallBody<'b> {
    pub(super) fn read(body: &'b [u8]) -> Result<Self, FieldFault> {
        let fields = Fields::read(body, &NAMES, Unknown::Refuse)?;
        Ok(Self {
            tool: fields.required_text(0)?,
            server: fields.text(1)?,
            arguments: fields.required(2)?,
            agent: fields.text(3)?,
            session: fields.text(4)?,
            context: fields.text(5)?,
            task: fields.text(6)?,
            call: fields.text(7)?,
        })
    }

    /// The call, or what to record when it is none. `body` is what was read from, so that the
    /// arguments are shared and not copied.
    pub(super) fn into_call(
        self,
        body: &Bytes,
        principal: &Principal,
        circumstances: &CallContext,
    ) -> Result<ToolCall, Box<RejectedCall>> {
        let mut context = circumstances.clone();
        let arguments = body.slice_ref(self.arguments.as_bytes());
        let call = self.name(&mut context).and_then(|()| {
            let tool = ToolRef::parse(self.server.as_deref(), &self.tool)?;
            Ok((tool, Arguments::parse(arguments)?))
        });
        match call {
            Ok((tool, arguments)) => {
                Ok(ToolCall::new(principal.clone(), Door::Api, tool, arguments, context))
            }
            Err(fault) => Err(Box::new(RejectedCall {
                principal: principal.clone(),
                door: Door::Api,
                context,
                tool: Some(self.tool.into_owned()),
                reason: DenialReason::MalformedCall(fault),
            })),
        }
    }

    /// Reads the ids into `context`; those before the first bad one stay for the record.
    fn name(&self, context: &mut CallContext) -> Result<(), MalformedCall> {
        context.call_id = id("call_id", self.call.as_deref(), CallId::parse)?;
        context.session = id("session_id", self.session.as_deref(), SessionId::parse)?;
        context.context = id("context_id", self.context.as_deref(), ContextId::parse)?;
        context.task = id("task_id", self.task.as_deref(), TaskId::parse)?;
        context.agent = id("agent_id", self.agent.as_deref(), AgentId::parse)?;
        Ok(())
    }
}

/// What to record for an item that has not even the form of a call.
pub(super) fn rejected_item(
    fault: &FieldFault,
    doors: &Doors,
    principal: &Principal,
    circumstances: &CallContext,
) -> RejectedCall {
    RejectedCall {
        principal: principal.clone(),
        door: Door::Api,
        context: circumstances.clone(),
        tool: None,
        reason: DenialReason::MalformedCall(MalformedCall::Envelope {
            detail: fault.describe(doors),
        }),
    }
}
