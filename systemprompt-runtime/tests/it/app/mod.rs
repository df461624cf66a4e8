mod checking;
mod custody;
mod exporting;
mod extensions;
mod first_start;
#[cfg(unix)]
mod injecting;
mod policies;
mod reloading;
mod shadows;
mod signals;
mod system_routes;
mod witnessed;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use systemprompt_core::bootstrap::{
    Config, CredentialsBootstrap, ProfileBootstrap, SecretsBootstrap,
};
use systemprompt_core::clock::SystemClock;
use systemprompt_core::config::Environment;
use systemprompt_core::database::Driver;
use systemprompt_core::extension::{ExtensionBuilder, TypedExtensionRegistry};
use systemprompt_runtime::first_start::{first_start, starter_profile};
use systemprompt_runtime::{App, StartError};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::wire::{Reply, ask};

/// A data folder of its own.
pub(crate) struct Installation {
    folder: TempDir,
}

/// An application that serves.
pub(crate) struct Served {
    pub(crate) app: App,
    pub(crate) addr: SocketAddr,
    user_key: String,
    stop: oneshot::Sender<()>,
    done: JoinHandle<std::io::Result<()>>,
}

pub(crate) fn no_extensions() -> TypedExtensionRegistry {
    ExtensionBuilder::new().build().unwrap()
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn profile(&self) -> PathBuf {
        starter_profile(&self.data()).unwrap()
    }

    /// Changes the profile, replacing the file as an editor would.
    pub(crate) fn edit(&self, edit: impl FnOnce(String) -> String) {
        let path = self.profile();
        let before = fs::read_to_string(&path).unwrap();
        let after = edit(before.clone());
        assert_ne!(after, before, "the edit changes something");
        fs::write(&path, after).unwrap();
    }

    pub(crate) fn config(&self) -> Result<Config, StartError> {
        let profile = ProfileBootstrap::load(self.profile(), Environment::empty())?
            .with_data_folder(self.data());
        let secrets = SecretsBootstrap::resolve(profile)?;
        Ok(Config::validate(CredentialsBootstrap::prepare(secrets)?)?)
    }

    pub(crate) async fn start(&self) -> Result<App, StartError> {
        self.start_with(no_extensions()).await
    }

    pub(crate) async fn start_with(
        &self,
        extensions: TypedExtensionRegistry,
    ) -> Result<App, StartError> {
        let config = self.config()?;
        first_start(&config, &extensions, SystemClock::shared()).await?;
        App::builder().extensions(extensions).config(config).start().await
    }

    pub(crate) async fn serve(&self) -> Served {
        self.serve_app(self.start().await.unwrap()).await
    }

    pub(crate) async fn serve_app(&self, app: App) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = app.clone();
        let done = tokio::spawn(async move {
            serving.serve_until(listener, async move { drop(stopped.await) }).await
        });
        Served { app, addr, user_key: key(&self.data(), "user"), stop, done }
    }
}

pub(crate) fn key(data: &Path, user: &str) -> String {
    fs::read_to_string(data.join(format!("{user}.key"))).unwrap()
}

impl Served {
    pub(crate) async fn get(&self, path: &str) -> Reply {
        ask(self.addr, format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await
    }

    /// Asks for a decision as the plain user.
    pub(crate) async fn govern(&self, tool: &str) -> Value {
        govern(self.addr, &self.user_key, tool).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.done.await.unwrap().unwrap();
    }
}

pub(crate) async fn govern(addr: SocketAddr, key: &str, tool: &str) -> Value {
    post(addr, key, "/api/v1/govern", json!({ "tool": tool, "arguments": {} })).await
}

pub(crate) async fn post(addr: SocketAddr, key: &str, path: &str, body: Value) -> Value {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    ask(addr, request).await.json()
}

/// `"allow"`, or the code of the reason.
pub(crate) fn verdict(answer: &Value) -> &str {
    match answer["decision"].as_str() {
        Some("allow") => "allow",
        _ => answer["reason"]["code"].as_str().unwrap_or_else(|| panic!("no decision: {answer}")),
    }
}

/// How many events of a kind the log of `app` holds.
pub(crate) async fn events(app: &App, kind: &str) -> i64 {
    let Driver::Sqlite(database) = app.database().driver() else { panic!("not a file") };
    // Outside the pool, which is closed after a shutdown.
    let mut connection = database.connect().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE kind = ?")
        .bind(kind)
        .fetch_one(&mut connection)
        .await
        .unwrap()
}

/// Waits until `holds`; only when something is broken for long.
pub(crate) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"));
}
