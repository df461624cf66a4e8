//! The database of a host: one pool that the family and its extensions share.

mod error;
mod pool;

pub use error::DatabaseError;
pub use pool::{DatabaseOptions, DbPool};
