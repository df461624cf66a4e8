//! Server-sent events (WHATWG HTML, section 9.2) as models stream them.
//!
//! [`FrameSplitter`] takes bytes in any pieces and gives back frames that keep their own bytes, so that
//! a stream can be passed on untouched while it is read. [`write_frame`] writes one.

mod frame;
mod splitter;
mod write;

pub use frame::Frame;
pub use splitter::{FrameSplitter, FrameTooLong};
pub(crate) use write::write_json_frame;
pub use write::{write_comment, write_frame};
