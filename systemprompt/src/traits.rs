//! The contracts that one crate of the family, or a host, implements and another calls.

#[doc(inline)]
pub use systemprompt_core::contract::{
    AuditError, AuditSink, BudgetCap, BudgetError, BudgetKey, BudgetRefusal, BudgetRequest,
    BudgetState, BudgetStore, BudgetUnit, BudgetUse, BudgetWindow, Check, CheckFailure,
    CheckVerdict, Decide, FoundPermit, GrantedCall, Inspect, InspectStream, Job, JobError,
    LlmAnswer, LlmProvider, LlmRequest, OpenSecret, PermitLedger, PermitState, RateCharge,
    RateRefusal, RateStore, RateStoreError, RejectedCall, Reservation, Schedule, SecretStore,
    SecretStoreError, SecretUse, SettleError, Settlement, Sink, TemplateError, TemplateProvider,
    TokenError, TokenVerifier, ToolDefinition, ToolError, ToolProvider,
};

#[cfg(feature = "database")]
#[doc(inline)]
pub use systemprompt_core::contract::ChangeSink;
