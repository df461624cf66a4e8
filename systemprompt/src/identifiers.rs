//! Identifiers: every id that crosses a boundary is a type of its own.

#[doc(inline)]
pub use systemprompt_core::id::{
    AgentId, AiRequestId, ArtifactId, Audience, CallId, ClientId, ContentId, ContextId,
    DepartmentId, Email, EventId, FileId, IdError, McpExecutionId, McpServerId, MessageId,
    PermitId, PluginId, PolicyVersion, ProfileName, RoleId, Scope, SecretName, ServerName,
    SessionId, SkillId, TaskId, TenantId, TokenId, ToolName, TraceId, UserId, ValidatedFilePath,
    ValidatedUrl,
};
