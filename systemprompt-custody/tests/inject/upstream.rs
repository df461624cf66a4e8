//! An HTTP service that writes down what it gets, and repeats it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::net::TcpListener;

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) method: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Received>>>);

impl Log {
    pub(crate) fn all(&self) -> Vec<Received> {
        self.0.lock().clone()
    }
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    pub(crate) log: Log,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, log) = router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, log }
    }

    /// Host and port as a binding names them.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

pub(crate) fn router() -> (Router, Log) {
    let log = Log::default();
    let router = Router::new()
        .route("/echo", any(echo))
        .route("/slow", any(slow))
        .route("/refuse", any(refuse))
        .route("/to", any(redirect))
        .route("/loop", any(|| async { (StatusCode::FOUND, [(header::LOCATION, "/loop")]) }))
        .route("/big", any(|| async { vec![b'x'; 5 * 1024 * 1024] }))
        .route("/zip", any(|| async { ([(header::CONTENT_ENCODING, "gzip")], "\u{1f}") }))
        .layer(axum::middleware::from_fn_with_state(log.clone(), record))
        .with_state(log.clone());
    (router, log)
}

async fn record(
    State(log): State<Log>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    log.0.lock().push(Received {
        path: parts.uri.to_string(),
        method: parts.method.to_string(),
        headers: parts.headers.clone(),
        body: body.clone(),
    });
    next.run(Request::from_parts(parts, Body::from(body))).await
}

fn authorization(headers: &HeaderMap) -> String {
    headers.get(header::AUTHORIZATION).map_or("none", |value| value.to_str().unwrap()).to_owned()
}

/// Repeats the credential in the body, three times, and in headers.
async fn echo(headers: HeaderMap, body: Bytes) -> Response {
    use base64::Engine as _;

    let credential = authorization(&headers);
    let encoded = base64::engine::general_purpose::STANDARD.encode(&credential);
    let text = format!(
        "authorization={credential} base64={encoded} hex={} body={}",
        hex::encode(&credential),
        String::from_utf8_lossy(&body)
    );
    let mut response = text.into_response();
    let value = HeaderValue::from_str(&format!("for {credential}")).unwrap();
    response.headers_mut().insert("x-request-id", value.clone());
    response.headers_mut().insert("x-credential", value.clone());
    response.headers_mut().insert(header::SET_COOKIE, value);
    response
}

/// Repeats the credential in two pieces.
async fn slow(headers: HeaderMap) -> Body {
    let credential = authorization(&headers);
    let (first, second) = credential.split_at(credential.len() / 2);
    let pieces = [format!("<{first}"), format!("{second}>")];
    let pieces = futures_util::stream::unfold(pieces.into_iter(), |mut pieces| async {
        let piece = pieces.next()?;
        tokio::time::sleep(Duration::from_millis(60)).await;
        Some((Ok::<_, Infallible>(piece), pieces))
    });
    Body::from_stream(pieces)
}

async fn refuse(headers: HeaderMap) -> (StatusCode, String) {
    (StatusCode::UNAUTHORIZED, format!("bad credential {}", authorization(&headers)))
}

#[derive(Deserialize)]
struct Target {
    url: String,
    #[serde(default = "found")]
    status: u16,
}

fn found() -> u16 {
    302
}

/// Redirects; `{credential}` in the target becomes the one that was sent.
async fn redirect(Query(to): Query<Target>, headers: HeaderMap) -> Response {
    let credential = authorization(&headers).replace("Bearer ", "");
    let url = to.url.replace("{credential}", &credential);
    let status = StatusCode::from_u16(to.status).unwrap();
    (status, [(header::LOCATION, url)]).into_response()
}
