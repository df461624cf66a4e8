//! Child processes with secrets in their environment, and with nothing else in it.

mod child;
mod descriptors;
mod error;
mod harden;
mod output;
mod spec;
mod tool;

pub use child::{ChildLife, ChildProcess};
pub use error::ProcessError;
pub use harden::{Hardening, harden_process};
pub use output::FilteredOutput;
pub use spec::{ProcessSettings, ProcessSpec, ProcessUser};
pub use tool::ProcessTool;
