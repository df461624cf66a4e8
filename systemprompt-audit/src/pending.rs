use rand::random;
use systemprompt_core::event::AuditEvent;
use systemprompt_core::id::PermitId;

use crate::leaf::{OpenLeaf, Salt};
use crate::row::Row;
use crate::store::PlacedRow;
use crate::subject::{DataKey, seal};

/// An event that is ready but for its place in the log.
#[derive(Debug)]
pub(crate) struct Pending {
    row: Row,
    salt: Salt,
    leaf: OpenLeaf,
}

impl Pending {
    /// An event of the log `origin`.
    pub(crate) fn event(origin: &str, event: AuditEvent) -> Self {
        Self::new(origin, event.into())
    }

    /// An event of the log `origin` of which what says something about the person of `key` is encrypted;
    /// `None` when that fails.
    pub(crate) fn sealed(origin: &str, event: AuditEvent, key: &DataKey) -> Option<Self> {
        let mut row = event.into();
        seal(&mut row, origin, key)?;
        Some(Self::new(origin, row))
    }

    /// A row of the log `origin`.
    pub(crate) fn new(origin: &str, row: Row) -> Self {
        let salt = random();
        let leaf = OpenLeaf::new(origin, &row, &salt);
        Self { row, salt, leaf }
    }

    /// The permit that the event grants, if it is the first to do so.
    pub(crate) fn granted(&self) -> Option<PermitId> {
        self.row.granted()
    }

    /// The event at its place.
    pub(crate) fn place(&self, seq: i64) -> PlacedRow<'_> {
        PlacedRow { seq, row: &self.row, salt: self.salt, leaf_hash: self.leaf.hash(seq) }
    }
}
