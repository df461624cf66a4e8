//! How far a log has come, as its writer knows it.

use serde_json::json;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::{AuditEvent, EventKind};

use crate::merkle::{Tile, Tree};
use crate::pending::Pending;
use crate::store::{PlacedRow, Store};
use crate::tree_source::load_or_regrow;
use crate::{Origin, StoreError};

/// The place of the last event, and the tree up to it.
///
/// What the writer knows stays true whatever happens to the database: rows that vanish leave a gap
/// instead of a place for others, and rows that others have written are recorded as such.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// The place of the last event.
    pub(crate) tail: i64,
    /// The tree of all events; `None` when it is switched off, or cannot be told because events are
    /// missing.
    pub(crate) tree: Option<Tree>,
    /// Tiles that are complete and not stored yet.
    pub(crate) tiles: Vec<Tile>,
}

impl Extent {
    /// How far the log in `store` has come.
    pub(crate) async fn load(store: &mut impl Store, merkle: bool) -> Result<Self, StoreError> {
        let tail = store.tail().await?;
        let size = u64::try_from(tail).unwrap_or_default();
        let grown = if merkle { load_or_regrow(store, size).await? } else { None };
        let (tree, tiles) = grown.map_or((None, Vec::new()), |(tree, tiles)| (Some(tree), tiles));
        Ok(Self { tail, tree, tiles })
    }

    /// Takes the next place for an event.
    pub(crate) fn place<'e>(&mut self, event: &'e Pending) -> PlacedRow<'e> {
        self.tail += 1;
        let row = event.place(self.tail);
        if let Some(tree) = &mut self.tree {
            tree.append(row.leaf_hash, &mut self.tiles);
        }
        row
    }

    /// Goes on to `tail` with what the store holds.
    pub(crate) async fn catch_up(
        &mut self,
        store: &mut impl Store,
        tail: i64,
    ) -> Result<(), StoreError> {
        let count = usize::try_from(tail - self.tail).unwrap_or_default();
        if let Some(tree) = &mut self.tree {
            let leaves = store.leaves(tree.size(), count).await?;
            if leaves.len() == count {
                leaves.into_iter().for_each(|leaf| tree.append(leaf, &mut self.tiles));
            } else {
                self.tree = None;
            }
        }
        self.tail = tail;
        Ok(())
    }
}

/// The event that says that the log holds rows which its writer has not written.
pub(crate) fn foreign_rows(origin: &Origin, from: i64, to: i64, now: Timestamp) -> Pending {
    tracing::error!(%origin, from, to, "the audit log holds rows that it has not written");
    let detail = json!({ "from": from, "to": to });
    Pending::event(origin.as_str(), AuditEvent::system(now, EventKind::ForeignRows, detail))
}
