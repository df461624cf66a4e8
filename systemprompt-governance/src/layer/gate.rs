use std::future::Future;

use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::RejectedCall;
use systemprompt_core::decision::{Approval, Denial, OutcomeStatus, Permit};

use super::PermitSlot;

/// Knows requests of type `R` and the answers to them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which call a request of type `{R}` stands for",
    note = "implement `Gate`, or use `HttpGate` for requests of `http`"
)]
pub trait Gate<R>: Send + Sync + 'static {
    /// The answer of the governed service.
    type Response: Send;

    /// Reads the call that `request` stands for, and gives the request back.
    ///
    /// The principal must come from the credential of the request alone.
    ///
    /// # Errors
    /// [`NotACall`] when there is none.
    fn read(
        &self,
        request: R,
    ) -> impl Future<Output = Result<(ToolCall, R), NotACall<Self::Response>>> + Send;

    /// Puts the permit where the service finds it.
    fn admit(&self, request: R, permit: PermitSlot) -> R;

    /// The answer to a call that must not run.
    fn refuse(&self, refused: Refused) -> Self::Response;

    /// How an answer of the service ends the call.
    fn outcome(&self, response: &Self::Response) -> OutcomeStatus;
}

/// A request that stands for no call.
#[derive(Debug)]
pub enum NotACall<A> {
    /// Answered without the governor, such as one without a valid credential.
    Answered(A),
    /// From an authenticated caller; refused and recorded by the governor.
    Rejected(Box<RejectedCall>),
}

/// A call that must not run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refused {
    /// Denied.
    Denied(Denial),
    /// Waiting for a person.
    Pending(Approval),
    /// Allowed, but the same call is running or has run under this permit.
    Spent(Box<Permit>),
}
