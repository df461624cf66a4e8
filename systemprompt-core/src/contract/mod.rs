//! The contracts between the crates of the family and their hosts.
//!
//! All of them are used as `dyn`, hence `#[async_trait]` (it boxes the future, so that the trait stays
//! object-safe).

mod audit;
mod budget;
#[cfg(feature = "database")]
mod change;
mod check;
mod decide;
mod inspect;
mod job;
mod llm;
mod rate;
mod secret_store;
mod template;
mod token;
mod tool;

pub use audit::{
    AuditError, AuditSink, FoundPermit, GrantedCall, PermitLedger, PermitState, SettleError,
};
pub use budget::{
    BudgetCap, BudgetError, BudgetKey, BudgetRefusal, BudgetRequest, BudgetState, BudgetStore,
    BudgetUnit, BudgetUse, BudgetWindow, Reservation, Settlement,
};
#[cfg(feature = "database")]
pub use change::ChangeSink;
pub use check::{Check, CheckFailure, CheckVerdict};
pub use decide::{Decide, RejectedCall};
pub use inspect::{Inspect, InspectStream};
pub use job::{Job, JobError, Schedule};
pub use llm::{LlmAnswer, LlmProvider, LlmRequest};
pub use rate::{RateCharge, RateRefusal, RateStore, RateStoreError};
pub use secret_store::{OpenSecret, SecretStore, SecretStoreError, SecretUse, Sink};
pub use template::{TemplateError, TemplateProvider};
pub use token::{TokenError, TokenVerifier};
pub use tool::{ToolDefinition, ToolError, ToolProvider};
