use std::borrow::Cow;

use axum::extract::Query;
use bytes::Bytes;
use serde::Deserialize;
use systemprompt_core::call::{Arguments, CallContext, Door, MalformedCall, ToolCall, ToolRef};
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Decision, DenialReason, Outcome, OutcomeStatus};
use systemprompt_core::id::{AgentId, CallId, IdError, PluginId, SessionId};
use systemprompt_core::policy::OnAllow;
use systemprompt_core::principal::Principal;

use super::envelope::Envelope;
use super::{HookAnswer, HookDoor};
use crate::http::Incoming;
use crate::http::fields::FieldFault;

/// An event of a known caller.
pub(super) struct Event<'e> {
    pub(super) door: &'e HookDoor,
    pub(super) incoming: &'e Incoming,
    pub(super) principal: Principal,
    pub(super) body: &'e Bytes,
    pub(super) envelope: Envelope<'e>,
}

impl Event<'_> {
    /// Decides the call a client is about to make.
    pub(super) async fn decide_tool(&self) -> HookAnswer {
        let doors = &self.door.doors;
        let permit = match doors.decide(self.tool_call()).await {
            Decision::Allow(permit) => permit,
            refused => return HookAnswer::deny(&refused),
        };
        self.door.granted.remember(&permit);
        let answer = match permit.on_allow() {
            on_allow if permit.is_rewritten() => HookAnswer::rewrite(&permit, on_allow),
            OnAllow::Allow => HookAnswer::allow(permit.evaluation()),
            OnAllow::Defer => HookAnswer::Nothing,
        };
        let _ = permit.into_ticket();
        answer
    }

    /// Decides the prompt a client is about to hand to its model.
    pub(super) async fn decide_prompt(&self) -> HookAnswer {
        let permit = match self.door.doors.decide(self.prompt_call()).await {
            Decision::Allow(permit) => permit,
            refused => return HookAnswer::block(&refused),
        };
        // Nobody reports how a prompt went; that it was let through is all there is to say.
        let outcome = Outcome::new(OutcomeStatus::Success, std::time::Duration::ZERO);
        if let Err(error) = permit.settle(outcome).await {
            let trace_id = self.incoming.trace_id();
            tracing::warn!(%error, %trace_id, "the outcome of a prompt was not recorded");
        }
        HookAnswer::Nothing
    }

    fn tool_call(&self) -> Result<ToolCall, Box<RejectedCall>> {
        let mut context = self.incoming.context(&self.door.doors);
        match self.read_tool(&mut context) {
            Ok((tool, arguments)) => {
                Ok(ToolCall::new(self.principal.clone(), Door::Hook, tool, arguments, context))
            }
            Err(fault) => {
                let tool = self.envelope.tool_name().ok().map(Cow::into_owned);
                Err(self.rejected(context, tool, fault))
            }
        }
    }

    fn prompt_call(&self) -> Result<ToolCall, Box<RejectedCall>> {
        let mut context = self.incoming.context(&self.door.doors);
        match self.read_prompt(&mut context) {
            Ok(arguments) => {
                Ok(ToolCall::prompt(self.principal.clone(), Door::Hook, arguments, context))
            }
            Err(fault) => {
                let tool = ToolRef::prompt().qualified().to_owned();
                Err(self.rejected(context, Some(tool), fault))
            }
        }
    }

    fn rejected(
        &self,
        context: CallContext,
        tool: Option<String>,
        fault: MalformedCall,
    ) -> Box<RejectedCall> {
        Box::new(RejectedCall {
            principal: self.principal.clone(),
            door: Door::Hook,
            context,
            tool,
            reason: DenialReason::MalformedCall(fault),
        })
    }

    fn read_tool(&self, context: &mut CallContext) -> Result<(ToolRef, Arguments), MalformedCall> {
        self.name(context)?;
        let call_id = self.member(self.envelope.tool_use_id())?;
        context.call_id = id("tool_use_id", call_id, CallId::parse)?;
        let tool = ToolRef::parse(None, &self.member(self.envelope.tool_name())?)?;
        let arguments = self.member(self.envelope.tool_input())?;
        Ok((tool, Arguments::parse(self.body.slice_ref(arguments.as_bytes()))?))
    }

    fn read_prompt(&self, context: &mut CallContext) -> Result<Arguments, MalformedCall> {
        self.name(context)?;
        let prompt = self.member(self.envelope.prompt())?;
        Arguments::parse(format!("{{\"prompt\":{prompt}}}"))
    }

    /// Reads who and where; what comes before the first fault stays for the record.
    fn name(&self, context: &mut CallContext) -> Result<(), MalformedCall> {
        let session = self.member(self.envelope.session_id())?;
        context.session = id("session_id", session, SessionId::parse)?;
        context.plugin = plugin(self.incoming)?;
        let agent = self.member(self.envelope.agent_id())?;
        if let Some(label) = self.member(self.envelope.agent_type())? {
            // Inside a subagent `agent_id` counts its instances and `agent_type` names it. What
            // cannot be the id of an agent of the policy cannot be one.
            context.agent = AgentId::parse(&label).ok();
            context.agent_is_label = true;
        } else {
            context.agent = id("agent_id", agent, AgentId::parse)?;
        }
        Ok(())
    }

    fn member<T>(&self, member: Result<T, FieldFault>) -> Result<T, MalformedCall> {
        member.map_err(|fault| MalformedCall::Envelope { detail: fault.describe(&self.door.doors) })
    }
}

/// The plugin that sent the request: `?plugin_id=`; empty counts as absent.
pub(super) fn plugin(incoming: &Incoming) -> Result<Option<PluginId>, MalformedCall> {
    #[derive(Deserialize)]
    struct PluginQuery {
        plugin_id: Option<String>,
    }
    if incoming.uri().query().is_none_or(str::is_empty) {
        return Ok(None);
    }
    let Query(query) = Query::<PluginQuery>::try_from_uri(incoming.uri()).map_err(|_| {
        MalformedCall::Envelope { detail: "the query string cannot be read".to_owned() }
    })?;
    let plugin = query.plugin_id.filter(|text| !text.is_empty());
    id("plugin_id", plugin.map(Cow::Owned), PluginId::parse)
}

fn id<T>(
    field: &'static str,
    text: Option<Cow<'_, str>>,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<Option<T>, MalformedCall> {
    let parsed = text.as_deref().map(parse).transpose();
    parsed.map_err(|source| MalformedCall::Field { field, source })
}
