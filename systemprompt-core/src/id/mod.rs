//! Identifiers: every id that crosses a boundary is a type of its own.
//!
//! All textual identifiers hold 1 to 255 bytes; unless a type says otherwise they are visible ASCII
//! without `/ \ " ' < >`. They are parsed once (`FromStr`, `TryFrom`, serde) and valid from then on.
//! Cloning is a reference count.

#[macro_use]
mod text;
mod email;
mod error;
mod path;
mod secret;
mod tool;
mod trace;
mod unique;
mod url;

pub use email::Email;
pub use error::IdError;
pub use path::ValidatedFilePath;
pub use secret::SecretName;
pub use tool::{ServerName, ToolName};
pub use trace::TraceId;
pub use unique::{EventId, PermitId, ReservationId};
pub use url::ValidatedUrl;

text_ids! {
    /// A person or service account.
    UserId;
    /// One conversation of a client, as the client names it.
    SessionId: generated;
    /// The A2A or host context a call belongs to.
    ContextId: generated;
    /// The task a call belongs to.
    TaskId: generated;
    /// An agent as the policy names it.
    AgentId;
    /// The organisation (or part of one) that owns users, keys and rows.
    TenantId;
    /// An MCP server as the registry names it.
    McpServerId;
    /// One execution of an MCP tool.
    McpExecutionId: generated;
    /// One model request.
    AiRequestId: generated;
    /// A client-side plugin that sent a hook.
    PluginId;
    /// A skill offered by an agent.
    SkillId;
    /// A produced artifact.
    ArtifactId: generated;
    /// A stored file.
    FileId: generated;
    /// A piece of content.
    ContentId: generated;
    /// A message in a conversation.
    MessageId: generated;
    /// A token, by its `jti` or key id; never the token itself.
    TokenId: generated;
    /// An OAuth client.
    ClientId;
    /// A role a principal may hold.
    RoleId;
    /// The name of a configuration profile.
    ProfileName;
    /// The content-derived version of a compiled policy.
    PolicyVersion;
    /// One tool call, as the caller (or the door, when the caller is silent) names it.
    CallId: generated;
    /// A department a user belongs to.
    DepartmentId;
    /// One scope of a credential, such as `tools:use`.
    Scope;
    /// An audience a credential is meant for, such as `api` or a server's URL. May hold `/`.
    Audience: any_visible;
}

impl Audience {
    /// The surface of the client-side hooks: `hook`.
    #[must_use]
    pub fn hook() -> Self {
        Self("hook".into())
    }

    /// The surface of the API: `api`.
    #[must_use]
    pub fn api() -> Self {
        Self("api".into())
    }
}

#[cfg(test)]
mod tests;
