//! The one decision point: every tool call, whatever door it came through, passes
//! [`Governor::evaluate`].
//!
//! The pipeline is fixed: *scope*, *secret*, *blocklist*, *rate*, then the host's own checks. The first
//! deny wins, later checks are recorded as skipped, and the answer leaves after its audit event is
//! durable. Whatever cannot be decided is denied.
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `http` | axum routers of the hook and API doors, the tower layer for `http::Request` | no |

mod check;
pub mod description;
mod governor;
mod handle;
#[cfg(feature = "http")]
pub mod http;
pub mod layer;
mod ledger;
pub mod policy;
pub mod rate;
mod record;
mod repeat;
pub mod replay;
pub mod secret;
mod shadow;
pub mod stats;

#[doc(inline)]
pub use governor::{
    BuildError, DryRun, Governor, GovernorBuilder, ReloadError, SecretStream, ToolFailure,
    ToolResult,
};
#[doc(inline)]
pub use policy::{KnownIds, Policy, PolicySource};
#[doc(inline)]
pub use rate::MemoryRateStore;
#[doc(inline)]
pub use repeat::OpenPermit;
#[doc(inline)]
pub use shadow::ShadowStats;
#[doc(inline)]
pub use stats::Stats;

pub(crate) use governor::is_built_in;
