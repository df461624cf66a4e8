//! What stands between client and provider: a plain reverse proxy, and the gateway with everything on.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use systemprompt::runtime::starter_profile;
use systemprompt_benches::process::{Running, serve_installation};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::upstream;

const DATA: &str = "BENCH_DATA";
const UPSTREAM: &str = "BENCH_UPSTREAM";

/// Where requests go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The reverse proxy.
    Proxy,
    /// The gateway, to a provider of the caller's dialect.
    Bytes,
    /// The gateway, to a provider of another dialect.
    Translate,
}

impl Lane {
    pub(crate) const ALL: [Self; 3] = [Self::Proxy, Self::Bytes, Self::Translate];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Bytes => "bytes",
            Self::Translate => "translate",
        }
    }

    /// The beginning of the names of models that go this way.
    pub(crate) const fn family(self) -> &'static str {
        match self {
            Self::Proxy | Self::Bytes => "messages",
            Self::Translate => "chat",
        }
    }
}

/// The provider, and an installation of the gateway that knows it.
pub(crate) struct Site {
    folder: TempDir,
    upstream: Running,
}

impl Site {
    pub(crate) fn prepare() -> Result<Self, Box<dyn Error>> {
        let upstream = Running::start::<&str>("upstream", [])?;
        // Beside the build, which is on a disk; /tmp may be memory.
        let folder = tempfile::tempdir_in(std::env::current_exe()?.parent().ok_or("no folder")?)?;
        let profile = starter_profile(folder.path())?;
        let provider = |wire: &str| {
            format!(
                "models:\n  providers:\n    {wire}:\n      kind: custom\n      wire: {wire}\n      \
                 base_url: http://{}\n      private_addresses: true\n      max_concurrent: 4096\n",
                upstream.addr()
            )
        };
        let (messages, chat) = (provider("anthropic"), provider("chat"));
        let chat = chat.trim_start_matches("models:\n  providers:\n");
        let route = |family: &str, provider: &str| {
            format!(
                "    - match: \"{family}*\"\n      provider: {provider}\n      unpriced: allow\n"
            )
        };
        let routes = route("messages", "anthropic") + &route("chat", "chat");
        let text = fs::read_to_string(&profile)?
            .replace("limit: 300", "limit: 100000000")
            .replace("burst: 300", "burst: 100000000")
            .replace("models:\n  providers:\n", &(messages + chat))
            .replace("  routes:\n", &format!("  routes:\n{routes}"));
        fs::write(&profile, text + "\nlogging:\n  level: warn\n")?;
        Ok(Self { folder, upstream })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn start(&self, lane: Lane) -> Result<Running, Box<dyn Error>> {
        let kind = if lane == Lane::Proxy { "proxy" } else { "gateway" };
        let upstream = self.upstream.addr().to_string();
        let data = self.folder.path().display().to_string();
        Running::start(kind, [(DATA, data), (UPSTREAM, upstream)])
    }

    /// A request with this body, as clients of Anthropic send it.
    pub(crate) fn request(&self, server: &Running, body: &str) -> Vec<u8> {
        // The proxy is started before the gateway has made a key; it asks for none.
        let key = fs::read_to_string(self.folder.path().join("user.key")).unwrap_or_default();
        format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {}\r\nx-api-key: {}\r\nanthropic-version: 2023-06-01\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            server.addr(),
            key.trim(),
            body.len()
        )
        .into_bytes()
    }
}

/// Runs one of the servers in this process.
pub(crate) fn serve(kind: &str) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        match kind {
            "upstream" => {
                println!("{addr}");
                upstream::serve(listener).await
            }
            "proxy" => {
                let to = std::env::var(UPSTREAM)?;
                println!("{addr}");
                proxy(listener, to).await
            }
            _ => gateway(listener).await,
        }
    })
}

#[derive(Clone)]
struct Proxy {
    client: reqwest::Client,
    to: String,
}

/// The least that a proxy does with the same libraries: reads the request, sends it on, passes the
/// answer on as it comes.
async fn proxy(listener: TcpListener, to: String) -> Result<(), Box<dyn Error>> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(4096)
        .tcp_nodelay(true)
        .build()?;
    let router = Router::new()
        .fallback(forward)
        .layer(axum::extract::DefaultBodyLimit::disable())
        .with_state(Proxy { client, to });
    Ok(axum::serve(listener, router).await?)
}

async fn forward(State(proxy): State<Proxy>, uri: Uri, body: Bytes) -> Response {
    let sent = proxy.client.post(format!("http://{}{uri}", proxy.to)).body(body).send().await;
    let Ok(answer) = sent else { return StatusCode::BAD_GATEWAY.into_response() };
    let (parts, body) = axum::http::Response::from(answer).into_parts();
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = parts.status;
    for name in [CONTENT_TYPE, CONTENT_LENGTH] {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

async fn gateway(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    let data = PathBuf::from(std::env::var_os(DATA).ok_or("no folder")?);
    serve_installation(listener, &data).await
}
