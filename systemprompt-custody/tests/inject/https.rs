//! The same with TLS.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::json;
use systemprompt_custody::inject::{HttpError, HttpSettings, InjectingClient, UpstreamRequest};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use url::Url;

use crate::house::{MemoryStore, TOKEN, injector, server, tenant};

/// A service with a certificate for `localhost`, and the authority that vouches for it. Every request is
/// answered with `answer`, in which `{request}` is what came in.
async fn start(answer: &'static str) -> (SocketAddr, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &issuer).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(connection).await else { continue };
            let mut request = vec![0; 8192];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let answer = answer.replace("{request}", &request);
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, pem)
}

async fn fetch(address: SocketAddr, pem: &str) -> Result<String, HttpError> {
    let host = format!("localhost:{}", address.port());
    let grant = format!("api: key in header `authorization` of host `{host}`");
    let store = MemoryStore::with(&[("key", TOKEN)], &[&grant]);
    let injector = injector(
        &store,
        json!({ "bindings": [{ "server": "api", "secret": "key", "sink": { "header": {
            "host": host, "name": "authorization", "template": "token {}",
        } } }] }),
    );
    let private_hosts = ["localhost".to_owned()].into();
    let settings = HttpSettings { private_hosts, ..HttpSettings::default() };
    let client = if pem.is_empty() {
        InjectingClient::new(&settings)?
    } else {
        InjectingClient::with_authorities(&settings, pem.as_bytes())?
    };
    let injection = injector.for_start(&tenant(), &server("api"));
    let url = Url::parse(&format!("https://{host}/")).unwrap();
    let response = client.send(&injection, UpstreamRequest::new(http::Method::GET, url)).await?;
    Ok(String::from_utf8(response.bytes().await?.to_vec()).unwrap())
}

#[tokio::test]
async fn the_secret_goes_over_a_connection_that_is_vouched_for() {
    let (address, pem) = start("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{request}").await;
    let text = fetch(address, &pem).await.unwrap();
    assert!(text.contains("authorization: token [redacted:secret://key]\r\n"), "{text}");
    let error = fetch(address, "").await.unwrap_err();
    assert_eq!(error, HttpError::Connection("could not be made"));
}

#[tokio::test]
async fn a_redirect_to_a_connection_without_tls_is_refused() {
    let (address, pem) = start(
        "HTTP/1.1 302 Found\r\nlocation: http://localhost:1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    .await;
    let error = fetch(address, &pem).await.unwrap_err();
    assert_eq!(error, HttpError::Downgrade { from: "localhost".to_owned() });
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let error = InjectingClient::with_authorities(
        &HttpSettings::default(),
        b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    );
    assert!(matches!(error, Err(HttpError::Setup(_))), "{error:?}");
}
