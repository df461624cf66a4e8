use std::time::Duration;

use systemprompt_core::contract::BudgetError;
use systemprompt_core::llm::ModelError;
use systemprompt_core::money::Microdollars;

use super::ModelGateway;
use super::ask::Exchange;
use super::held::{Amounts, Held};
use super::record::Account;
use super::seen::Seen;
use super::spend::{KEPT, budget_error};
use crate::price;

/// The tokens of an answer that are reserved at a time, when what was reserved at its beginning is used up.
const STEP: u64 = 1_024;

/// The fewest tokens that are reserved at a time, where a budget has no whole step left.
const LEAST: u64 = 64;

/// The tokens that stay reserved ahead of an answer of which nobody knows how long it may be, so that it is cut
/// before its cap and not behind it.
const AHEAD: u64 = 64;

/// Counts what a streamed answer uses while it comes, so that it ends where its budgets do.
///
/// What is reserved at the beginning is the most that the request allows. An answer uses more when its request sets
/// no limit and none of the model is known, when the provider does not keep to it, or when the prompt was
/// longer than its estimate.
pub(super) struct Meter<'e> {
    gateway: &'e ModelGateway,
    account: &'e Account,
    held: Option<&'e mut Held>,
    ahead: u64,
    /// When the reservation was last made to be kept.
    kept_at: Duration,
}

impl<'e> Meter<'e> {
    pub(super) fn new(gateway: &'e ModelGateway, exchange: &'e mut Exchange) -> Self {
        let Exchange { request, account, reservation, .. } = exchange;
        let known = account.target.as_ref().and_then(|target| {
            target.provider.capabilities(&target.model, gateway.routes().prices()).max_output
        });
        let limit = request.max_output_tokens.or(known);
        let ahead = if limit.is_some() { 0 } else { AHEAD };
        let kept_at = gateway.parts().clock.monotonic();
        Self { gateway, account, held: reservation.as_mut(), ahead, kept_at }
    }

    /// Looks at what is used by now, and reserves more when that is more than there is.
    ///
    /// # Errors
    /// [`ModelError`] with which the answer ends: a budget does not allow more of it.
    pub(super) async fn check(&mut self, seen: &Seen) -> Result<(), ModelError> {
        // What is over is counted as it is.
        if seen.stop.is_some() || seen.error.is_some() {
            return Ok(());
        }
        let Some(held) = &mut self.held else { return Ok(()) };
        let clock = &self.gateway.parts().clock;
        let used = self.account.spent(seen, clock.now()).amounts();
        held.uses(used);
        let price = self.account.target.as_ref().and_then(|target| target.price.as_ref());
        let cost = |tokens| {
            let most = price.and_then(|row| price::worst_case(0, tokens, row));
            most.unwrap_or(Microdollars::ZERO)
        };
        let missing = missing(used, held.reserved(), self.ahead, cost(self.ahead));
        let late = clock.monotonic().saturating_sub(self.kept_at) > KEPT / 2;
        if missing == Amounts::default() && !late {
            return Ok(());
        }
        self.kept_at = clock.monotonic();
        if missing == Amounts::default() {
            return held.extend(missing).await.map_err(|error| budget_error(&error));
        }
        let (step, least) = (step(missing, STEP, cost), step(missing, LEAST, cost));
        match held.extend(step).await {
            Err(BudgetError::Refused(_)) if least != step => held.extend(least).await,
            extended => extended,
        }
        .map_err(|error| budget_error(&error))
    }
}

impl Exchange {
    /// Notes what is used by now, so that it is counted even when nothing more comes of the request.
    pub(super) fn uses(&mut self, gateway: &ModelGateway, seen: &Seen) {
        if let Some(held) = &mut self.reservation {
            held.uses(self.account.spent(seen, gateway.parts().clock.now()).amounts());
        }
    }
}

/// What is missing, or what so many tokens of an answer cost if that is more.
fn step(missing: Amounts, tokens: u64, cost: impl Fn(u64) -> Microdollars) -> Amounts {
    Amounts {
        microdollars: missing.microdollars.max(cost(tokens)),
        tokens: missing.tokens.max(tokens),
    }
}

/// What must be reserved beside what is.
fn missing(
    used: Amounts,
    reserved: Amounts,
    ahead_tokens: u64,
    ahead_microdollars: Microdollars,
) -> Amounts {
    let wanted = used.microdollars.get().saturating_add(ahead_microdollars.get());
    let money = wanted.saturating_sub(reserved.microdollars.get()).max(0);
    let tokens = used.tokens.saturating_add(ahead_tokens).saturating_sub(reserved.tokens);
    Amounts { microdollars: Microdollars::new(money), tokens }
}
