//! Rate limits: GCRA, tested and taken for all limits of a call at once.

mod gcra;
mod memory;
mod shard;

pub(crate) use gcra::increment_ns;
pub use memory::MemoryRateStore;
