//! Secrets in SQLite.

mod change;
mod read;

pub(crate) use change::*;
pub(crate) use read::*;
