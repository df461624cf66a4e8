use std::time::Duration;

use systemprompt_core::contract::{BudgetError, BudgetRequest, Reservation};
use systemprompt_core::llm::{ErrorKind, ModelError};
use systemprompt_core::money::Microdollars;

use super::record::Spent;
use super::{Caller, ModelGateway};
use crate::budget::BudgetSubject;
use crate::price;
use crate::route::ChosenTarget;

/// How long a reservation is kept when nobody settles it.
const KEPT: Duration = Duration::from_secs(3600);

impl ModelGateway {
    /// Reserves what a request may cost at most. `None` where there are no budgets.
    pub(super) async fn reserve(
        &self,
        caller: &Caller,
        model: &str,
        target: &ChosenTarget,
        (input, output): (u64, u64),
    ) -> Result<Option<Reservation>, ModelError> {
        let parts = self.parts();
        if parts.budgets.is_empty() {
            return Ok(None);
        }
        let claims = caller.principal.claims();
        let subject = BudgetSubject {
            tenant: &claims.tenant,
            user: &claims.user,
            key: &claims.credential,
            model,
        };
        let price = target.price.as_ref();
        let most = price.and_then(|row| price::worst_case(input, output, row));
        let request = BudgetRequest {
            caps: parts.budgets.caps(&subject),
            microdollars: most.unwrap_or(Microdollars::ZERO),
            tokens: input.saturating_add(output),
            timeout: KEPT,
        };
        match parts.budget_store.reserve(&request).await {
            Ok(reservation) => Ok(Some(reservation)),
            Err(BudgetError::Refused(refusal)) => {
                let mut error = ModelError::new(ErrorKind::InvalidRequest, refusal.to_string())
                    .with_code("budget_exceeded");
                error.retry_after = Some(refusal.retry_after);
                Err(error)
            }
            Err(error) => {
                tracing::error!("budgets cannot be counted: {error}");
                let message = "budgets cannot be counted at the moment; no request is sent";
                Err(ModelError::new(ErrorKind::Overloaded, message).with_code("budget_unavailable"))
            }
        }
    }

    /// Counts what a request has really cost.
    pub(super) async fn settle(
        &self,
        reservation: Option<Reservation>,
        Spent { usage, cost, .. }: &Spent,
    ) {
        let Some(reservation) = reservation else { return };
        let tokens = usage.prompt().saturating_add(usage.output);
        let cost = cost.unwrap_or(Microdollars::ZERO);
        if let Err(error) = self.parts().budget_store.settle(reservation.id, cost, tokens).await {
            // What was reserved stays counted until it is given back.
            tracing::error!("what a request has cost is not counted: {error}");
        }
    }
}
