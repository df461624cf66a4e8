//! One transaction of the writer: what is in it, and what became of it.

use tokio::time::Instant;

use super::Writer;
use super::command::Append;
use super::extent::foreign_rows;
use super::settle;
use super::work::{Results, Work};
use crate::StoreError;
#[cfg(feature = "sqlite")]
use crate::index::Entry;
use crate::merkle::Tile;
use crate::store::{PlacedRow, Store};

impl<S: Store> Writer<S> {
    /// Writes `work` in one transaction.
    pub(super) async fn attempt(&mut self, work: &Work<'_>) -> Result<Results, StoreError> {
        self.doubtful = false;
        if work.len() == 0 {
            return Ok(Results::default());
        }
        let result = self.transact(work).await;
        if result.is_err() {
            self.store.abort().await;
            self.behind = true;
            if let Some(grants) = &mut self.grants {
                grants.clear();
            }
        }
        match &result {
            Err(StoreError::Refused) => {}
            Err(error) => self.unhealthy(error),
            Ok(_) => {}
        }
        result
    }

    async fn transact(&mut self, work: &Work<'_>) -> Result<Results, StoreError> {
        self.store.verify()?;
        self.catch_up().await?;
        let judgement = self.judge(work).await?;
        // Those that are late now are not written; those that the lock makes late are disowned.
        let now = Instant::now();
        let in_time = |append: &&&Append| append.deadline > now;
        let events = work.appends.iter().filter(in_time).flat_map(|append| &append.events);
        let own = std::mem::take(&mut self.own);
        let mut wrote = false;
        let mut extent = self.extent.clone();
        let rows: Vec<_> = own
            .iter()
            .chain(events)
            .chain(&judgement.rows)
            .map(|event| extent.place(event))
            .collect();
        if rows.is_empty() {
            self.store.abort().await;
        } else {
            let committed = self.commit(&rows, &extent.tiles).await;
            let count = rows.len();
            if committed.is_ok() {
                #[cfg(feature = "sqlite")]
                if let Some(feed) = &self.feed {
                    feed.push(rows.iter().map(|placed| Entry::of(placed.seq, placed.row)));
                }
                if let Some(grants) = &mut self.grants {
                    let now = self.clock.now();
                    rows.iter().for_each(|placed| grants.remember(placed.row, now));
                    let settled = work.settlements.iter().map(|settlement| &settlement.permit);
                    settled.for_each(|permit| grants.forget(permit.as_bytes()));
                }
            }
            drop(rows);
            if let Err(error) = committed {
                self.own = own;
                return Err(error);
            }
            self.counters.committed(count, extent.tail);
            extent.tiles.clear();
            self.extent = extent;
            self.announce_when_due();
            wrote = true;
        }
        // Rows in a file that nobody will find do not count as written.
        self.doubtful = true;
        self.store.verify()?;
        self.doubtful = false;
        if wrote {
            self.well();
        }
        let written = |append: &&Append| {
            if in_time(&append) { Ok(()) } else { Err(StoreError::Late.into()) }
        };
        let appends = work.appends.iter().map(written).collect();
        Ok(Results { appends, settlements: judgement.verdicts })
    }

    /// Finds out how far the log has come when an attempt has failed.
    async fn catch_up(&mut self) -> Result<(), StoreError> {
        if !self.behind {
            return Ok(());
        }
        let (known, tail) = (self.extent.tail, self.store.tail().await?);
        if tail > known {
            let ours = match self.in_doubt {
                Some((seq, id)) if seq == tail => self.store.holds(seq, id).await?,
                _ => false,
            };
            self.extent.catch_up(&mut self.store, tail).await?;
            if ours {
                // They went with it.
                self.own.clear();
            } else {
                let event = foreign_rows(&self.origin, known + 1, tail, self.clock.now());
                self.own.push(event);
            }
        }
        (self.behind, self.in_doubt) = (false, None);
        Ok(())
    }

    async fn judge(&mut self, work: &Work<'_>) -> Result<settle::Judgement, StoreError> {
        if work.settlements.is_empty() {
            return Ok(settle::Judgement { verdicts: Vec::new(), rows: Vec::new() });
        }
        // One moment for both: what is known here as open must not have expired there.
        let now = self.clock.now();
        let permits = work.settlements.iter().map(|settlement| *settlement.permit.as_bytes());
        let (mut granted, unknown) = match &self.grants {
            Some(grants) => grants.of(permits, now),
            None => (Vec::new(), permits.collect()),
        };
        if !unknown.is_empty() {
            granted.extend(self.store.granted(&unknown).await?);
        }
        Ok(settle::judge(&work.settlements, &granted, self.origin.as_str(), now))
    }

    /// Commits; where the store cannot say whether it did, finds out.
    async fn commit(&mut self, rows: &[PlacedRow<'_>], tiles: &[Tile]) -> Result<(), StoreError> {
        let Err(error) = self.store.commit(rows, tiles).await else { return Ok(()) };
        self.store.abort().await;
        let Some((seq, id)) = rows.last().and_then(|row| row.row.id().map(|id| (row.seq, id)))
        else {
            return Err(error);
        };
        match self.store.holds(seq, id).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(_) => {
                self.doubtful = true;
                self.in_doubt = Some((seq, id));
                Err(error)
            }
        }
    }
}
