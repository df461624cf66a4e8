//! Checkpoints against the rows they cover.

use super::key_ring::SignedBy;
use super::log_state::LogState;
use super::{Finding, FindingKind};
use crate::merkle::Hash;
use crate::note::{Checkpoint, SignedNote};
use crate::store::StoredCheckpoint;

/// A checkpoint, wherever it was kept.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) size: i64,
    pub(super) root: Hash,
    pub(super) note: SignedNote,
    pub(super) outside: bool,
}

/// A checkpoint whose root is not that of the rows.
#[derive(Debug, Clone)]
pub(super) struct Mismatch {
    from: i64,
    to: i64,
    outside: bool,
}

impl Point {
    pub(super) fn outside((checkpoint, note): &(Checkpoint, SignedNote)) -> Self {
        let size = i64::try_from(checkpoint.size).unwrap_or(i64::MAX);
        Self { size, root: checkpoint.root, note: note.clone(), outside: true }
    }

    /// A checkpoint of the database; an error when it does not say what its note says.
    pub(super) fn stored(
        origin: &str,
        stored: Result<StoredCheckpoint, i64>,
    ) -> Result<Self, Finding> {
        let fault = |size: i64, detail: &str| {
            Finding::new(FindingKind::CheckpointChanged, origin, detail).at(size)
        };
        let stored = stored.map_err(|size| fault(size, "a stored checkpoint cannot be read"))?;
        let size = i64::try_from(stored.size).unwrap_or(i64::MAX);
        let note: SignedNote = stored
            .note
            .parse()
            .map_err(|_| fault(size, "the note of a stored checkpoint cannot be read"))?;
        let says: Option<Checkpoint> = note.text().parse().ok();
        let is = Checkpoint { origin: origin.to_owned(), size: stored.size, root: stored.root };
        if says == Some(is) {
            Ok(Self { size, root: stored.root, note, outside: false })
        } else {
            Err(fault(size, "a stored checkpoint does not say what its note says"))
        }
    }

    fn place(&self) -> &'static str {
        if self.outside { "outside of the database" } else { "in the database" }
    }
}

impl LogState {
    /// Holds the checkpoints of up to `size` events against what was met.
    pub(super) fn reached(&mut self, size: i64) {
        while let Some(point) = self.points.pop_front_if(|point| point.size <= size) {
            // Where rows are missing the tree has not stopped at every size.
            let there = point.size == size;
            self.check(&point, there);
        }
    }

    fn check(&mut self, point: &Point, there: bool) {
        let Point { size, root, note, outside } = point;
        let signed = self.ring.signed_by(note, *size);
        if let SignedBy::Nobody(why) = &signed {
            return self.bad_signature(point, why);
        }
        if self.cosigned.verify(point).is_err() {
            return self.bad_signature(point, "the signature of a witness on it is forged");
        }
        match (there.then(|| self.has_root(root)).flatten(), signed) {
            (None, _) | (_, SignedBy::Nobody(_)) => {}
            (Some(false), _) => {
                let from = self.good_to.saturating_add(1);
                self.mismatch.get_or_insert(Mismatch { from, to: *size, outside: *outside });
            }
            (Some(true), SignedBy::Trusted) => {
                self.checkpoints += 1;
                self.cosigned.count(point);
                (self.good_to, self.signed_to) = (*size, *size);
            }
            (Some(true), SignedBy::Untrusted(key)) => {
                self.checkpoints += 1;
                self.good_to = *size;
                self.untrusted = Some((*size, key));
            }
        }
    }

    pub(super) fn bad_signature(&mut self, point: &Point, why: &str) {
        let detail = format!("the checkpoint of {} events {}: {why}", point.size, point.place());
        let finding = Finding::new(FindingKind::BadSignature, &self.origin, detail);
        self.findings.push(finding.at(point.size));
    }

    /// Holds the checkpoints that are left when there is no row any more after `last`. `stated` is how
    /// many events the log itself says that it has had, and by what.
    pub(super) fn end(&mut self, last: i64, stated: (i64, &str)) {
        self.close_gap();
        let (mut to, mut by) =
            if stated.0 > last { (stated.0, stated.1.to_owned()) } else { (last, String::new()) };
        for point in std::mem::take(&mut self.points) {
            match self.ring.signed_by(&point.note, point.size) {
                SignedBy::Nobody(why) => self.bad_signature(&point, &why),
                _ if point.size > to || (point.size == to && point.outside && to > last) => {
                    to = point.size;
                    by = format!("a checkpoint of {to} events {}", point.place());
                }
                _ => {}
            }
        }
        if to > last {
            let detail = format!("the log ends before them, but there is {by}");
            let finding = Finding::new(FindingKind::TailMissing, &self.origin, detail);
            self.findings.push(finding.rows(last.saturating_add(1), to));
        }
        self.conclude();
    }

    fn conclude(&mut self) {
        if let Some(Mismatch { from, to, outside }) = self.mismatch.take() {
            let within = |seq: i64| (from..=to).contains(&seq);
            let edited = self.findings.iter().any(|finding| {
                finding.kind == FindingKind::RowChanged && finding.seq.is_some_and(within)
            });
            let (kind, detail) = match (outside, edited) {
                (true, false) => (
                    FindingKind::Forked,
                    "they agree with each other, but a checkpoint outside of the database was signed \
                     over other rows: an old copy that went on, or a history made anew",
                ),
                (true, true) => (
                    FindingKind::HistoryChanged,
                    "they are not those over which a checkpoint outside of the database was signed",
                ),
                (false, _) => (
                    FindingKind::HistoryChanged,
                    "they are not those over which a checkpoint in the database was signed",
                ),
            };
            self.findings.push(Finding::new(kind, &self.origin, detail).rows(from, to));
        }
        // What a trusted key has signed later vouches for what came before.
        if let Some((size, key)) = self.untrusted.take().filter(|(size, _)| *size > self.signed_to)
        {
            let detail = format!(
                "the checkpoint of {size} events is signed with `{key}`, which follows from no trusted key"
            );
            let finding = Finding::new(FindingKind::BadSignature, &self.origin, detail);
            self.findings.push(finding.at(size));
        }
    }
}
