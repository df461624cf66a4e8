//! The one decision point and the policy it goes by.

#[doc(inline)]
pub use systemprompt_governance::{
    BuildError, DryRun, Governor, GovernorBuilder, KnownIds, MemoryRateStore, OpenPermit, Policy,
    PolicySource, ReloadError, Stats,
};
