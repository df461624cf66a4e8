//! Logs of which retention has removed the beginning.

use super::checks::Point;
use super::key_ring::SignedBy;
use super::log_state::LogState;
use super::{Finding, FindingKind, KeyEvent, LogRow, LogSource, Report};
use crate::StoreError;
use crate::merkle::TILE_WIDTH;
use crate::retention::PrunedDetail;
use crate::tree_source::{load_root, load_tree};

const WIDTH: i64 = TILE_WIDTH as i64;

/// How much later than its id says a permit may have been granted, in milliseconds: the longest time that
/// an append may take.
const LATE: u64 = 60_000;

/// What was pruned of a log by an event of the database; a mark that no event has made is a finding.
pub(super) async fn pruned_of(
    source: &mut impl LogSource,
    log: &LogRow,
    report: &mut Report,
) -> Result<Option<PrunedDetail>, StoreError> {
    let Some(row) = source.pruned(log.id).await? else { return Ok(None) };
    let proven = row.proven(&log.origin);
    if proven.is_none() {
        let detail = "no event says what `audit_pruned` marks as pruned";
        report.add(Finding::new(FindingKind::TableChanged, &log.origin, detail));
    }
    Ok(proven)
}

/// The events about keys of a log, those that were pruned with it.
pub(super) async fn key_events(
    source: &mut impl LogSource,
    log: &LogRow,
    pruned: Option<&PrunedDetail>,
) -> Result<Vec<KeyEvent>, StoreError> {
    let mut events = pruned.map_or(Vec::new(), |pruned| pruned.keys.clone());
    let last = events.last().map_or(0, |event| event.seq);
    let there = source.key_events(log.id).await?;
    events.extend(there.into_iter().filter(|event| event.seq > last));
    Ok(events)
}

/// Up to which instant permits may have been granted by events that are pruned, in milliseconds since 1970.
pub(super) fn permits_to<'p>(pruned: impl Iterator<Item = &'p PrunedDetail>) -> Option<u64> {
    pruned.map(|pruned| instant(pruned.last.as_bytes()).saturating_add(LATE)).max()
}

/// When an id was made (RFC 9562, version 7), in milliseconds since 1970.
pub(super) fn instant(id: &[u8; 16]) -> u64 {
    let [a, b, c, d, e, f, ..] = *id;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Lets the log begin after what was pruned of it: rows may be missing there, whole tiles from the first
/// one on, and nothing else.
pub(super) async fn begin(
    source: &mut impl LogSource,
    log: &LogRow,
    pruned: &PrunedDetail,
    state: &mut LogState,
) -> Result<(), StoreError> {
    let up_to = pruned.up_to;
    let first = source.next(log.id, 0).await?.unwrap_or(i64::MAX);
    let base = (first - 1).min(up_to) / WIDTH * WIDTH;
    if base <= 0 {
        return Ok(());
    }
    let size = |place: i64| u64::try_from(place).unwrap_or_default();
    let mut stored = source.tree(log.id);
    let root = load_root(&mut stored, size(up_to)).await?;
    if root.map(hex::encode).as_ref() != Some(&pruned.root) {
        let detail =
            "what is stored of the tree is not what it was when the events there were pruned";
        let finding = Finding::new(FindingKind::TreeChanged, &state.origin, detail);
        state.findings.push(finding.rows(1, up_to));
    }
    state.tree = load_tree(&mut stored, size(base)).await?;
    state.next = base + 1;
    state.good_to = base;
    Ok(())
}

/// Holds a checkpoint of pruned events alone against the tree that is left of them.
pub(super) async fn covers(
    source: &mut impl LogSource,
    log: &LogRow,
    point: &Point,
    state: &mut LogState,
) -> Result<(), StoreError> {
    let signed = state.ring.signed_by(&point.note, point.size);
    if let SignedBy::Nobody(why) = &signed {
        state.bad_signature(point, why);
        return Ok(());
    }
    let mut stored = source.tree(log.id);
    let root = load_root(&mut stored, u64::try_from(point.size).unwrap_or_default()).await?;
    let wrong = match root {
        Some(root) if root == point.root => None,
        Some(_) if point.outside => Some((
            FindingKind::Forked,
            "a checkpoint was signed over other events than those that were pruned, or what is stored of \
             the tree was changed since",
        )),
        Some(_) => Some((
            FindingKind::HistoryChanged,
            "a checkpoint was signed over other events than those that were pruned",
        )),
        None => Some((
            FindingKind::TreeChanged,
            "what is stored of the tree is not enough for a checkpoint of events that were pruned",
        )),
    };
    if let Some((kind, detail)) = wrong {
        state.findings.push(Finding::new(kind, &state.origin, detail).rows(1, point.size));
    } else if signed == SignedBy::Trusted {
        state.checkpoints += 1;
        state.cosigned.count(point);
        state.signed_to = state.signed_to.max(point.size);
    }
    Ok(())
}
