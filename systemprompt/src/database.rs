//! The database of a host, and what the family and its extensions install in it.

#[doc(inline)]
pub use systemprompt_core::database::{
    Backend, DatabaseError, DatabaseOptions, DbPool, Migration, SchemaDefinition, SchemaError,
    SchemaInstaller, SchemaOwner, SchemaStep, StepKind, StepState,
};
