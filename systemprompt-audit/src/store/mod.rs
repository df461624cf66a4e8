//! What the writer needs of a database.

pub(crate) mod sqlite;

use std::future::Future;

use systemprompt_core::clock::Timestamp;
use systemprompt_core::decision::OutcomeStatus;

use crate::StoreError;
use crate::leaf::Salt;
use crate::merkle::{Hash, Tile};
use crate::row::Row;
use crate::tree_source::TreeSource;

/// An event with its place in the log.
#[derive(Debug, Clone)]
pub(crate) struct PlacedRow<'r> {
    pub(crate) seq: i64,
    pub(crate) row: &'r Row,
    pub(crate) salt: Salt,
    pub(crate) leaf_hash: [u8; 32],
}

/// A permit that was granted, as far as settling it needs.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    pub(crate) permit: [u8; 16],
    pub(crate) trace_id: [u8; 16],
    pub(crate) call_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) expires_at: i64,
    /// How it was settled, if it was.
    pub(crate) settled: Option<OutcomeStatus>,
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredCheckpoint {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
    pub(crate) created_at: Timestamp,
}

/// The writing end of one log in a database. One task owns it; no call is ever cancelled.
pub(crate) trait Store: TreeSource + 'static {
    /// Whether what would be written to is still what was opened.
    fn verify(&self) -> Result<(), StoreError>;

    /// The place of the last event.
    fn tail(&mut self) -> impl Future<Output = Result<i64, StoreError>> + Send;

    /// Whether the event `id` stands at place `seq`.
    fn holds(
        &mut self,
        seq: i64,
        id: [u8; 16],
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Opens a transaction that holds the write lock and looks permits up in it.
    fn begin_with(
        &mut self,
        permits: &[[u8; 16]],
    ) -> impl Future<Output = Result<Vec<Granted>, StoreError>> + Send;

    /// Writes `rows` and `tiles` and commits; opens the transaction itself unless one is open. `Ok`
    /// means durable. After an error the caller must [`abort`](Self::abort) and find out what happened.
    fn commit(
        &mut self,
        rows: &[PlacedRow<'_>],
        tiles: &[Tile],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends the open transaction, if any, without its writes; replaces a connection that is broken.
    fn abort(&mut self) -> impl Future<Output = ()> + Send;

    /// Writes something durable that changes nothing an auditor sees: how far the log has come.
    fn note(&mut self, size: i64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Closes the store.
    fn close(self) -> impl Future<Output = ()> + Send;
}
