//! The canonical tool call that every door builds and `evaluate` decides.

mod arguments;
mod digest;
mod malformed;
mod numbers;
mod tool_ref;

pub use arguments::{Arguments, MAX_ARGUMENT_BYTES, MAX_ARGUMENT_DEPTH, Node};
pub use digest::{Digest, DigestError};
pub use malformed::MalformedCall;
pub use tool_ref::ToolRef;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{AgentId, CallId, ContextId, PluginId, SessionId, TaskId, TraceId};
use crate::principal::Principal;

/// The way a call came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Door {
    /// A client-side hook.
    Hook,
    /// `POST /api/v1/govern` and its batch form.
    Api,
    /// An MCP server.
    Mcp,
    /// A tool call inside a model's answer.
    Gateway,
    /// Another agent.
    A2a,
    /// A call made in process by the host.
    Embedded,
    /// The command line.
    Cli,
}

impl Door {
    /// The door's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hook => "hook",
            Self::Api => "api",
            Self::Mcp => "mcp",
            Self::Gateway => "gateway",
            Self::A2a => "a2a",
            Self::Embedded => "embedded",
            Self::Cli => "cli",
        }
    }
}

impl fmt::Display for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// To run a tool. No rule, no call.
    Tool,
    /// To hand a prompt to a model, as the reserved tool `prompt:submit` with the arguments
    /// `{"prompt": ..}`.
    ///
    /// It passes the same checks, is charged to the same limits and audited the same way, with one
    /// difference: typing a prompt is no privilege, so *scope* lets it pass when no rule names
    /// `prompt:submit` itself. As soon as an allow rule names it (not merely a pattern such as `*`
    /// that happens to cover it), that rule decides as for any tool; a deny rule that covers it always
    /// denies. An agent that is named must be known and granted, as for any call.
    ///
    /// A [`Tool`](Self::Tool) call that names `prompt:submit` is an ordinary call and needs a rule.
    Prompt,
}

/// The circumstances of a call, as far as the door knows them. Nothing here grants anything.
#[derive(Debug, Clone, Default)]
pub struct CallContext {
    /// The caller's own id of the call; minted when absent.
    pub call_id: Option<CallId>,
    /// The W3C trace the call belongs to; minted when absent.
    pub trace_id: Option<TraceId>,
    /// The client session.
    pub session: Option<SessionId>,
    /// The host or A2A context.
    pub context: Option<ContextId>,
    /// The task.
    pub task: Option<TaskId>,
    /// The agent that makes the call.
    pub agent: Option<AgentId>,
    /// Whether `agent` is a label that the client gave to one of its own workers (a subagent's type,
    /// say) and not a claim to be an agent of the policy. A label that the policy does not know is
    /// no reason to deny; one that it does know is an agent like any other: the principal must be
    /// granted it and its rules apply.
    pub agent_is_label: bool,
    /// The client plugin that sent it.
    pub plugin: Option<PluginId>,
    /// The client software, from `User-Agent`; recorded only.
    pub user_agent: Option<Arc<str>>,
    /// The client's address, after trusted proxies; recorded only.
    pub client_addr: Option<IpAddr>,
}

/// One tool call, ready to be decided. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ToolCall(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    kind: CallKind,
    call_id: CallId,
    call_id_supplied: bool,
    trace_id: TraceId,
    context: CallContext,
    principal: Principal,
    door: Door,
    tool: ToolRef,
    arguments: Arguments,
    arguments_digest: Digest,
    digest: Digest,
}

impl ToolCall {
    /// Makes a call of `tool` by `principal`.
    ///
    /// Missing call and trace ids are minted.
    #[must_use]
    pub fn new(
        principal: Principal,
        door: Door,
        tool: ToolRef,
        arguments: Arguments,
        context: CallContext,
    ) -> Self {
        Self::of_kind(CallKind::Tool, principal, door, tool, arguments, context)
    }

    /// Makes the call that stands for a prompt by `principal`; see [`CallKind::Prompt`].
    ///
    /// `arguments` are `{"prompt": ..}`. Missing call and trace ids are minted.
    #[must_use]
    pub fn prompt(
        principal: Principal,
        door: Door,
        arguments: Arguments,
        context: CallContext,
    ) -> Self {
        Self::of_kind(CallKind::Prompt, principal, door, ToolRef::prompt(), arguments, context)
    }

    fn of_kind(
        kind: CallKind,
        principal: Principal,
        door: Door,
        tool: ToolRef,
        arguments: Arguments,
        context: CallContext,
    ) -> Self {
        let arguments_digest = arguments.digest();
        let digest = Digest::of_call(kind, &tool, context.agent.as_ref(), arguments_digest);
        Self(Arc::new(Parts {
            kind,
            call_id: context.call_id.clone().unwrap_or_else(CallId::generate),
            call_id_supplied: context.call_id.is_some(),
            trace_id: context.trace_id.unwrap_or_else(TraceId::generate),
            context,
            principal,
            door,
            tool,
            arguments,
            arguments_digest,
            digest,
        }))
    }

    /// Whether a tool is to run or a prompt to be submitted.
    #[must_use]
    pub fn kind(&self) -> CallKind {
        self.0.kind
    }

    /// The same call with other arguments for the tool, as the policy wants them: secrets taken out, say.
    /// Ids and digests stay those of the call that was made.
    #[must_use]
    pub fn delivering(&self, arguments: Arguments) -> Self {
        let Parts { kind, call_id_supplied, trace_id, door, arguments_digest, digest, .. } =
            *self.0;
        Self(Arc::new(Parts {
            kind,
            call_id: self.0.call_id.clone(),
            call_id_supplied,
            trace_id,
            context: self.0.context.clone(),
            principal: self.0.principal.clone(),
            door,
            tool: self.0.tool.clone(),
            arguments,
            arguments_digest,
            digest,
        }))
    }

    /// The id of the call.
    #[must_use]
    pub fn call_id(&self) -> &CallId {
        &self.0.call_id
    }

    /// Whether the caller chose the call id, so that a repeat can be recognised.
    #[must_use]
    pub fn call_id_supplied(&self) -> bool {
        self.0.call_id_supplied
    }

    /// The trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.trace_id
    }

    /// The session, if any.
    #[must_use]
    pub fn session(&self) -> Option<&SessionId> {
        self.0.context.session.as_ref()
    }

    /// The agent, if any.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentId> {
        self.0.context.agent.as_ref()
    }

    /// The circumstances as the door gave them.
    #[must_use]
    pub fn context(&self) -> &CallContext {
        &self.0.context
    }

    /// The caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// The door.
    #[must_use]
    pub fn door(&self) -> Door {
        self.0.door
    }

    /// The tool.
    #[must_use]
    pub fn tool(&self) -> &ToolRef {
        &self.0.tool
    }

    /// The arguments.
    #[must_use]
    pub fn arguments(&self) -> &Arguments {
        &self.0.arguments
    }

    /// SHA-256 of the argument bytes.
    #[must_use]
    pub fn arguments_digest(&self) -> Digest {
        self.0.arguments_digest
    }

    /// SHA-256 over tool, agent and arguments: what a permit is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.0.digest
    }
}

#[cfg(test)]
mod tests;
