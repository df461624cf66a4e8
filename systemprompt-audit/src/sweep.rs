//! Records what became of permits nobody reported on.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{AuditError, SettleError};
use systemprompt_core::database::DbPool;
use systemprompt_core::id::PermitId;
use tokio::sync::{mpsc, oneshot};

use crate::store::query;
use crate::writer::command::{Command, Settlement};
use crate::{Origin, StoreError};

/// Places that one query looks at.
const WINDOW: i64 = 2_000;

/// Goes over the permits of a log once each, in the order they were granted, and stops at the first
/// that has not expired: an index on the expiry would cost the writer more than this. How far it came
/// is kept with the log, so that what a crash left is found as well.
///
/// Where a shorter lifetime was configured, permits granted before hold up those after them until they
/// have expired too.
#[derive(Clone)]
pub(crate) struct Sweep {
    pub(crate) pool: DbPool,
    /// Weak, so that the sweep does not keep the writer alive.
    pub(crate) commands: mpsc::WeakSender<Command>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) log_id: i64,
    pub(crate) installation: String,
}

/// How far a log has been swept.
pub(crate) struct Mark {
    pub(crate) log_id: i64,
    pub(crate) origin: String,
    pub(crate) swept_to: i64,
    pub(crate) tail: i64,
}

/// A permit that a log has granted.
pub(crate) struct Grant {
    pub(crate) seq: i64,
    pub(crate) id: Vec<u8>,
    pub(crate) expires_at: i64,
    pub(crate) settled: bool,
}

impl Sweep {
    /// Sweeps every `interval` until the log is closed.
    pub(crate) async fn run(self, interval: Duration) {
        loop {
            tokio::time::sleep(interval).await;
            match self.once().await {
                Ok(0) => {}
                Ok(abandoned) => tracing::info!(abandoned, "permits expired without an outcome"),
                Err(AuditError::Closed) => return,
                // The writer has said so already, and the next sweep starts at the same place.
                Err(error) => tracing::debug!(%error, "expired permits could not be swept"),
            }
        }
    }

    /// Sweeps once; says how many permits were abandoned.
    pub(crate) async fn once(&self) -> Result<u64, AuditError> {
        let mut abandoned = 0;
        let marks: Result<Vec<Mark>, _> = query!(self.pool, sweep::marks());
        for mark in marks.map_err(StoreError::from)? {
            if mark.swept_to >= mark.tail || !self.tends(&mark).await {
                continue;
            }
            let mut swept_to = mark.swept_to;
            while swept_to < mark.tail {
                let end = mark.tail.min(swept_to + WINDOW);
                let (reached, expired) =
                    self.expired(mark.log_id, swept_to, end).await.map_err(StoreError::from)?;
                abandoned += self.abandon(expired).await?;
                swept_to = reached;
                if reached < end {
                    break;
                }
            }
            if swept_to > mark.swept_to {
                query!(self.pool, sweep::advance(mark.log_id, swept_to))
                    .map_err(StoreError::from)?;
            }
        }
        Ok(abandoned)
    }

    /// Whether the log is this one, or one that nobody else sweeps: the command line's, or one whose
    /// writer is gone, such as that of a former origin. The outcomes go into this log, so that it
    /// needs no lease, and a writer who comes back at this very moment does no harm.
    async fn tends(&self, mark: &Mark) -> bool {
        if mark.log_id == self.log_id || mark.origin == Origin::cli(&self.installation).as_str() {
            return true;
        }
        let Ok(origin) = Origin::parse(&mark.origin) else { return false };
        // Whoever cannot tell leaves it to the next sweep.
        query!(self.pool, sweep::is_free(&self.installation, &origin)).unwrap_or(false)
    }

    /// The expired and unsettled permits among the places after `from` up to `to`, and the place up to
    /// which there is no open permit left but these.
    async fn expired(
        &self,
        log_id: i64,
        from: i64,
        to: i64,
    ) -> Result<(i64, Vec<PermitId>), sqlx::Error> {
        let grants: Vec<Grant> = query!(self.pool, sweep::grants(log_id, from, to))?;
        let now = self.clock.now().as_micros();
        let mut expired = Vec::new();
        for grant in grants {
            if grant.settled {
                continue;
            }
            if grant.expires_at >= now {
                return Ok((grant.seq - 1, expired));
            }
            expired.extend(grant.id.try_into().ok().map(PermitId::from_bytes));
        }
        Ok((to, expired))
    }

    async fn abandon(&self, permits: Vec<PermitId>) -> Result<u64, AuditError> {
        let mut replies = Vec::with_capacity(permits.len());
        for permit in permits {
            let commands = self.commands.upgrade().ok_or(AuditError::Closed)?;
            let (reply, settled) = oneshot::channel();
            let settlement = Settlement::abandoned(permit, Some(reply));
            commands
                .send(Command::Settle(Box::new(settlement)))
                .await
                .map_err(|_| AuditError::Closed)?;
            replies.push(settled);
        }
        let mut abandoned = 0;
        for reply in replies {
            match reply.await {
                Ok(Ok(())) => abandoned += 1,
                // Somebody settled it meanwhile.
                Ok(Err(SettleError::AlreadySettled | SettleError::Unknown)) => {}
                Ok(Err(SettleError::Audit(error))) => return Err(error),
                Ok(Err(_)) => {}
                Err(_) => return Err(AuditError::Closed),
            }
        }
        Ok(abandoned)
    }
}
