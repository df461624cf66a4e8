use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::decision::{LimitState, RateWindow};

/// Where the state of rate limits lives. Object-safe.
///
/// The algorithm is GCRA with the theoretical arrival time (TAT) as its only state. All charges of a
/// call are tested and taken together or not at all.
#[async_trait]
pub trait RateStore: Send + Sync + 'static {
    /// Tests all charges without taking any.
    ///
    /// # Errors
    /// [`RateStoreError`] when the store cannot be asked; the caller must deny.
    async fn test(&self, charges: &[RateCharge])
    -> Result<Result<(), RateRefusal>, RateStoreError>;

    /// Takes all charges, or none of them if one does not fit.
    ///
    /// # Errors
    /// [`RateStoreError`] when the store cannot be asked; the caller must deny.
    async fn take(
        &self,
        charges: &[RateCharge],
    ) -> Result<Result<Vec<LimitState>, RateRefusal>, RateStoreError>;

    /// Gives back charges that were taken `age` ago for a call that was denied after all.
    ///
    /// What has drained from a bucket since is not given back: the rest could be another call's.
    async fn give_back(&self, charges: &[RateCharge], age: Duration);

    /// What is left of each limit.
    ///
    /// # Errors
    /// [`RateStoreError`] when the store cannot be asked.
    async fn remaining(&self, charges: &[RateCharge]) -> Result<Vec<LimitState>, RateStoreError>;
}

/// One call against one bucket of one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCharge {
    /// The limit's name in the policy.
    pub limit: Arc<str>,
    /// The bucket: a keyed hash over the limit and the values of its key.
    pub bucket: u128,
    /// Calls per window.
    pub rate: RateWindow,
    /// Calls that may come at once.
    pub burst: u64,
}

/// A charge did not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRefusal {
    /// The position of the charge that fits last, which is the one to wait for.
    pub charge: usize,
    /// When all charges would fit.
    pub retry_after: Duration,
}

/// The store could not be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the rate store is unavailable: {0}")]
pub struct RateStoreError(pub String);
