//! An extension with a table, a route and settings, in a binary of your own that has the whole command
//! line.
//!
//! ```console
//! $ cargo run --example gateway   # once, for a profile and keys; then end it with Ctrl-C
//! $ cargo run --example extension -- plugins list
//! $ cargo run --example extension -- serve
//! $ curl -s http://127.0.0.1:8080/guestbook/entries -d 'Ada was here'
//! $ curl -s http://127.0.0.1:8080/guestbook/entries
//! ```

use std::process::ExitCode;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use systemprompt::database::{DatabaseError, DbPool, Driver};
use systemprompt::extension::prelude::*;
use systemprompt::runtime::App;

/// What the profile may say under `extensions.config.guestbook`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default)]
struct Settings {
    /// Longest entry, in characters.
    longest: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { longest: 140 }
    }
}

struct Guestbook;

impl Extension for Guestbook {
    fn metadata(&self) -> ExtensionMetadata {
        ExtensionMetadata::new("guestbook", env!("CARGO_PKG_VERSION"))
    }

    fn schemas(&self) -> Vec<SchemaDefinition> {
        const SQLITE: &str =
            "CREATE TABLE guestbook_entries (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)";
        const POSTGRES: &str = "CREATE TABLE guestbook_entries \
                                (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry TEXT NOT NULL)";
        let table = SchemaDefinition::per_backend("guestbook_entries");
        vec![table.sqlite(SQLITE).postgres(POSTGRES)]
    }
}

impl ConfigExtensionTyped for Guestbook {
    type Config = Settings;

    fn validate(&self, settings: &Settings) -> Result<(), String> {
        if settings.longest == 0 { Err("`longest` is at least 1".to_owned()) } else { Ok(()) }
    }
}

impl ApiExtensionTyped for Guestbook {
    const BASE_PATH: &'static str = "/guestbook";

    fn build_router(
        &self,
        context: &ExtensionContext,
    ) -> Result<ExtensionRouter, ExtensionFailure> {
        let database = context.get::<DbPool>()?.clone();
        let settings = context.config::<Self>()?.clone();
        let router =
            Router::new().route("/entries", get(list).post(add)).with_state((database, settings));
        Ok(router.into())
    }
}

register_extension!(Guestbook);

type Shared = State<(DbPool, Settings)>;

async fn list(State((database, _)): Shared) -> Result<Json<Vec<String>>, StatusCode> {
    entries(&database).await.map(Json).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn add(State((database, settings)): Shared, entry: String) -> StatusCode {
    if entry.chars().count() > settings.longest {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    match insert(&database, entry).await {
        Ok(()) => StatusCode::CREATED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

// An extension that is at home on one backend asks for its pool: `database.postgres()`. One for both
// has the few queries that differ twice.

async fn entries(database: &DbPool) -> Result<Vec<String>, DatabaseError> {
    const NEWEST: &str = "SELECT entry FROM guestbook_entries ORDER BY id DESC LIMIT 100";
    Ok(match database.driver() {
        Driver::Sqlite(database) => sqlx::query_scalar(NEWEST).fetch_all(database.pool()).await?,
        Driver::Postgres(database) => sqlx::query_scalar(NEWEST).fetch_all(database.pool()).await?,
        other => return Err(other.unsupported()),
    })
}

async fn insert(database: &DbPool, entry: String) -> Result<(), DatabaseError> {
    match database.driver() {
        Driver::Sqlite(database) => {
            let sql = "INSERT INTO guestbook_entries (entry) VALUES (?)";
            sqlx::query(sql).bind(entry).execute(database.pool()).await?;
        }
        Driver::Postgres(database) => {
            let sql = "INSERT INTO guestbook_entries (entry) VALUES ($1)";
            sqlx::query(sql).bind(entry).execute(database.pool()).await?;
        }
        other => return Err(other.unsupported()),
    }
    Ok(())
}

fn main() -> ExitCode {
    // `require` makes sure that the extension was linked in and is not turned off.
    systemprompt::cli::run(App::builder().require(["guestbook"]))
}
