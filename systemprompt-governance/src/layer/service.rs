use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use systemprompt_core::decision::{Decision, Denial, DenialReason, Outcome, OutcomeStatus, Permit};
use tower::{Layer, Service};

use super::gate::{Gate, NotACall, Refused};
use super::slot::PermitSlot;
use crate::Governor;

/// Puts a [`Governor`] in front of a service.
#[derive(Debug)]
pub struct GovernLayer<G> {
    governor: Governor,
    gate: Arc<G>,
}

impl<G> GovernLayer<G> {
    /// A layer that decides with `governor` what `gate` reads.
    #[must_use]
    pub fn new(governor: Governor, gate: G) -> Self {
        Self { governor, gate: Arc::new(gate) }
    }
}

impl<G> Clone for GovernLayer<G> {
    fn clone(&self) -> Self {
        Self { governor: self.governor.clone(), gate: self.gate.clone() }
    }
}

impl<S, G> Layer<S> for GovernLayer<G> {
    type Service = GovernService<S, G>;

    fn layer(&self, inner: S) -> Self::Service {
        GovernService { inner, governor: self.governor.clone(), gate: self.gate.clone() }
    }
}

/// A service whose every request is a governed call; made by [`GovernLayer`].
#[derive(Debug)]
pub struct GovernService<S, G> {
    inner: S,
    governor: Governor,
    gate: Arc<G>,
}

impl<S: Clone, G> Clone for GovernService<S, G> {
    fn clone(&self) -> Self {
        let (governor, gate) = (self.governor.clone(), self.gate.clone());
        Self { inner: self.inner.clone(), governor, gate }
    }
}

impl<S, G, R> Service<R> for GovernService<S, G>
where
    S: Service<R> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    G: Gate<R, Response = S::Response>,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        // The clone takes the place of the service that was polled ready, which goes into the future.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let (governor, gate) = (self.governor.clone(), self.gate.clone());
        Box::pin(async move {
            let (request, slot) = match admit(&governor, &*gate, request).await {
                Ok(admitted) => admitted,
                Err(answer) => return Ok(answer),
            };
            let started = Instant::now();
            let result = inner.call(request).await;
            let status = match &result {
                Ok(response) => gate.outcome(response),
                Err(_) => OutcomeStatus::Failed,
            };
            if let Some(permit) = slot.take() {
                // The tool has run: its answer is due whether or not the outcome could be recorded.
                // What could not is found by the sweep over unsettled permits.
                if let Err(error) = permit.settle(Outcome::new(status, started.elapsed())).await {
                    tracing::warn!(%error, "an outcome could not be recorded");
                }
            }
            result
        })
    }
}

/// Decides the call that `request` stands for; the answer if it must not run.
async fn admit<G: Gate<R>, R>(
    governor: &Governor,
    gate: &G,
    request: R,
) -> Result<(R, PermitSlot), G::Response> {
    let refused = match gate.read(request).await {
        Err(NotACall::Answered(answer)) => return Err(answer),
        Err(NotACall::Rejected(rejected)) => match governor.reject(*rejected).await {
            Decision::Deny(denial) => Refused::Denied(denial),
            Decision::Pending(approval) => Refused::Pending(approval),
            Decision::Allow(permit) => Refused::Denied(nothing_to_run(&permit)),
        },
        Ok((call, request)) => match governor.evaluate(call).await {
            Decision::Deny(denial) => Refused::Denied(denial),
            Decision::Pending(approval) => Refused::Pending(approval),
            // The claim comes before the tool: of a call and its repeats one gets through.
            Decision::Allow(mut permit) => match permit.claim() {
                Err(_) => Refused::Spent(Box::new(permit)),
                Ok(()) => {
                    let slot = PermitSlot::holding(permit);
                    return Ok((gate.admit(request, slot.clone()), slot));
                }
            },
        },
    };
    Err(gate.refuse(governor.without_secrets(refused)))
}

impl Governor {
    /// An answer may repeat the id the caller gave the call: as it is recorded.
    fn without_secrets(&self, mut refused: Refused) -> Refused {
        let call_id = match &mut refused {
            Refused::Denied(denial) => &mut denial.call_id,
            Refused::Pending(approval) => &mut approval.call_id,
            // A permit shows its call as it was decided; what a gate says of it is the gate's.
            Refused::Spent(_) => return refused,
        };
        *call_id = self.recorded(call_id);
        refused
    }
}

/// A rejection is never allowed; if it were, there would be no request to pass on.
fn nothing_to_run(permit: &Permit) -> Denial {
    Denial {
        reason: DenialReason::CheckFailed { check: "scope".into() },
        call_id: permit.call().call_id().clone(),
        trace_id: permit.call().trace_id(),
        evaluation: Arc::new(permit.evaluation().clone()),
    }
}
