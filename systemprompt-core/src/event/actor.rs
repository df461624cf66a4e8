use std::net::IpAddr;
use std::sync::Arc;

use crate::call::Door;
use crate::id::{
    AgentId, CallId, ContextId, DepartmentId, PluginId, SessionId, TaskId, TenantId, TokenId,
    UserId,
};
use crate::principal::Principal;

/// Identity: the first point of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSubject {
    /// The tenant.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// The user's department.
    pub department: Option<DepartmentId>,
    /// The key id or `jti` of the credential.
    pub credential: Option<TokenId>,
    /// Who acts on the user's behalf, outermost first.
    pub actors: Vec<UserId>,
}

impl From<&Principal> for EventSubject {
    fn from(principal: &Principal) -> Self {
        let claims = principal.claims();
        Self {
            tenant: claims.tenant.clone(),
            user: claims.user.clone(),
            department: claims.department.clone(),
            credential: Some(claims.credential.clone()),
            actors: claims.actors.clone(),
        }
    }
}

/// Agent context: the second point of the trace. Texts are redacted already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventContext {
    /// The call.
    pub call_id: Option<CallId>,
    /// The session.
    pub session: Option<SessionId>,
    /// The host or A2A context.
    pub context: Option<ContextId>,
    /// The task.
    pub task: Option<TaskId>,
    /// The agent.
    pub agent: Option<AgentId>,
    /// The client plugin.
    pub plugin: Option<PluginId>,
    /// The door.
    pub door: Option<Door>,
    /// The client software.
    pub user_agent: Option<Arc<str>>,
    /// The client's address, after trusted proxies.
    pub client_addr: Option<IpAddr>,
}
