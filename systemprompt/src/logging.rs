//! The log of a process, for binaries.

#[doc(inline)]
pub use systemprompt_runtime::logging::start;
