//! TLS and HTTP/2, against a server of hyper.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response, Version};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use systemprompt_core::secret::Secret;
use systemprompt_providers::upstream::{
    UpstreamCall, UpstreamClient, UpstreamErrorKind, UpstreamSettings,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::PATIENCE;

/// An authority that vouches for servers and clients.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let (pem, der) = (certificate.pem(), certificate.der().clone());
        Self { issuer: Issuer::new(params, key), pem, der }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    /// Streams of answers that are being written.
    streams: Arc<AtomicUsize>,
}

/// Counts a stream as long as it is there.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, std::io::Error>;

fn pieces(
    pieces: Vec<Result<&'static str, std::io::ErrorKind>>,
    hangs: bool,
    counted: Counted,
) -> Body {
    let frames = pieces.into_iter().map(|piece| match piece {
        Ok(piece) => Ok(Frame::data(Bytes::from_static(piece.as_bytes()))),
        Err(kind) => Err(kind.into()),
    });
    let all = stream::unfold((frames, counted), move |(mut frames, counted)| async move {
        match frames.next() {
            Some(frame) => {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Some((frame, (frames, counted)))
            }
            None if hangs => std::future::pending().await,
            None => None,
        }
    });
    http_body_util::BodyExt::boxed_unsync(StreamBody::new(all))
}

/// A piece of 64 KiB.
fn flood() -> &'static str {
    static FLOOD: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| "x".repeat(65_536));
    &FLOOD
}

/// Answers with the HTTP version by which it was asked, and then as the path says.
async fn answer(
    request: Request<Incoming>,
    streams: Arc<AtomicUsize>,
) -> Result<Response<Body>, Infallible> {
    streams.fetch_add(1, Ordering::SeqCst);
    let counted = Counted(streams);
    let version = if request.version() == Version::HTTP_2 { "2" } else { "1" };
    let body = match request.uri().path() {
        "/hang" => pieces(vec![Ok(version)], true, counted),
        "/flood" => pieces(vec![Ok(flood()); 64], true, counted),
        "/cut" => pieces(vec![Ok(version), Err(std::io::ErrorKind::Other)], false, counted),
        _ => pieces(vec![Ok(version)], false, counted),
    };
    Ok(Response::new(body))
}

/// A server for `name`, which speaks the protocols of `alpn`, and asks clients for certificates of
/// `clients`.
async fn start(
    authority: &Authority,
    name: &str,
    alpn: &[&str],
    clients: Option<&Authority>,
) -> Server {
    let (certificate, key) = authority.issue(name);
    let builder = ServerConfig::builder();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let mut config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (connections, streams) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = Server { url, connections: connections.clone(), streams: streams.clone() };
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, streams) = (acceptor.clone(), streams.clone());
            connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(socket).await else { return };
                let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
                let service = service_fn(move |request| answer(request, streams.clone()));
                let io = TokioIo::new(tls);
                if http2 {
                    let mut builder =
                        hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    builder.max_concurrent_streams(100);
                    let _ended = builder.serve_connection(io, service).await;
                } else {
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ended = builder.serve_connection(io, service).await;
                }
            });
        }
    });
    server
}

fn client(
    server: &Server,
    roots: Option<&Authority>,
    change: impl FnOnce(&mut UpstreamSettings),
) -> UpstreamClient {
    let mut settings = UpstreamSettings {
        base_url: server.url.clone(),
        private_addresses: true,
        extra_roots: roots.map(|roots| roots.pem.clone()),
        ..UpstreamSettings::default()
    };
    settings.retries.attempts = 1;
    change(&mut settings);
    UpstreamClient::new("acme", settings).unwrap()
}

async fn text(client: &UpstreamClient, path: &str) -> Result<String, UpstreamErrorKind> {
    let all = async {
        let answer = client.send(UpstreamCall::post(path, "{}")).await?;
        answer.collect(100).await
    };
    let body = tokio::time::timeout(PATIENCE, all).await.expect("it hangs");
    body.map(|body| String::from_utf8(body.to_vec()).unwrap()).map_err(|error| error.kind)
}

#[tokio::test]
async fn http_2_is_agreed_on_and_shared() {
    let authority = Authority::new();
    let server = start(&authority, "localhost", &["h2", "http/1.1"], None).await;
    let client = client(&server, Some(&authority), |_| {});
    assert_eq!(text(&client, "/").await.as_deref(), Ok("2"));
    let all = futures_util::future::join_all((0..20).map(|_| text(&client, "/"))).await;
    assert!(all.iter().all(|text| text.as_deref() == Ok("2")), "{all:?}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn more_streams_than_a_connection_takes_go_over_another() {
    let authority = Authority::new();
    let server = start(&authority, "localhost", &["h2"], None).await;
    let client = client(&server, Some(&authority), |settings| {
        settings.first_byte_timeout = PATIENCE;
    });
    let send = || client.send(UpstreamCall::post("/hang", "{}"));
    // The first one finds out that there is HTTP/2, so that the others share its connection.
    let first = send().await.unwrap();
    let mut all = futures_util::future::join_all((0..79).map(|_| send())).await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
    all.push(send().await);
    all.extend(futures_util::future::join_all((0..69).map(|_| send())).await);
    let answers: Vec<_> = all.into_iter().map(|answer| answer.unwrap()).collect();
    assert_eq!(answers.len(), 149);
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    drop((first, answers));
    assert_eq!(text(&client, "/").await.as_deref(), Ok("2"));
    assert_eq!(client.health().in_flight, 0);
}

#[tokio::test]
async fn slow_readers_do_not_hold_up_others() {
    let authority = Authority::new();
    let server = start(&authority, "localhost", &["h2"], None).await;
    let client = client(&server, Some(&authority), |_| {});
    let mut stalled = Vec::new();
    for _ in 0..40 {
        stalled.push(client.send(UpstreamCall::post("/flood", "{}")).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(text(&client, "/").await.as_deref(), Ok("2"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn servers_without_http_2_are_spoken_to() {
    let authority = Authority::new();
    for alpn in [&["http/1.1"][..], &[]] {
        let server = start(&authority, "localhost", alpn, None).await;
        let client = client(&server, Some(&authority), |_| {});
        assert_eq!(text(&client, "/").await.as_deref(), Ok("1"));
    }
}

#[tokio::test]
async fn a_dropped_answer_ends_its_stream_and_leaves_the_connection() {
    let authority = Authority::new();
    let server = start(&authority, "localhost", &["h2"], None).await;
    let client = client(&server, Some(&authority), |_| {});
    let mut answer = client.send(UpstreamCall::post("/hang", "{}")).await.unwrap();
    assert_eq!(answer.body.next_piece().await.unwrap().unwrap(), "2");
    assert_eq!(server.streams.load(Ordering::SeqCst), 1);
    drop(answer);
    let gone = async {
        while server.streams.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("the provider goes on");
    assert_eq!(text(&client, "/").await.as_deref(), Ok("2"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_stream_that_is_reset_is_cut_off() {
    let authority = Authority::new();
    let server = start(&authority, "localhost", &["h2"], None).await;
    let client = client(&server, Some(&authority), |_| {});
    assert_eq!(text(&client, "/cut").await, Err(UpstreamErrorKind::CutOff));
    assert_eq!(client.health().last_error.as_deref(), Some("upstream_cut_off"));
    assert_eq!(text(&client, "/").await.as_deref(), Ok("2"));
}

#[tokio::test]
async fn who_is_not_vouched_for_gets_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = start(&authority, "localhost", &["h2"], None).await;
    for roots in [None, Some(&other)] {
        let client = client(&server, roots, |_| {});
        assert_eq!(text(&client, "/").await, Err(UpstreamErrorKind::Tls));
    }
    let server = start(&authority, "elsewhere.example", &["h2"], None).await;
    let client = client(&server, Some(&authority), |_| {});
    assert_eq!(text(&client, "/").await, Err(UpstreamErrorKind::Tls));
    assert_eq!(server.streams.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn clients_show_their_certificate() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = start(&authority, "localhost", &["h2", "http/1.1"], Some(&clients)).await;
    let (certificate, key) = clients.issue("gateway");
    let pem = format!("{}{}", certificate.pem(), key.serialize_pem());
    let known = client(&server, Some(&authority), |settings| {
        settings.client_identity = Some(Arc::new(Secret::new(pem)));
    });
    assert_eq!(text(&known, "/").await.as_deref(), Ok("2"));
    for alpn in ["h2", "http/1.1"] {
        let server = start(&authority, "localhost", &[alpn], Some(&clients)).await;
        let unknown = client(&server, Some(&authority), |_| {});
        assert_eq!(text(&unknown, "/").await, Err(UpstreamErrorKind::Tls), "{alpn}");
    }
}

#[test]
fn what_is_no_pem_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in ["", "no pem", broken, no_certificate] {
        let base = UpstreamSettings {
            base_url: "https://provider.example".to_owned(),
            ..UpstreamSettings::default()
        };
        let roots = UpstreamSettings { extra_roots: Some(text.to_owned()), ..base.clone() };
        assert_eq!(UpstreamClient::new("acme", roots).unwrap_err().setting, "extra_roots");
        let identity = Some(Arc::new(Secret::new(text.to_owned())));
        let identity = UpstreamSettings { client_identity: identity, ..base.clone() };
        assert_eq!(UpstreamClient::new("acme", identity).unwrap_err().setting, "client_identity");
        for url in ["://", "", "socks5://127.0.0.1:1", "ftp://proxy"] {
            let proxy = Some(Arc::new(Secret::new(url.to_owned())));
            let proxy = UpstreamSettings { proxy, ..base.clone() };
            assert_eq!(UpstreamClient::new("acme", proxy).unwrap_err().setting, "proxy", "{url}");
        }
    }
}
