//! Takes the secrets of a call out of what its tool gives back.

mod automaton;
mod filter;
mod forms;
mod stream;

pub use filter::EchoFilter;
pub use stream::EchoStream;

pub(super) use forms::significant;

/// Shortest value that can be told from ordinary text, in bytes without white space.
pub(in crate::inject) const MIN_BYTES: usize = 8;
