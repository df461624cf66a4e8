use systemprompt_core::database::ConnectionMut;

use crate::StoreError;
use crate::merkle::Hash;
use crate::tree_source::TreeSource;

/// The tree of one log, read over a connection to either backend.
#[derive(Debug)]
pub(crate) struct LogTree<'c> {
    pub(crate) connection: ConnectionMut<'c>,
    pub(crate) log_id: i64,
}

/// What the tree of the backend behind `$tree` answers.
macro_rules! of {
    ($tree:ident . $function:ident ( $($argument:expr),* )) => {{
        let log_id = $tree.log_id;
        match &mut $tree.connection {
            #[cfg(feature = "sqlite")]
            ConnectionMut::Sqlite(connection) => {
                super::sqlite::tree::SqliteTree { connection, log_id }
                    .$function($($argument),*)
                    .await
            }
            #[cfg(feature = "postgres")]
            ConnectionMut::Postgres(connection) => {
                super::postgres::tree::PostgresTree { connection, log_id }
                    .$function($($argument),*)
                    .await
            }
            other => Err(StoreError::Failed(other.unsupported().to_string())),
        }
    }};
}

impl TreeSource for LogTree<'_> {
    async fn leaves(&mut self, first: u64, count: usize) -> Result<Vec<Hash>, StoreError> {
        of!(self.leaves(first, count))
    }

    async fn roots(
        &mut self,
        level: u8,
        first: u64,
        count: usize,
    ) -> Result<Vec<Hash>, StoreError> {
        of!(self.roots(level, first, count))
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        of!(self.tile(level, index))
    }
}
