//! The database of a host: one pool that the family and its extensions share, and what they install
//! in it.

mod error;
mod file;
pub mod installer;
mod pool;

pub use error::DatabaseError;
pub use file::{is_installed, refuse_leftovers};
pub use installer::{SchemaError, SchemaInstaller, SchemaStep, StepKind, StepState};
pub use pool::{DatabaseOptions, DbPool};

pub use crate::extension::{Backend, Migration, SchemaDefinition, SchemaOwner};
