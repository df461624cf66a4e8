use super::checks::Point;
use super::cosigned::Cosigned;
use super::key_ring::{KeyRing, SignedBy};
use super::log_state::LogState;
use super::permits::{Permits, Swept};
use super::{
    AnySource, AuditSource, Finding, FindingKind, LogReport, LogRow, LogSource, Outside, Report,
    SourceError, StoredTile, VerifyOptions, pruned,
};
use crate::StoreError;
use crate::merkle::{TILE_WIDTH, Tree};
use crate::note::VerifierKey;
use crate::retention::PrunedDetail;
use crate::scanned_row::ScannedRow;
use crate::tree_source::load_tree;

/// Rows between two looks at tiles and checkpoints: whole tiles.
const STRETCH: i64 = 16 * WIDTH;

const WIDTH: i64 = TILE_WIDTH as i64;

/// How far verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were computed anew.
    pub done: u64,
    /// Rows there are.
    pub total: u64,
}

/// Verifies every log of a database. `progress` hears of it every few thousand rows.
///
/// All of it is read in one transaction: what is appended meanwhile is left to the next time, and a
/// write-ahead log is not emptied before the end. Memory is bounded whatever the size: some tens of
/// megabytes, and 150 bytes for each checkpoint outside.
///
/// # Errors
/// [`SourceError`] when the database cannot be read; findings are no error.
pub async fn verify(
    source: &mut AuditSource,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, SourceError> {
    match &mut source.0 {
        #[cfg(feature = "sqlite")]
        AnySource::Sqlite(source) => at_once(source, options, progress).await,
        #[cfg(feature = "postgres")]
        AnySource::Postgres(source) => at_once(&mut **source, options, progress).await,
        #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
        AnySource::Never(never) => match *never {},
    }
}

/// Verifies all logs as they are at one moment.
async fn at_once(
    source: &mut impl LogSource,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, SourceError> {
    source.begin().await?;
    let report = run(source, options, progress).await;
    source.end().await?;
    Ok(report?)
}

pub(super) async fn run(
    source: &mut impl LogSource,
    options: &VerifyOptions,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Report, StoreError> {
    let nothing = Outside::default();
    let outside = options.outside.as_ref().unwrap_or(&nothing);
    let mut anchors = options.keys.clone();
    if anchors.is_empty() {
        anchors.extend(outside.key.clone());
    }
    let mut report = Report {
        proven: !anchors.is_empty(),
        outside_checkpoints: outside.len() as u64,
        outside_damaged: outside.damaged,
        witnesses: options.witnesses.len() as u64,
        ..Report::default()
    };
    for fault in source.table_faults().await? {
        report.add(Finding::new(FindingKind::TableChanged, "", fault));
    }
    let logs = source.logs().await?;
    let mut begun = Vec::with_capacity(logs.len());
    for log in &logs {
        begun.push(pruned::pruned_of(source, log, &mut report).await?);
    }
    let swept = |log: &LogRow| Swept { origin: log.origin.clone(), swept_to: log.swept_to };
    let swept: Vec<_> = logs.iter().map(swept).collect();
    let rows = |log: &LogRow| u64::try_from(log.last).unwrap_or_default();
    let total = logs.iter().map(rows).fold(0, u64::saturating_add);
    // A log that names no key itself is held against what another one names.
    let fallback = if anchors.is_empty() { first_key(source, &logs, &begun).await? } else { None };
    let mut walk = Walk {
        source,
        fallback,
        outside,
        anchors: &anchors,
        cosigned: Cosigned::by(&options.witnesses),
        since: options.since_checkpoint.map(|size| i64::try_from(size).unwrap_or(i64::MAX)),
        permits: Permits::new(pruned::permits_to(begun.iter().flatten())),
        swept: &swept,
        report,
        progress,
        seen: Progress { done: 0, total },
    };
    for (number, (log, pruned)) in logs.iter().zip(&begun).enumerate() {
        walk.log(number, log, pruned.as_ref()).await?;
    }
    let Walk { source, permits, mut report, .. } = walk;
    permits.finish(source, &swept, &mut report).await?;
    for stray in source.strays().await? {
        let detail = format!("it stands at no place of any log (`log_id` {})", stray.log_id);
        let mut finding = Finding::new(FindingKind::ForeignRow, "", detail).at(stray.seq);
        finding.origin = None;
        report.add(finding.event(&stray.id));
    }
    for origin in outside.origins().filter(|name| !logs.iter().any(|log| log.origin == **name)) {
        let size = outside.checkpoints.get(origin).and_then(|of| of.last());
        let size = size.map_or(0, |(point, _)| i64::try_from(point.size).unwrap_or(i64::MAX));
        let detail = "the log is not in the database, but there is a checkpoint of it outside";
        report.add(Finding::new(FindingKind::TailMissing, origin, detail).rows(1, size));
    }
    report.conclude();
    Ok(report)
}

/// The first key that any of the logs names.
async fn first_key(
    source: &mut impl LogSource,
    logs: &[LogRow],
    begun: &[Option<PrunedDetail>],
) -> Result<Option<VerifierKey>, StoreError> {
    for (log, pruned) in logs.iter().zip(begun) {
        let events = pruned::key_events(source, log, pruned.as_ref()).await?;
        if let Some(key) = KeyRing::new(&log.origin, &events, &[]).first() {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

struct Walk<'w, S> {
    source: &'w mut S,
    fallback: Option<VerifierKey>,
    outside: &'w Outside,
    anchors: &'w [VerifierKey],
    cosigned: Cosigned,
    since: Option<i64>,
    permits: Permits,
    swept: &'w [Swept],
    report: Report,
    progress: &'w mut (dyn FnMut(Progress) + Send),
    seen: Progress,
}

impl<S: LogSource> Walk<'_, S> {
    async fn log(
        &mut self,
        number: usize,
        log: &LogRow,
        pruned: Option<&PrunedDetail>,
    ) -> Result<(), StoreError> {
        let events = pruned::key_events(self.source, log, pruned).await?;
        let anchors = match &self.fallback {
            Some(key) if events.is_empty() => std::slice::from_ref(key),
            _ => self.anchors,
        };
        let ring = KeyRing::new(&log.origin, &events, anchors);
        let mut state = LogState::new(log.origin.clone(), ring, self.cosigned.clone());
        let outside = self.outside.checkpoints.get(&log.origin).map_or(&[][..], Vec::as_slice);
        let mut outside = outside.iter().map(Point::outside).peekable();
        if let Some(pruned) = pruned {
            pruned::begin(self.source, log, pruned, &mut state).await?;
        }
        let pruned_to = state.next - 1;
        state.pruned_to = pruned_to;
        if pruned_to > 0 {
            let mut covered = self.points(log, &mut state, pruned_to - 1, pruned_to).await?;
            // Each of them: a later one may have been signed over a history that was made anew.
            covered.extend(std::iter::from_fn(|| outside.next_if(|it| it.size <= pruned_to)));
            for point in &covered {
                pruned::covers(self.source, log, point, &mut state).await?;
            }
        }
        self.skip(log, &mut state).await?;
        let mut after = state.next - 1;
        while outside.next_if(|point| point.size <= after).is_some() {}
        // Of a log that was pruned to its end no row is left.
        let log = &LogRow { last: log.last.max(pruned_to), ..log.clone() };
        self.count(after);
        while after < log.last {
            let to = log.last.min((after / STRETCH + 1).saturating_mul(STRETCH));
            state.expect(self.tiles(log.id, after, to).await?);
            let mut points = self.points(log, &mut state, after, to).await?;
            points.extend(std::iter::from_fn(|| outside.next_if(|point| point.size <= to)));
            points.sort_by_key(|point| point.size);
            state.points.extend(points);
            let before = state.rows;
            let (permits, walked) = (&mut self.permits, &mut state);
            let mut each = |row: ScannedRow<'_>| {
                permits.row(number, &row);
                walked.row(&row);
            };
            self.source.scan(log.id, after, to, &mut each).await?;
            state.missing_until(to.saturating_add(1));
            self.upper(log.id, &mut state).await?;
            self.permits.flush(self.source, self.swept, &mut self.report).await?;
            let rows = state.rows - before;
            self.count(to - after);
            (self.progress)(self.seen);
            after = to;
            if rows == 0 && after < log.last {
                // Whoever moves a row far away must not keep the verifier busy.
                let next = self.source.next(log.id, after).await?.unwrap_or(log.last);
                state.missing_until(next);
                self.count(next - 1 - after);
                after = next - 1;
            }
        }
        let beyond = self.points(log, &mut state, log.last, i64::MAX).await?;
        state.points.extend(beyond.into_iter().chain(outside));
        let stated = self.stated(log).await?;
        state.end(log.last, stated);
        self.finish(log, state);
        Ok(())
    }

    /// Counts places that are done.
    fn count(&mut self, places: i64) {
        let places = u64::try_from(places).unwrap_or_default();
        self.seen.done = self.seen.done.saturating_add(places);
    }

    /// Begins after a checkpoint, if that was asked for and the log has it.
    async fn skip(&mut self, log: &LogRow, state: &mut LogState) -> Result<(), StoreError> {
        let Some(size) = self.since.filter(|size| state.next <= *size && *size <= log.last) else {
            return Ok(());
        };
        let mut points = self.points(log, state, size - 1, size).await?;
        let outside = self.outside.checkpoints.get(&log.origin).map_or(&[][..], Vec::as_slice);
        points.extend(outside.iter().map(Point::outside).filter(|point| point.size == size));
        let signed = |point: &&Point| state.ring.signed_by(&point.note, size) == SignedBy::Trusted;
        // One from outside says more.
        let Some(point) = points.iter().rev().find(signed) else { return Ok(()) };
        let mut source = self.source.tree(log.id);
        let tree = load_tree(&mut source, u64::try_from(size).unwrap_or_default()).await?;
        // Where it is not what was signed, everything is gone over.
        if let Some(tree) = tree.filter(|tree| tree.root() == point.root) {
            state.tree = Some(tree);
            state.next = size.saturating_add(1);
            (state.good_to, state.signed_to) = (size, size);
            state.checkpoints = 1;
            let cosigned = points.iter().filter(|other| other.root == point.root);
            cosigned.for_each(|point| state.cosigned.count(point));
        }
        Ok(())
    }

    async fn tiles(
        &mut self,
        log: i64,
        after: i64,
        to: i64,
    ) -> Result<Vec<StoredTile>, StoreError> {
        let tile = |place: i64| u64::try_from(place / WIDTH).unwrap_or_default();
        self.source.tiles(log, 0, tile(after), tile(to)).await
    }

    async fn points(
        &mut self,
        log: &LogRow,
        state: &mut LogState,
        after: i64,
        to: i64,
    ) -> Result<Vec<Point>, StoreError> {
        let mut points = Vec::new();
        for stored in self.source.checkpoints(log.id, after, to).await? {
            match Point::stored(&log.origin, stored) {
                Ok(point) => points.push(point),
                Err(finding) => state.findings.push(finding),
            }
        }
        Ok(points)
    }

    async fn upper(&mut self, log: i64, state: &mut LogState) -> Result<(), StoreError> {
        for tile in std::mem::take(&mut state.upper) {
            let stored = self
                .source
                .tiles(log, tile.level, tile.index, tile.index.saturating_add(1))
                .await?;
            let width = WIDTH.saturating_pow(u32::from(tile.level) + 1);
            state.hold_tile(&tile, stored.first(), width);
        }
        Ok(())
    }

    /// How many events the log has had by what else is stored of it.
    async fn stated(&mut self, log: &LogRow) -> Result<(i64, &'static str), StoreError> {
        let tile = u64::try_from(log.last / WIDTH).unwrap_or_default();
        let beyond = self.source.tiles(log.id, 0, tile, tile.saturating_add(16)).await?;
        let end = |tile: &StoredTile| {
            i64::try_from(tile.index.saturating_add(1)).unwrap_or(0).saturating_mul(WIDTH)
        };
        let tiles = beyond.iter().map(end).max().unwrap_or(0);
        Ok(if tiles > log.size {
            (tiles, "a stored part of the tree over them")
        } else {
            (log.size, "the size that the log has noted")
        })
    }

    fn finish(&mut self, log: &LogRow, state: LogState) {
        self.report.rows += state.rows;
        self.report.logs.push(LogReport {
            origin: log.origin.clone(),
            rows: state.rows,
            last_seq: log.last,
            pruned_to: state.pruned_to,
            checkpoints: state.checkpoints,
            signed_to: state.signed_to,
            cosigned: state.cosigned.sizes,
            cosigned_to: state.cosigned.to,
            cosigned_at: state.cosigned.at.map(|at| at.to_string()),
            root: state.tree.as_ref().map(Tree::root).map(hex::encode),
        });
        state.findings.into_iter().for_each(|finding| self.report.add(finding));
    }
}
