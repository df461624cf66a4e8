//! Names what each backend brings.

use systemprompt::database::{DatabaseError, DatabaseOptions, DbPool, Driver};

/// A function that knows one backend, or both, and compiles with any.
fn backend(database: &DbPool) -> Result<&'static str, DatabaseError> {
    match database.driver() {
        #[cfg(feature = "sqlite")]
        Driver::Sqlite(database) => Ok(if database.path().exists() { "there" } else { "gone" }),
        #[cfg(feature = "postgres")]
        Driver::Postgres(database) => Ok(if database.pool().is_closed() { "closed" } else { "open" }),
        other => Err(other.unsupported()),
    }
}

fn main() {
    let options = DatabaseOptions::new("sqlite://downstream.db");
    println!("{options:?} {:?}", systemprompt::audit::schema().name());
    let _ = backend;
}
