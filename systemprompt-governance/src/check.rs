//! Host checks: under a deadline, away from the threads that serve calls, with panics caught.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::call::ToolCall;
use systemprompt_core::contract::{Check, CheckVerdict};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Checks that may run at once. One that blocks its thread holds its place until it returns.
const PLACES: usize = 64;

/// The host's checks, in the order of their ids, and where they run.
pub(crate) struct HostChecks {
    checks: Vec<Arc<dyn Check>>,
    places: Arc<Semaphore>,
}

/// Why a check has no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckTrouble {
    /// It said that it cannot tell.
    Failed,
    /// It panicked.
    Panicked,
    /// It did not come to an end in time.
    Overran,
    /// There was no place to run it.
    NoPlace,
}

impl CheckTrouble {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "the check could not tell",
            Self::Panicked => "the check panicked",
            Self::Overran => "the check overran its deadline",
            Self::NoPlace => "no thread was free to run the check",
        }
    }
}

impl HostChecks {
    pub(crate) fn new(checks: Vec<Arc<dyn Check>>) -> Self {
        Self { checks, places: Arc::new(Semaphore::new(PLACES)) }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Check>> {
        self.checks.iter()
    }

    /// Runs one check. Waiting for a place counts towards its deadline.
    pub(crate) async fn run(
        &self,
        check: &Arc<dyn Check>,
        call: &ToolCall,
        limit: Duration,
    ) -> Result<CheckVerdict, CheckTrouble> {
        let Ok(runtime) = Handle::try_current() else { return Err(CheckTrouble::NoPlace) };
        let deadline = Instant::now() + limit;
        let places = self.places.clone();
        let Ok(Ok(place)) = timeout_at(deadline, places.acquire_owned()).await else {
            return Err(CheckTrouble::NoPlace);
        };
        let (check, call, inner) = (check.clone(), call.clone(), runtime.clone());
        let running = runtime.spawn_blocking(move || {
            let _place = place;
            inner.block_on(async { timeout_at(deadline, check.check(&call)).await })
        });
        match timeout_at(deadline, running).await {
            Err(_) | Ok(Ok(Err(_))) => Err(CheckTrouble::Overran),
            Ok(Err(_)) => Err(CheckTrouble::Panicked),
            Ok(Ok(Ok(Err(_)))) => Err(CheckTrouble::Failed),
            Ok(Ok(Ok(Ok(verdict)))) => Ok(verdict),
        }
    }
}
