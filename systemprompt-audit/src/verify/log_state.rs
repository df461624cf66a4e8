use std::collections::{BTreeMap, VecDeque};

use super::checks::{Mismatch, Point};
use super::cosigned::Cosigned;
use super::key_ring::KeyRing;
use super::{Finding, FindingKind, StoredTile};
use crate::column::Column;
use crate::leaf::OpenLeaf;
use crate::merkle::{Hash, TILE_WIDTH, Tile, Tree};
use crate::scanned_row::ScannedRow;

const WIDTH: i64 = TILE_WIDTH as i64;

/// One log on the way from its first row to its last.
#[derive(Debug)]
pub(super) struct LogState {
    pub(super) origin: String,
    pub(super) ring: KeyRing,
    /// The place that comes next.
    pub(super) next: i64,
    /// The tree of what was met; `None` when rows are missing whose hashes nobody knows.
    pub(super) tree: Option<Tree>,
    /// The tree if rows and not what is stored of the tree are right, since they were first at odds.
    other: Option<Other>,
    /// The stored tiles of level 0 around here.
    tiles: BTreeMap<i64, StoredTile>,
    /// Tiles of higher levels that are to be compared.
    pub(super) upper: Vec<Tile>,
    /// Checkpoints that come next.
    pub(super) points: VecDeque<Point>,
    gap: Option<(i64, i64)>,
    pub(super) findings: Vec<Finding>,
    pub(super) rows: u64,
    /// Up to where rows may be missing.
    pub(super) pruned_to: i64,
    pub(super) checkpoints: u64,
    pub(super) cosigned: Cosigned,
    /// Up to where the rows are those that were signed.
    pub(super) good_to: i64,
    pub(super) signed_to: i64,
    pub(super) untrusted: Option<(i64, String)>,
    pub(super) mismatch: Option<Mismatch>,
}

#[derive(Debug)]
struct Other {
    tree: Tree,
    /// Findings that blame a row although it agrees with itself.
    blamed: Vec<usize>,
}

impl LogState {
    pub(super) fn new(origin: String, ring: KeyRing, cosigned: Cosigned) -> Self {
        Self {
            origin,
            ring,
            next: 1,
            tree: Some(Tree::new()),
            other: None,
            tiles: BTreeMap::new(),
            upper: Vec::new(),
            points: VecDeque::new(),
            gap: None,
            findings: Vec::new(),
            rows: 0,
            pruned_to: 0,
            checkpoints: 0,
            cosigned,
            good_to: 0,
            signed_to: 0,
            untrusted: None,
            mismatch: None,
        }
    }

    /// Takes the stored tiles of level 0 that the next rows fall into.
    pub(super) fn expect(&mut self, tiles: Vec<StoredTile>) {
        let place = |tile: &StoredTile| i64::try_from(tile.index).unwrap_or(i64::MAX);
        self.tiles = tiles.into_iter().map(|tile| (place(&tile), tile)).collect();
    }

    /// Takes the next row.
    pub(super) fn row(&mut self, row: &ScannedRow<'_>) {
        let seq = row.seq();
        if seq < self.next {
            let detail = "another row stands at the same place";
            let finding = Finding::new(FindingKind::ForeignRow, &self.origin, detail);
            self.findings.push(finding.at(seq).event(row.bytes(Column::Id)));
            return;
        }
        self.missing_until(seq);
        self.close_gap();
        self.rows += 1;
        self.compare(row);
        self.next = seq.saturating_add(1);
        self.reached(seq);
        if row.bytes(Column::Kind) == b"foreign_rows" {
            self.foreign(row);
        }
    }

    /// Holds a row against the hash beside it and the one in the tree.
    fn compare(&mut self, row: &ScannedRow<'_>) {
        let seq = row.seq();
        let salt = row.salt().try_into().ok();
        let computed = salt.map(|salt| OpenLeaf::new(&self.origin, row, &salt).hash(seq));
        let stored: Option<Hash> = row.leaf_hash().try_into().ok();
        let known = self.known(seq);
        let agrees = computed.is_some() && computed == stored;
        if agrees && (known.is_none() || known == computed) {
            return self.append(computed, computed);
        }
        let detail = match (agrees, known) {
            (true, _) => "the row and its hash are not those in the tree",
            (false, Some(known)) if Some(known) == computed => "its hash was changed",
            (false, Some(known)) if Some(known) == stored => "the row was changed",
            (false, Some(_)) => "the row and its hash were changed",
            (false, None) => "the row or its hash was changed",
        };
        if agrees && self.other.is_none() {
            self.part();
        }
        let finding = Finding::new(FindingKind::RowChanged, &self.origin, detail);
        self.findings.push(finding.at(seq).event(row.bytes(Column::Id)));
        let last = self.findings.len() - 1;
        if known.is_none() && self.other.is_none() {
            self.part();
        } else if agrees && let Some(other) = &mut self.other {
            other.blamed.push(last);
        }
        self.append(known.or(stored), computed);
    }

    /// From here on there are two trees.
    fn part(&mut self) {
        self.other = self.tree.clone().map(|tree| Other { tree, blamed: Vec::new() });
    }

    /// Appends a hash to the tree, and what the row itself says to the other one.
    fn append(&mut self, hash: Option<Hash>, computed: Option<Hash>) {
        if let Some(other) = &mut self.other {
            match computed {
                Some(hash) => other.tree.append(hash, &mut Vec::new()),
                None => self.other = None,
            }
        }
        let mut completed = Vec::new();
        match (&mut self.tree, hash) {
            (Some(tree), Some(hash)) => tree.append(hash, &mut completed),
            (tree, _) => *tree = None,
        }
        for tile in completed {
            if tile.level == 0 {
                self.compare_tile(&tile);
            } else {
                self.upper.push(tile);
            }
        }
    }

    /// The hash that a stored tile has for a place.
    fn known(&self, seq: i64) -> Option<Hash> {
        let tile = self.tiles.get(&((seq - 1) / WIDTH))?;
        let at = usize::try_from((seq - 1) % WIDTH).ok()?;
        tile.hashes.as_ref()?.get(at).copied()
    }

    fn compare_tile(&mut self, tile: &Tile) {
        let index = i64::try_from(tile.index).unwrap_or(i64::MAX);
        let stored = self.tiles.get(&index).cloned();
        self.hold_tile(tile, stored.as_ref(), WIDTH);
    }

    /// Holds a tile against the stored one; `width` rows are below each of its hashes times 256.
    pub(super) fn hold_tile(&mut self, tile: &Tile, stored: Option<&StoredTile>, width: i64) {
        let detail = match stored {
            Some(stored)
                if *stored.root == tile.root && stored.hashes.as_ref() == Some(&tile.hashes) =>
            {
                return;
            }
            Some(_) => "a stored part of the tree over these rows was changed",
            None => "a stored part of the tree over these rows is missing",
        };
        let first = i64::try_from(tile.index).unwrap_or(i64::MAX).saturating_mul(width);
        let finding = Finding::new(FindingKind::TreeChanged, &self.origin, detail);
        self.findings.push(finding.rows(first.saturating_add(1), first.saturating_add(width)));
    }

    /// Notes that there is no row before `seq` any more.
    pub(super) fn missing_until(&mut self, seq: i64) {
        if self.next >= seq {
            return;
        }
        let from = self.gap.map_or(self.next, |(from, _)| from);
        self.gap = Some((from, seq - 1));
        while self.next < seq {
            // The tree goes on with what is stored of it.
            let known = self.known(self.next);
            self.other = None;
            self.append(known, None);
            if self.tree.is_none() {
                break;
            }
            let place = self.next;
            self.next += 1;
            self.reached(place);
        }
        self.next = seq;
        self.reached(seq - 1);
    }

    /// Reports the rows that are missing up to here.
    pub(super) fn close_gap(&mut self) {
        if let Some((from, to)) = self.gap.take() {
            let detail = if to > from { "rows are missing" } else { "the row is missing" };
            let finding = Finding::new(FindingKind::RowMissing, &self.origin, detail);
            self.findings.push(finding.rows(from, to));
        }
    }

    /// The root over all rows so far.
    pub(super) fn root(&self) -> Option<Hash> {
        self.tree.as_ref().map(Tree::root)
    }

    /// Whether `root` is that of the rows. When it is that of what the rows themselves say, they are
    /// right, and what is stored of the tree is not.
    pub(super) fn has_root(&mut self, root: &Hash) -> Option<bool> {
        let same = self.root()? == *root;
        if same {
            self.other = None;
            return Some(true);
        }
        match self.other.take() {
            Some(other) if other.tree.root() == *root => {
                for finding in other.blamed {
                    if let Some(finding) = self.findings.get_mut(finding) {
                        finding.kind = FindingKind::TreeChanged;
                        "the hash of the row in the stored tree was changed"
                            .clone_into(&mut finding.detail);
                    }
                }
                self.tree = Some(other.tree);
                Some(true)
            }
            other => {
                self.other = other;
                Some(false)
            }
        }
    }

    fn foreign(&mut self, row: &ScannedRow<'_>) {
        let detail: Option<serde_json::Value> =
            serde_json::from_slice(row.bytes(Column::Detail)).ok();
        let place = |key: &str| detail.as_ref()?.get(key)?.as_i64();
        if let (Some(from), Some(to)) = (place("from"), place("to")) {
            let detail =
                format!("not written by the log, which has noted it in event {}", row.seq());
            let finding = Finding::new(FindingKind::ForeignRow, &self.origin, detail);
            self.findings.push(finding.rows(from, to));
        }
    }
}
