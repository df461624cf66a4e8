use std::time::Duration;

use systemprompt_core::contract::{BudgetError, BudgetRequest};
use systemprompt_core::llm::{ErrorKind, ModelError};
use systemprompt_core::money::Microdollars;

use super::held::{Amounts, Held};
use super::record::Spent;
use super::{Caller, ModelGateway};
use crate::budget::BudgetSubject;
use crate::price;
use crate::route::ChosenTarget;

/// How long a reservation is kept when nobody settles it: when the process ends in its middle.
pub(super) const KEPT: Duration = Duration::from_secs(3600);

impl ModelGateway {
    /// Reserves what a request may cost at most. `None` where there are no budgets.
    pub(super) async fn reserve(
        &self,
        caller: &Caller,
        model: &str,
        target: &ChosenTarget,
        (input, output): (u64, u64),
    ) -> Result<Option<Held>, ModelError> {
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
        let reserved = Amounts {
            microdollars: most.unwrap_or(Microdollars::ZERO),
            tokens: input.saturating_add(output),
        };
        let request = BudgetRequest {
            caps: parts.budgets.caps(&subject),
            microdollars: reserved.microdollars,
            tokens: reserved.tokens,
            timeout: KEPT,
        };
        match parts.budget_store.reserve(&request).await {
            Ok(made) => Ok(Some(Held::new(parts.budget_store.clone(), made.id, reserved))),
            Err(error) => Err(budget_error(&error)),
        }
    }
}

/// What a caller is told whose request a budget does not allow.
pub(super) fn budget_error(error: &BudgetError) -> ModelError {
    if let BudgetError::Refused(refusal) = error {
        let mut error = ModelError::new(ErrorKind::InvalidRequest, refusal.to_string())
            .with_code("budget_exceeded");
        error.retry_after = Some(refusal.retry_after);
        return error;
    }
    tracing::error!("budgets cannot be counted: {error}");
    let message = "budgets cannot be counted at the moment; nothing is spent";
    ModelError::new(ErrorKind::Overloaded, message).with_code("budget_unavailable")
}

impl Spent {
    /// What counts of it in budgets.
    pub(super) fn amounts(&self) -> Amounts {
        Amounts {
            microdollars: self.cost.unwrap_or(Microdollars::ZERO),
            tokens: self.usage.prompt().saturating_add(self.usage.output),
        }
    }
}
