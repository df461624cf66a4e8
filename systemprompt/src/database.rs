//! The database of a host, and what the family and its extensions install in it.

#[cfg(feature = "postgres")]
#[doc(inline)]
pub use systemprompt_core::database::PostgresDatabase;
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use systemprompt_core::database::SqliteDatabase;
#[doc(inline)]
pub use systemprompt_core::database::{
    Backend, ConnectionMut, DatabaseError, DatabaseOptions, DbConnection, DbPool, DbTransaction,
    Driver, Migration, SchemaDefinition, SchemaError, SchemaInstaller, SchemaOwner, SchemaStep,
    StepKind, StepState,
};
