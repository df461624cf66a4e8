use std::time::Duration;

use reqwest::redirect::Policy;
use url::Url;

use super::address::Reach;
use super::resolver::GuardedResolver;
use super::{SettingsError, UpstreamSettings};

/// How long a connection is kept open that nothing is sent over: less than servers do, so that they do
/// not close it while it is used again.
const KEPT_OPEN: Duration = Duration::from_secs(50);

/// How often a connection is asked whether it is still there (HTTP/2 pings, TCP keep-alive).
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Most bytes of the headers of an answer (HTTP/2; with HTTP/1 there may be a hundred).
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// The connections of one provider.
pub(super) fn connections(
    settings: &UpstreamSettings,
    base: &Url,
) -> Result<reqwest::Client, SettingsError> {
    let reach = match (base.scheme(), settings.private_addresses) {
        ("http", _) => Reach::Private,
        (_, true) => Reach::Any,
        (_, false) => Reach::Public,
    };
    let blocked =
        |_| SettingsError::new("base_url", "has an address that must not be connected to");
    GuardedResolver::new(reach).check(base).map_err(blocked)?;
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("systemprompt/", env!("CARGO_PKG_VERSION")))
        // A redirect would take the credential somewhere else, and a proxy of the environment too.
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(KEPT_OPEN)
        .pool_max_idle_per_host(settings.max_concurrent)
        .tcp_nodelay(true)
        .tcp_keepalive(KEEP_ALIVE)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE)
        .http2_adaptive_window(true)
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    builder = match &settings.proxy {
        // What is resolved then is the proxy's name, and its address was chosen by who set it.
        Some(proxy) => {
            let no_proxy = |_| SettingsError::new("proxy", "is no URL of a proxy");
            builder.proxy(reqwest::Proxy::all(proxy.expose().as_str()).map_err(no_proxy)?)
        }
        None => builder.dns_resolver(GuardedResolver::new(reach)),
    };
    if let Some(pem) = &settings.extra_roots {
        let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes());
        let roots = roots.ok().filter(|roots| !roots.is_empty());
        let none = || SettingsError::new("extra_roots", "holds no certificates in PEM");
        builder = builder.tls_certs_merge(roots.ok_or_else(none)?);
    }
    if let Some(pem) = &settings.client_identity {
        let none = |_| SettingsError::new("client_identity", "holds no certificate and key in PEM");
        let identity = reqwest::Identity::from_pem(pem.expose().as_bytes()).map_err(none)?;
        builder = builder.identity(identity);
    }
    // The texts of this error may hold parts of the settings.
    builder.build().map_err(|_| SettingsError::new("client_identity", "cannot be used for TLS"))
}
