//! PostgreSQL for tests: a database of its own for each.
//!
//! The server is the one that `DATABASE_URL` names, when that is a `postgres://` URL of a role that may
//! create databases. Otherwise it is a cluster that is made when the first test of a process asks for
//! it, listens on a socket in a folder of its own, and ends with the process, however that ends. The
//! programs are looked for in `SYSTEMPROMPT_PG_BIN`, in `PATH` and in `/usr/lib/postgresql/*/bin`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]
#![cfg(unix)]

mod cluster;
mod database;
mod programs;
mod proxy;

pub use cluster::{Cluster, Durability};
pub use database::TestDatabase;
pub use proxy::Proxy;

/// The variable that names a server for tests.
const SERVER: &str = "DATABASE_URL";

/// A new, empty database on the server of this process.
pub async fn database() -> TestDatabase {
    match std::env::var(SERVER) {
        Ok(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            TestDatabase::on_server(&url).await
        }
        _ => cluster::shared().database().await,
    }
}
