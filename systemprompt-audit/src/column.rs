//! The columns of an event and what they hold.

use std::sync::Arc;

macro_rules! columns {
    ($($column:ident $name:literal;)*) => {
        /// A column of an event, in the order of the table.
        ///
        /// Beside these the table has `log_id` and `seq`, which say where the event stands, `salt`
        /// and `leaf_hash`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Column { $($column,)* }

        impl Column {
            /// All columns, in the order of the table.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$column,)*];

            /// The column's name.
            #[cfg(feature = "sqlite")]
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$column => $name,)* }
            }

            /// The name as the key of a JSON member.
            pub(crate) const fn key(self) -> &'static str {
                match self { $(Self::$column => concat!('"', $name, "\":"),)* }
            }
        }
    };
}

columns! {
    Id "id";
    Kind "kind";
    OccurredAt "occurred_at";
    TraceId "trace_id";
    CallId "call_id";
    SessionId "session_id";
    ContextId "context_id";
    TaskId "task_id";
    TenantId "tenant_id";
    UserId "user_id";
    Department "department";
    CredentialId "credential_id";
    ActorChain "actor_chain";
    AgentId "agent_id";
    PluginId "plugin_id";
    Door "door";
    UserAgent "user_agent";
    ClientAddr "client_addr";
    Server "server";
    Tool "tool";
    ArgumentsDigest "arguments_digest";
    ArgumentsBytes "arguments_bytes";
    CallDigest "call_digest";
    Decision "decision";
    ReasonCode "reason_code";
    Reason "reason";
    ReasonData "reason_data";
    Evaluation "evaluation";
    PolicyVersion "policy_version";
    DurationUs "duration_us";
    PermitId "permit_id";
    ExpiresAt "expires_at";
    Status "status";
    DurationMs "duration_ms";
    ResultBytes "result_bytes";
    ResultDigest "result_digest";
    Error "error";
    Detail "detail";
}

/// The value of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A number.
    Integer(i64),
    /// A text of the program's own.
    Static(&'static str),
    /// A text.
    Text(Arc<str>),
    /// The 16 bytes of an id.
    Id([u8; 16]),
    /// The 32 bytes of a digest.
    Digest([u8; 32]),
}
