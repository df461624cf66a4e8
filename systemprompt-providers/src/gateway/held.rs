use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::contract::{BudgetError, BudgetStore};
use systemprompt_core::id::ReservationId;
use systemprompt_core::money::Microdollars;

/// How long a store that cannot be asked is left alone, each time it is asked again.
const AGAIN: [Duration; 4] =
    [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];

/// Money and tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    pub(super) microdollars: Microdollars,
    pub(super) tokens: u64,
}

/// What is reserved for a request in every budget that applies.
///
/// It is settled when the request ends. One that is dropped before that (its task has panicked or was aborted) is
/// settled for what was known to be used, by a task of its own.
pub(super) struct Held {
    store: Arc<dyn BudgetStore>,
    id: ReservationId,
    open: bool,
    reserved: Amounts,
    used: Amounts,
}

impl Held {
    pub(super) fn new(store: Arc<dyn BudgetStore>, id: ReservationId, reserved: Amounts) -> Self {
        Self { store, id, open: true, reserved, used: Amounts::default() }
    }

    /// What is reserved.
    pub(super) const fn reserved(&self) -> Amounts {
        self.reserved
    }

    /// Notes what is used so far.
    pub(super) const fn uses(&mut self, used: Amounts) {
        self.used = used;
    }

    /// Reserves more, and keeps what is reserved for longer.
    ///
    /// # Errors
    /// As [`BudgetStore::extend`].
    pub(super) async fn extend(&mut self, more: Amounts) -> Result<(), BudgetError> {
        self.store.extend(self.id, more.microdollars, more.tokens).await?;
        let sum = self.reserved.microdollars.checked_add(more.microdollars);
        self.reserved.microdollars = sum.unwrap_or(self.reserved.microdollars);
        self.reserved.tokens = self.reserved.tokens.saturating_add(more.tokens);
        Ok(())
    }

    /// Counts what was used.
    pub(super) async fn settle(mut self, used: Amounts) {
        self.used = used;
        match self.store.settle(self.id, used.microdollars, used.tokens).await {
            Err(error @ BudgetError::Unavailable(_)) => {
                tracing::warn!("what a request has cost is not counted yet: {error}");
            }
            settled => {
                self.open = false;
                not_counted(settled.err());
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        let (store, id, used) = (self.store.clone(), self.id, self.used);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!("what a request has cost is not counted: nothing runs any more");
            return;
        };
        runtime.spawn(async move {
            for pause in AGAIN {
                tokio::time::sleep(pause).await;
                match store.settle(id, used.microdollars, used.tokens).await {
                    Err(BudgetError::Unavailable(_)) => {}
                    settled => return not_counted(settled.err()),
                }
            }
            // What was reserved stays counted until it is given back.
            tracing::error!("what a request has cost is not counted: the store is unavailable");
        });
    }
}

fn not_counted(error: Option<BudgetError>) {
    if let Some(error) = error {
        tracing::error!("what a request has cost is not counted: {error}");
    }
}
