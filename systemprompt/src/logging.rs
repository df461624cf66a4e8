//! The log of a binary's process.

#[doc(inline)]
pub use systemprompt_runtime::logging::start;
