//! The queries, under the same names in `sqlite` and `postgres`.

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod row;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

pub(crate) use row::{
    GrantFacts, GrantKey, GrantRow, NewVersionRow, SecretRow, TaggedRow, UseRow, VersionRow,
    WrappedRow,
};

/// Runs a query of the backend to which `$driver`, a
/// [`ConnectionMut`](systemprompt_core::database::ConnectionMut), is connected.
macro_rules! on {
    ($driver:expr, $function:ident($($argument:expr),*)) => {
        match $driver {
            #[cfg(feature = "sqlite")]
            systemprompt_core::database::ConnectionMut::Sqlite(connection) => {
                crate::store::sqlite::$function(connection $(, $argument)*).await?
            }
            #[cfg(feature = "postgres")]
            systemprompt_core::database::ConnectionMut::Postgres(connection) => {
                crate::store::postgres::$function(connection $(, $argument)*).await?
            }
            other => return Err(other.unsupported().into()),
        }
    };
}
pub(crate) use on;
