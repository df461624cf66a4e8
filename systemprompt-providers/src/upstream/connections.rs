use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
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

/// How many bytes of a stream, and of all streams of a connection, are taken before they are read
/// (HTTP/2). A stream whose reader is slow must not use up what the others of its connection need.
const WINDOWS: (u32, u32) = (256 * 1024, 64 * 1024 * 1024);

/// How many calls share a lane. With HTTP/2 a lane is one connection, and servers let a hundred streams
/// through at a time (RFC 9113 wants no less); what is above that would wait without being told.
const CALLS_OF_A_LANE: usize = 80;

/// The connections of one provider, in lanes that are taken into use one after the other.
pub(super) struct Connections {
    settings: UpstreamSettings,
    reach: Reach,
    first: Slot,
    others: Vec<OnceLock<Option<Slot>>>,
}

#[derive(Clone)]
struct Slot {
    client: reqwest::Client,
    calls: Arc<AtomicUsize>,
}

/// The lane of a call, until it is dropped.
pub(super) struct Lane(Slot);

impl Connections {
    /// # Errors
    /// [`SettingsError`] when the settings make no client.
    pub(super) fn new(settings: &UpstreamSettings, base: &Url) -> Result<Self, SettingsError> {
        let reach = match (base.scheme(), settings.private_addresses) {
            ("http", _) => Reach::Private,
            (_, true) => Reach::Any,
            (_, false) => Reach::Public,
        };
        let blocked =
            |_| SettingsError::new("base_url", "has an address that must not be connected to");
        GuardedResolver::new(reach).check(base).map_err(blocked)?;
        let first = Slot::new(settings, reach)?;
        let lanes = settings.max_concurrent.div_ceil(CALLS_OF_A_LANE).min(64);
        let others = (1..lanes).map(|_| OnceLock::new()).collect();
        Ok(Self { settings: settings.clone(), reach, first, others })
    }

    /// The first lane that has room; where none has, the one with the fewest calls.
    pub(super) fn lane(&self) -> Lane {
        let mut fewest = &self.first;
        if fewest.calls() < CALLS_OF_A_LANE {
            return fewest.enter();
        }
        for slot in &self.others {
            // The settings made a client before; if they do not now, its lane is not there.
            let made = slot.get_or_init(|| Slot::new(&self.settings, self.reach).ok());
            let Some(slot) = made else { continue };
            if slot.calls() < CALLS_OF_A_LANE {
                return slot.enter();
            }
            if slot.calls() < fewest.calls() {
                fewest = slot;
            }
        }
        fewest.enter()
    }
}

impl Slot {
    fn new(settings: &UpstreamSettings, reach: Reach) -> Result<Self, SettingsError> {
        Ok(Self { client: client(settings, reach)?, calls: Arc::new(AtomicUsize::new(0)) })
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn enter(&self) -> Lane {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Lane(self.clone())
    }
}

impl Lane {
    pub(super) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        self.0.client.request(method, url)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

fn proxy_at(url: &str) -> Result<reqwest::Proxy, SettingsError> {
    let no_proxy = || SettingsError::new("proxy", "is no URL of a proxy, `http` or `https`");
    let url = Url::parse(url).map_err(|_| no_proxy())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(no_proxy());
    }
    reqwest::Proxy::all(url).map_err(|_| no_proxy())
}

fn client(settings: &UpstreamSettings, reach: Reach) -> Result<reqwest::Client, SettingsError> {
    let (stream, connection) = WINDOWS;
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
        .http2_initial_stream_window_size(stream)
        .http2_initial_connection_window_size(connection)
        .http2_max_header_list_size(MAX_HEADER_BYTES);
    builder = match &settings.proxy {
        // What is resolved then is the proxy's name, and its address was chosen by who set it.
        Some(proxy) => builder.proxy(proxy_at(proxy.expose())?),
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
    // The texts of the error may hold parts of the settings.
    builder.build().map_err(|_| match (&settings.extra_roots, &settings.client_identity) {
        (Some(_), None) => SettingsError::new("extra_roots", "cannot be used for TLS"),
        (None, Some(_)) => SettingsError::new("client_identity", "cannot be used for TLS"),
        (Some(_), Some(_)) => {
            SettingsError::new("client_identity", "or `extra_roots` cannot be used for TLS")
        }
        (None, None) => SettingsError::new("base_url", "takes TLS, which this machine has not"),
    })
}
