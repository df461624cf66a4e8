use std::collections::BTreeSet;
use std::error::Error as _;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use systemprompt_core::id::SecretName;
use systemprompt_core::injection::{CrossHost, HttpSettings};
use url::Url;

use super::request::Body;
use super::resolver::{CheckedResolver, Unconnectable};
use super::{HttpError, UpstreamRequest, UpstreamResponse};
use crate::inject::{Injection, sink_rule};

/// Most redirects that are followed.
const MAX_REDIRECTS: usize = 5;

/// Most headers of an answer.
const MAX_HEADERS: usize = 100;

/// Most bytes of all headers of an answer.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Sends requests with the secrets that are bound to their hosts. Cloning is a reference count.
///
/// It follows redirects itself, looks at every address before it connects, passes on what is declared
/// and nothing else, and takes the secrets out of what comes back. Proxies of the environment are not
/// used.
#[derive(Debug, Clone)]
pub struct InjectingClient {
    client: reqwest::Client,
    resolver: CheckedResolver,
    forwarded: Vec<HeaderName>,
    returned: Vec<HeaderName>,
    cross_host: CrossHost,
    max_body: usize,
    timeout: Duration,
}

/// One request of a chain of redirects.
struct Hop {
    method: Method,
    url: Url,
    body: Body,
    headers: HeaderMap,
    /// The secrets that the first request was sent with; no later one is sent with others.
    carried: Vec<SecretName>,
}

impl InjectingClient {
    /// A client that trusts the authorities this machine trusts.
    ///
    /// # Errors
    /// [`HttpError`] when a setting cannot be meant or TLS cannot be set up.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpError> {
        Self::build(settings, Vec::new())
    }

    /// Whether a client can be made of the settings, apart from TLS.
    ///
    /// # Errors
    /// [`HttpError::Setting`] when one of them cannot be meant.
    pub fn check(settings: &HttpSettings) -> Result<(), HttpError> {
        CheckedResolver::new(&settings.private_hosts)?;
        names("forward_headers", &settings.forward_headers)?;
        names("return_headers", &settings.return_headers).map(drop)
    }

    /// A client that also trusts the authorities of a PEM file.
    ///
    /// # Errors
    /// As [`new`](Self::new), and when the file holds no certificates.
    pub fn with_authorities(settings: &HttpSettings, pem: &[u8]) -> Result<Self, HttpError> {
        let authorities = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|_| HttpError::Setup("the file holds no certificates".to_owned()))?;
        Self::build(settings, authorities)
    }

    fn build(
        settings: &HttpSettings,
        authorities: Vec<reqwest::Certificate>,
    ) -> Result<Self, HttpError> {
        let resolver = CheckedResolver::new(&settings.private_hosts)?;
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            .dns_resolver(resolver.clone())
            .connect_timeout(Duration::from_millis(settings.connect_timeout_ms))
            .user_agent(concat!("systemprompt/", env!("CARGO_PKG_VERSION")))
            .tls_certs_merge(authorities)
            .build()
            .map_err(|error| HttpError::Setup(error.without_url().to_string()))?;
        Ok(Self {
            client,
            resolver,
            forwarded: names("forward_headers", &settings.forward_headers)?,
            returned: names("return_headers", &settings.return_headers)?,
            cross_host: settings.cross_host,
            max_body: settings.max_body_bytes,
            timeout: Duration::from_millis(settings.timeout_ms),
        })
    }

    /// Sends a request with the headers that are declared for the server of `injection` and the host.
    ///
    /// # Errors
    /// [`HttpError`] when the host must not be connected to, a secret is refused, a redirect leaves what
    /// the secret is bound to, or the answer is late, too large or cannot be searched.
    pub async fn send(
        &self,
        injection: &Injection,
        request: UpstreamRequest,
    ) -> Result<UpstreamResponse, HttpError> {
        tokio::time::timeout(self.timeout, self.follow(injection, request))
            .await
            .map_err(|_| HttpError::Timeout)?
    }

    async fn follow(
        &self,
        injection: &Injection,
        request: UpstreamRequest,
    ) -> Result<UpstreamResponse, HttpError> {
        self.resolver.check(&request.url)?;
        let carried = injection.header_secrets(&request.url);
        let headers = self.passed_on(&request.headers);
        let UpstreamRequest { method, url, body, .. } = request;
        let mut hop = Hop { method, url, body, headers, carried };
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send_once(injection, &hop).await?;
            let Some(status) = redirect(&response) else {
                let filter = injection.filter();
                return UpstreamResponse::new(response, &filter, &self.returned, self.max_body);
            };
            hop = self.next(injection, hop, status, &response)?;
        }
        Err(HttpError::TooManyRedirects { max: MAX_REDIRECTS })
    }

    async fn send_once(
        &self,
        injection: &Injection,
        hop: &Hop,
    ) -> Result<reqwest::Response, HttpError> {
        let mut headers = hop.headers.clone();
        for declared in injection.headers(&hop.url, Some(&hop.carried)).await? {
            headers.insert(declared.name, declared.value);
        }
        let mut request = self.client.request(hop.method.clone(), hop.url.clone()).headers(headers);
        if let Some(body) = hop.body.bytes() {
            request = request.body(body);
        }
        let response =
            request.timeout(self.timeout).send().await.map_err(|error| describe(&error))?;
        let sizes =
            response.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
        if sizes.sum::<usize>() > MAX_HEADER_BYTES {
            return Err(HttpError::TooLarge { max: MAX_HEADER_BYTES });
        }
        Ok(response)
    }

    /// The request that a redirect asks for (RFC 9110, section 15.4), if it may be sent.
    fn next(
        &self,
        injection: &Injection,
        hop: Hop,
        status: StatusCode,
        response: &reqwest::Response,
    ) -> Result<Hop, HttpError> {
        // What the upstream wrote is not repeated in an error: it may have written the secret.
        let from = hop.url.host_str().unwrap_or_default().to_owned();
        let refused = || HttpError::RedirectRefused { from: from.clone() };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let mut url = location.and_then(|to| hop.url.join(to).ok()).ok_or_else(refused)?;
        url.set_fragment(None);
        if hop.url.scheme() == "https" && url.scheme() == "http" {
            return Err(HttpError::Downgrade { from });
        }
        self.resolver.check(&url).map_err(|_| refused())?;
        let mut hop = Hop { url, ..hop };
        let becomes_get = match status {
            StatusCode::SEE_OTHER => hop.method != Method::HEAD,
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => hop.method == Method::POST,
            _ => false,
        };
        let other = origin(response.url()) != origin(&hop.url);
        if becomes_get {
            hop.method = Method::GET;
            hop.body = Body::None;
            hop.headers.remove(CONTENT_TYPE);
            hop.headers.remove(CONTENT_LENGTH);
        }
        if other {
            let bound = injection.header_secrets(&hop.url);
            let all_bound = hop.carried.iter().all(|secret| bound.contains(secret));
            let stays = all_bound || self.cross_host == CrossHost::WithoutSecret;
            if !stays || hop.body.holds_secrets() {
                return Err(HttpError::RedirectLeavesBinding { from });
            }
            // What was left behind once does not come back with the next redirect.
            hop.carried.retain(|secret| bound.contains(secret));
        }
        Ok(hop)
    }

    /// Of the caller's headers, those that are passed on.
    fn passed_on(&self, headers: &HeaderMap) -> HeaderMap {
        let names = self.forwarded.iter();
        let kept = names.flat_map(|name| {
            headers.get_all(name).iter().map(move |value| (name.clone(), value.clone()))
        });
        kept.collect()
    }
}

fn origin(url: &Url) -> (&str, Option<&str>, Option<u16>) {
    (url.scheme(), url.host_str(), url.port_or_known_default())
}

fn redirect(response: &reqwest::Response) -> Option<StatusCode> {
    let status = response.status();
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308).then_some(status)
}

/// Reads the names of headers that pass in either direction.
fn names(setting: &'static str, names: &BTreeSet<String>) -> Result<Vec<HeaderName>, HttpError> {
    let read = |name: &String| {
        let refused = |why| HttpError::Setting { setting, name: name.clone(), why };
        let parsed = HeaderName::from_bytes(name.as_bytes());
        let parsed = parsed.map_err(|_| refused("is no name of a header"))?;
        let cookie = parsed.as_str() == "set-cookie";
        match sink_rule::forwarded_header(&parsed) {
            Some(why) => Err(refused(why)),
            None if cookie => Err(refused("is a credential of the upstream's")),
            None => Ok(parsed),
        }
    };
    names.iter().map(read).collect()
}

/// What went wrong, without the address and the texts of others.
pub(super) fn describe(error: &reqwest::Error) -> HttpError {
    let mut source = error.source();
    while let Some(cause) = source {
        match cause.downcast_ref::<Unconnectable>() {
            Some(Unconnectable::Private) => return HttpError::PrivateAddress,
            Some(Unconnectable::Unresolved) => return HttpError::Unresolved,
            None => source = cause.source(),
        }
    }
    if error.is_timeout() {
        HttpError::Timeout
    } else if error.is_connect() {
        HttpError::Connection("could not be made")
    } else if error.is_body() || error.is_decode() {
        HttpError::Connection("broke off in the middle of the answer")
    } else {
        HttpError::Connection("broke off before the answer")
    }
}
