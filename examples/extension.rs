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
use systemprompt::database::DbPool;
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
        const TABLE: &str =
            "CREATE TABLE guestbook_entries (id INTEGER PRIMARY KEY, entry TEXT NOT NULL)";
        vec![SchemaDefinition::new("guestbook_entries", TABLE)]
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
    let entries =
        sqlx::query_scalar("SELECT entry FROM guestbook_entries ORDER BY id DESC LIMIT 100")
            .fetch_all(database.sqlite())
            .await;
    entries.map(Json).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}

async fn add(State((database, settings)): Shared, entry: String) -> StatusCode {
    if entry.chars().count() > settings.longest {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    let added = sqlx::query("INSERT INTO guestbook_entries (entry) VALUES (?)")
        .bind(entry)
        .execute(database.sqlite())
        .await;
    if added.is_ok() { StatusCode::CREATED } else { StatusCode::SERVICE_UNAVAILABLE }
}

fn main() -> ExitCode {
    // `require` makes sure that the extension was linked in and is not turned off.
    systemprompt::cli::run(App::builder().require(["guestbook"]))
}
