use std::time::Duration;

use async_trait::async_trait;
use systemprompt_core::contract::{Job, JobError, Schedule};
use systemprompt_identity::IdentityStore;

const DAY: Duration = Duration::from_secs(86_400);

/// Forgets revocations of tokens that have expired, once a day.
pub(crate) struct ForgetRevocations(pub(crate) IdentityStore);

#[async_trait]
impl Job for ForgetRevocations {
    fn name(&self) -> &str {
        "forget_expired_revocations"
    }

    fn schedule(&self) -> Schedule {
        Schedule::Every(DAY)
    }

    async fn run(&self) -> Result<(), JobError> {
        let failed = |error: &dyn std::error::Error| JobError(error.to_string());
        let mut tx = self.0.db().begin_write().await.map_err(|error| failed(&error))?;
        let forgotten =
            self.0.forget_expired_revocations(&mut tx).await.map_err(|error| failed(&error))?;
        tx.commit().await.map_err(|error| failed(&error))?;
        tracing::debug!(forgotten, "expired revocations were forgotten");
        Ok(())
    }
}
