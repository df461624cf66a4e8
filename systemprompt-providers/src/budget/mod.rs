//! Budgets: hard caps on microdollars and tokens per tenant, user, API key and model over a window.
//!
//! [`BudgetRules`] says which caps apply to a request. A [`BudgetStore`] reserves its estimate in all of
//! them before it is sent, settles what it used after it, and returns what was abandoned:
//!
//! - [`MemoryBudgetStore`] for one process that may forget what was used when it ends;
//! - `SqliteBudgetStore` for processes on one host that share a file;
//! - `PostgresBudgetStore` for replicas.
//!
//! All of them keep the same books. A window is kept for as long again as it lasted, an hour at least;
//! a reservation that was settled or released for ten minutes, an abandoned one for a day, so that what
//! is settled late is still recorded.
//!
//! ```
//! use std::time::Duration;
//!
//! use systemprompt_core::clock::SystemClock;
//! use systemprompt_core::contract::{BudgetError, BudgetRequest, BudgetStore as _};
//! use systemprompt_core::id::{TenantId, TokenId, UserId};
//! use systemprompt_core::money::Microdollars;
//! use systemprompt_providers::budget::{
//!     BudgetDimension, BudgetRule, BudgetRules, BudgetSubject, MemoryBudgetStore,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rules = BudgetRules::compile(&[BudgetRule {
//!     name: "a dollar a day".to_owned(),
//!     key: vec![BudgetDimension::User],
//!     limit_microdollars: Some(1_000_000),
//!     limit_tokens: None,
//!     window_s: 86_400,
//! }])?;
//! let store = MemoryBudgetStore::new(SystemClock::shared());
//! let subject = BudgetSubject {
//!     tenant: &TenantId::parse("acme")?,
//!     user: &UserId::parse("ann")?,
//!     key: &TokenId::parse("key-1")?,
//!     model: "claude-sonnet-4-5",
//! };
//! let request = BudgetRequest {
//!     caps: rules.caps(&subject),
//!     microdollars: Microdollars::new(600_000),
//!     tokens: 40_000,
//!     timeout: Duration::from_secs(600),
//! };
//! let reservation = store.reserve(&request).await?;
//! assert!(matches!(store.reserve(&request).await, Err(BudgetError::Refused(_))));
//! store.settle(reservation.id, Microdollars::new(1_200), 350).await?;
//! assert!(store.reserve(&request).await.is_ok());
//! # Ok(())
//! # }
//! ```

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod database;
mod ledger;
mod memory;
mod rules;

#[cfg(feature = "postgres")]
pub use database::PostgresBudgetStore;
#[cfg(feature = "sqlite")]
pub use database::SqliteBudgetStore;
pub use memory::MemoryBudgetStore;
pub use rules::{
    BudgetDimension, BudgetRule, BudgetRuleError, BudgetRuleProblem, BudgetRules, BudgetSubject,
};
#[doc(no_inline)]
pub use systemprompt_core::contract::BudgetStore;
