//! The two servers.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use systemprompt::runtime::starter_profile;
use systemprompt_benches::process::{Running, serve_installation};
use tempfile::TempDir;
use tokio::net::TcpListener;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Governed,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Governed => "governed",
        }
    }
}

/// The installation of the governed server: the starter policy with a limit nobody reaches.
pub(crate) struct Governed {
    folder: TempDir,
}

impl Governed {
    pub(crate) fn prepare() -> Result<Self, Box<dyn Error>> {
        // Beside the build, which is on a disk; /tmp may be memory.
        let folder = tempfile::tempdir_in(std::env::current_exe()?.parent().ok_or("no folder")?)?;
        let profile = starter_profile(folder.path())?;
        let text = fs::read_to_string(&profile)?;
        let text = text
            .replace("limit: 300", "limit: 100000000")
            .replace("burst: 300", "burst: 100000000");
        fs::write(&profile, text + "\nlogging:\n  level: warn\n")?;
        Ok(Self { folder })
    }

    /// Where it is.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The request for `kind` and what its answer must hold.
    pub(crate) fn request(
        &self,
        kind: Kind,
        server: &Running,
    ) -> Result<(Vec<u8>, &'static [u8]), Box<dyn Error>> {
        let text = "The quick brown fox jumps over the lazy dog near the river bank. ".repeat(14);
        let body = serde_json::json!({
            "tool": "Write", "session_id": "bench", "agent_id": "associate_agent",
            "arguments": { "file_path": "/tmp/notes.txt", "content": text },
        })
        .to_string();
        let (path, key, expect): (_, _, &[u8]) = match kind {
            Kind::Bare => ("/echo", String::new(), b"river"),
            Kind::Governed => {
                let key = fs::read_to_string(self.folder.path().join("user.key"))?;
                ("/api/v1/govern", key.trim().to_owned(), b"\"allow\"")
            }
        };
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.addr(),
            body.len()
        );
        Ok((request.into_bytes(), expect))
    }
}

/// A server of this kind in a process of its own.
pub(crate) fn start(kind: Kind, governed: &Governed) -> Result<Running, Box<dyn Error>> {
    Running::start(kind.name(), [("BENCH_DATA", governed.folder())])
}

/// Runs one of the servers in this process.
pub(crate) fn serve(kind: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        if kind == "bare" {
            println!("{addr}");
            let router = Router::new().route("/echo", post(|body: Bytes| async move { body }));
            return Ok(axum::serve(listener, router).await?);
        }
        let data = PathBuf::from(std::env::var_os("BENCH_DATA").ok_or("no BENCH_DATA")?);
        serve_installation(listener, &data).await
    })
}
