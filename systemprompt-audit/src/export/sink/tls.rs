//! Connections to receivers behind TLS.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Connects to `address`, `host:port`, whose certificate has to name the host. It is trusted when one of
/// the authorities in the PEM file `ca` has issued it, or without the file one that the machine trusts.
///
/// The file is read for each connection, so that it may be replaced while the server runs.
pub(super) async fn connect(address: &str, ca: Option<&Path>) -> io::Result<TlsStream<TcpStream>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let name = ServerName::try_from(host)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let connector = TlsConnector::from(Arc::new(config(ca)?));
    connector.connect(name, TcpStream::connect(address).await?).await
}

fn config(ca: Option<&Path>) -> io::Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let trusting = match ca {
        Some(path) => builder.with_root_certificates(authorities(path)?),
        None => builder.with_platform_verifier().map_err(io::Error::other)?,
    };
    Ok(trusting.with_no_client_auth())
}

fn authorities(path: &Path) -> io::Result<RootCertStore> {
    let unusable = |why: String| {
        io::Error::new(io::ErrorKind::InvalidData, format!("`{}`: {why}", path.display()))
    };
    let mut store = RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?
    {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        store.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if store.is_empty() {
        return Err(unusable("no certificate is in it".to_owned()));
    }
    Ok(store)
}
