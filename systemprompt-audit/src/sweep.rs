//! Records what became of permits nobody reported on.

use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::clock::Clock;
use systemprompt_core::contract::{AuditError, SettleError};
use systemprompt_core::database::DbPool;
use systemprompt_core::id::PermitId;
use tokio::sync::{mpsc, oneshot};

use crate::lease::Lease;
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
    /// The command line's log, which has no sweep of its own.
    pub(crate) cli: Origin,
}

struct Mark {
    log_id: i64,
    origin: String,
    swept_to: i64,
    tail: i64,
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
        for mark in self.marks().await.map_err(StoreError::from)? {
            if mark.swept_to >= mark.tail || !self.tends(&mark) {
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
                self.advance(mark.log_id, swept_to).await.map_err(StoreError::from)?;
            }
        }
        Ok(abandoned)
    }

    /// Whether the log is this one, or one that nobody else sweeps: the command line's, or one whose
    /// writer is gone, such as that of a former origin. The outcomes go into this log, so that it
    /// needs no lease, and a writer who comes back at this very moment does no harm.
    fn tends(&self, mark: &Mark) -> bool {
        mark.log_id == self.log_id
            || mark.origin == self.cli.as_str()
            || Origin::parse(&mark.origin)
                .is_ok_and(|origin| Lease::is_free(self.pool.path(), &origin))
    }

    async fn marks(&self) -> Result<Vec<Mark>, sqlx::Error> {
        sqlx::query_as!(
            Mark,
            r#"SELECT id AS "log_id!: i64", origin, swept_to,
                      coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0)
                          AS "tail!: i64"
               FROM audit_logs AS l ORDER BY id"#
        )
        .fetch_all(self.pool.sqlite())
        .await
    }

    /// The expired and unsettled permits among the places after `from` up to `to`, and the place up to
    /// which there is no open permit left but these.
    async fn expired(
        &self,
        log_id: i64,
        from: i64,
        to: i64,
    ) -> Result<(i64, Vec<PermitId>), sqlx::Error> {
        let rows = sqlx::query!(
            r#"SELECT d.seq, d.id, d.expires_at AS "expires_at!",
                      EXISTS (SELECT 1 FROM audit_events AS o
                              WHERE o.permit_id = d.id AND o.kind = 'outcome') AS "settled!: bool"
               FROM audit_events AS d
               WHERE d.log_id = ? AND d.seq > ? AND d.seq <= ?
                 AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL
                 AND d.expires_at IS NOT NULL
               ORDER BY d.seq"#,
            log_id,
            from,
            to
        )
        .fetch_all(self.pool.sqlite())
        .await?;
        let now = self.clock.now().as_micros();
        let mut expired = Vec::new();
        for row in rows {
            if row.settled {
                continue;
            }
            if row.expires_at >= now {
                return Ok((row.seq - 1, expired));
            }
            expired.extend(row.id.try_into().ok().map(PermitId::from_bytes));
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

    async fn advance(&self, log_id: i64, swept_to: i64) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "UPDATE audit_logs SET swept_to = max(swept_to, ?) WHERE id = ?",
            swept_to,
            log_id
        )
        .execute(self.pool.sqlite())
        .await?;
        Ok(())
    }
}
