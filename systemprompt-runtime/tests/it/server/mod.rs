mod deadlines;
mod heads;
mod leftovers;
mod names;
mod shutdown;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::routing::{get, post};
use systemprompt_core::config::ServerSection;
use systemprompt_runtime::server::Server;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running server; it is told to stop when this is dropped.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) done: JoinHandle<std::io::Result<()>>,
}

pub(crate) async fn start(section: ServerSection, router: Router) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(router, &section, ["/echo".to_owned()]);
    let done =
        tokio::spawn(
            async move { server.serve(listener, async move { drop(stopped.await) }).await },
        );
    Running { addr, stop, done }
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/unread", post(|| async { StatusCode::UNAUTHORIZED }))
        .route("/panic", get(panics))
}

pub(crate) async fn default_server() -> Running {
    start(ServerSection::default(), router()).await
}

async fn panics() -> &'static str {
    panic!("on purpose")
}
