//! Secrets in PostgreSQL.

mod change;
mod read;

pub(crate) use change::*;
pub(crate) use read::*;
