use std::collections::{HashMap, HashSet};

use super::pruned::instant;
use super::{Finding, FindingKind, GrantFacts, LogSource, Report};
use crate::StoreError;
use crate::column::{Column, Columns as _, Field};
use crate::scanned_row::ScannedRow;

/// Most open permits that are kept in memory. Beyond that the database is asked about them.
const IN_MEMORY: usize = 400_000;

/// Most permits that are found open before the end and remembered.
const REMEMBERED: usize = 10_000;

/// Permits the database is asked about at once.
const AT_ONCE: usize = 500;

/// How long a server may take until it has closed a permit whose time is over, in microseconds: the
/// longest interval of the sweep.
const GRACE: i64 = 3_600 * 1_000_000;

/// Follows permits from the decision that grants them to their outcome, over all logs.
#[derive(Debug)]
pub(super) struct Permits {
    open: HashMap<[u8; 16], Open>,
    /// Permits that were asked about and are open.
    left: Vec<([u8; 16], Open)>,
    left_uncounted: u64,
    /// Outcomes whose decision was not met on the way.
    unmatched: Vec<Unmatched>,
    /// Whether there were such, of permits that were granted all the same: their decisions may come later.
    settled_before: bool,
    abandoned: u64,
    last_start: i64,
    last_event: i64,
    /// Permits up to this instant may have been granted by events that are pruned.
    pruned_to: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    log: usize,
    seq: i64,
    expires_at: i64,
}

#[derive(Debug)]
struct Unmatched {
    log: usize,
    seq: i64,
    event: Vec<u8>,
    permit: Option<[u8; 16]>,
}

/// What is known of a log at the end.
#[derive(Debug)]
pub(super) struct Swept {
    pub(super) origin: String,
    pub(super) swept_to: i64,
}

impl Permits {
    pub(super) fn new(pruned_to: Option<u64>) -> Self {
        Self {
            pruned_to,
            open: HashMap::new(),
            left: Vec::new(),
            left_uncounted: 0,
            unmatched: Vec::new(),
            settled_before: false,
            abandoned: 0,
            last_start: i64::MIN,
            last_event: i64::MIN,
        }
    }

    /// Looks at a row of the log `log`.
    pub(super) fn row(&mut self, log: usize, row: &ScannedRow<'_>) {
        let at = row.number(Column::OccurredAt).unwrap_or(i64::MIN);
        self.last_event = self.last_event.max(at);
        match row.bytes(Column::Kind) {
            b"decision" => {
                let granted = row.bytes(Column::Decision) == b"allow"
                    && row.field(Column::PermitId) == Field::Null;
                if let (true, Ok(permit)) = (granted, row.bytes(Column::Id).try_into()) {
                    let expires_at = row.number(Column::ExpiresAt).unwrap_or(i64::MAX);
                    self.open.insert(permit, Open { log, seq: row.seq(), expires_at });
                }
            }
            b"outcome" => {
                self.abandoned += u64::from(row.bytes(Column::Status) == b"abandoned");
                let permit: Option<[u8; 16]> = row.bytes(Column::PermitId).try_into().ok();
                let met = permit.is_some_and(|permit| self.open.remove(&permit).is_some());
                if !met {
                    let event = row.bytes(Column::Id).to_vec();
                    self.unmatched.push(Unmatched { log, seq: row.seq(), event, permit });
                }
            }
            b"server_started" => self.last_start = self.last_start.max(at),
            _ => {}
        }
    }

    /// Asks the database about what does not match.
    pub(super) async fn flush(
        &mut self,
        source: &mut impl LogSource,
        logs: &[Swept],
        report: &mut Report,
    ) -> Result<(), StoreError> {
        let unmatched = std::mem::take(&mut self.unmatched);
        for some in unmatched.chunks(AT_ONCE) {
            let permits: Vec<_> = some.iter().filter_map(|outcome| outcome.permit).collect();
            let facts = facts_of(source, &permits).await?;
            for outcome in some {
                if outcome.permit.is_some_and(|permit| self.is_pruned(&permit, &facts)) {
                    continue;
                }
                let facts = outcome.permit.and_then(|permit| facts.get(&permit));
                let (kind, detail) = match facts {
                    Some(facts) if !facts.granted => OUTCOME_WITHOUT,
                    None => OUTCOME_WITHOUT,
                    Some(facts) if facts.outcomes > 1 => {
                        (FindingKind::OutcomeTwice, "another outcome settles the same permit")
                    }
                    Some(_) => {
                        self.settled_before = true;
                        continue;
                    }
                };
                let origin = logs.get(outcome.log).map_or("", |log| &log.origin);
                report
                    .add(Finding::new(kind, origin, detail).at(outcome.seq).event(&outcome.event));
            }
        }
        if self.open.len() > IN_MEMORY { self.spill(source).await } else { Ok(()) }
    }

    /// Whether the decision that has granted a permit may be gone.
    fn is_pruned(&self, permit: &[u8; 16], facts: &HashMap<[u8; 16], GrantFacts>) -> bool {
        let facts = facts.get(permit);
        self.may_be_pruned(permit) && facts.is_none_or(|facts| !facts.granted && facts.outcomes < 2)
    }

    /// Whether events of the time of a permit have been pruned.
    fn may_be_pruned(&self, permit: &[u8; 16]) -> bool {
        self.pruned_to.is_some_and(|to| instant(permit) <= to)
    }

    /// Forgets the permits that are settled, and those that are open but for some.
    async fn spill(&mut self, source: &mut impl LogSource) -> Result<(), StoreError> {
        let mut all: Vec<_> = self.open.drain().collect();
        // Neighbours are found at the same places of an index.
        all.sort_unstable_by_key(|(permit, _)| *permit);
        for some in all.chunks(AT_ONCE) {
            let permits: Vec<_> = some.iter().map(|(permit, _)| *permit).collect();
            let settled: HashSet<_> = source.settled(&permits).await?.into_iter().collect();
            let open = some.iter().copied();
            self.leave(open.filter(|(permit, _)| !settled.contains(permit.as_slice())));
        }
        Ok(())
    }

    /// Takes permits for open ones.
    fn leave(&mut self, open: impl IntoIterator<Item = ([u8; 16], Open)>) {
        for permit in open {
            if self.left.len() < REMEMBERED {
                self.left.push(permit);
            } else {
                self.left_uncounted += 1;
            }
        }
    }

    /// Says what is open at the end.
    pub(super) async fn finish(
        mut self,
        source: &mut impl LogSource,
        logs: &[Swept],
        report: &mut Report,
    ) -> Result<(), StoreError> {
        self.flush(source, logs, report).await?;
        if self.settled_before {
            self.spill(source).await?;
        } else {
            // Every row has been looked at, and nothing has settled these.
            let open = std::mem::take(&mut self.open);
            self.leave(open);
        }
        report.abandoned_permits = self.abandoned;
        report.open_permits = self.left.len() as u64 + self.left_uncounted;
        self.left.sort_unstable_by_key(|(_, open)| (open.log, open.seq));
        for (permit, open) in &self.left {
            let Some(log) = logs.get(open.log) else { continue };
            if logs.len() > 1 && self.may_be_pruned(permit) {
                // Its outcome may have stood in another log.
                continue;
            }
            let ran = self.last_event.saturating_sub(self.last_start.max(open.expires_at));
            let overdue = self.last_start > open.expires_at && ran > GRACE;
            let swept = open.seq <= log.swept_to && open.expires_at < self.last_event;
            if overdue || swept {
                let detail = "its time is over, and a later run has not closed it";
                let finding = Finding::new(FindingKind::PermitLeftOpen, &log.origin, detail);
                report.add(finding.at(open.seq).event(permit));
            }
        }
        Ok(())
    }
}

/// What the database knows of `permits`.
async fn facts_of(
    source: &mut impl LogSource,
    permits: &[[u8; 16]],
) -> Result<HashMap<[u8; 16], GrantFacts>, StoreError> {
    let facts = source.grants(permits).await?;
    let known = |facts: GrantFacts| Some((facts.permit.as_slice().try_into().ok()?, facts));
    Ok(facts.into_iter().filter_map(known).collect())
}

const OUTCOME_WITHOUT: (FindingKind, &str) =
    (FindingKind::OutcomeWithoutPermit, "no decision grants the permit that it settles");
