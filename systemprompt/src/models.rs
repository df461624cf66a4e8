//! The words that everything is said in: calls, decisions, principals, events, time and money.

#[doc(inline)]
pub use systemprompt_core::call::{
    Arguments, CallContext, CallKind, Digest, Door, MAX_ARGUMENT_BYTES, MAX_ARGUMENT_DEPTH,
    MalformedCall, Node, ToolCall, ToolRef,
};
#[doc(inline)]
pub use systemprompt_core::clock::{Clock, ManualClock, SystemClock, Timestamp, TimestampError};
#[doc(inline)]
pub use systemprompt_core::content::{
    Content, ContentBody, ContentFinding, ContentOrigin, ContentVerdict, Inspection, StreamOrigin,
};
#[doc(inline)]
pub use systemprompt_core::decision::{
    Approval, CheckOutcome, CheckRecord, Decision, Denial, DenialReason, Evaluation, Injected,
    LimitState, Outcome, OutcomeStatus, Permit, PermitClaim, PermitGrant, PermitTicket, RateWindow,
    RunError, SecretLocation,
};
#[doc(inline)]
pub use systemprompt_core::event::{
    AiRequest, AiRequestBodies, AiRequestDetail, AiRequestStatus, AuditBody, AuditEvent,
    DecisionBody, DecisionFeatures, EventContext, EventKind, EventSubject, FeaturesError,
    OutcomeBody, RecordedBody, SecretScan, ShadowVerdict, TokenUsage, Verdict,
};
#[doc(inline)]
pub use systemprompt_core::money::Microdollars;
#[doc(inline)]
pub use systemprompt_core::policy::{
    AgentPolicy, Blocklist, Canary, CheckPolicy, Effect, LimitKey, LimitPolicy, OnAllow,
    PolicyDocument, PolicyFault, ScopeRule, SecretAction, SecretActionRule, SecretConfidence,
    SecretDirection, SecretExemption, SecretPolicy, SecretRule,
};
#[doc(inline)]
pub use systemprompt_core::principal::{ActorChainError, MAX_ACTORS, Principal, PrincipalClaims};
