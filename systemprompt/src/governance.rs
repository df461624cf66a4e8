//! The one decision point, the policy it goes by, and its doors over HTTP.

#[doc(inline)]
pub use systemprompt_governance::stats::{DecisionCount, Histogram};
#[doc(inline)]
pub use systemprompt_governance::{
    BuildError, DryRun, Governor, GovernorBuilder, KnownIds, MemoryRateStore, OpenPermit, Policy,
    PolicySource, ReloadError, SecretStream, ShadowStats, Stats, ToolFailure, ToolResult,
};

/// Recorded decisions, decided again by another policy.
pub mod replay {
    #[doc(inline)]
    pub use systemprompt_governance::replay::{
        Change, ChangeReport, Counted, Direction, Grounds, RecordedCheck, RecordedDecision, Replay,
        ReplayReport, Replayed, UndecidedReport, Unknown,
    };
}

/// What servers say about their tools.
pub mod description {
    #[doc(inline)]
    pub use systemprompt_governance::description::{
        Clash, HiddenInstruction, InstructionKind, ToolCard, clashes, hidden_instructions, visible,
    };
}

/// The doors as axum routers.
pub mod http {
    #[doc(inline)]
    pub use systemprompt_governance::http::{
        Doors, MAX_BATCH, OPENAPI, ROUTES, api_router, hook_router, router,
    };
}

/// A tower layer: every request of a service is a governed call.
pub mod layer {
    #[doc(inline)]
    pub use systemprompt_governance::layer::{
        Gate, GovernLayer, GovernService, HttpGate, NotACall, PermitSlot, Refused, Unreadable,
    };
}
