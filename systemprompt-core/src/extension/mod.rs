//! Extensions: what a host compiles into its binary beside the family.

mod schema;

pub use schema::{Backend, Migration, SchemaDefinition, SchemaOwner};
