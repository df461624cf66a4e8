use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::secret::Secret;
use url::{Host, Url};

/// How a provider is connected to. Durations of zero are refused, except where they say what they mean.
#[derive(Clone)]
pub struct UpstreamSettings {
    /// Where the provider is: `https://api.anthropic.com`. Paths of calls are appended to its path.
    /// `http` is for providers in networks of one's own: it takes
    /// [`private_addresses`](Self::private_addresses), and connects to no address of the internet.
    pub base_url: String,
    /// Longest time until a connection stands, TLS and the name included. 10 s.
    pub connect_timeout: Duration,
    /// Longest time from the start of an attempt until the head of the answer is there. Answers that are
    /// not streamed come when they are whole, so this is the time a model may think. 5 min.
    pub first_byte_timeout: Duration,
    /// Longest silence within an answer. The time a reader takes is not counted. 2 min.
    pub idle_timeout: Duration,
    /// Longest time of a call: waiting, all attempts, and the answer to its end. 30 min.
    pub total_timeout: Duration,
    /// When a call is sent again.
    pub retries: RetrySettings,
    /// When the provider is left alone for a while.
    pub breaker: BreakerSettings,
    /// Most calls at a time, whose answers are read included. 256.
    pub max_concurrent: usize,
    /// Most calls that wait for one of those to end. 1,024; zero lets none wait.
    pub max_queued: usize,
    /// Longest time that a call waits so. 5 s; zero lets none wait.
    pub queue_wait: Duration,
    /// Most bytes of an answer's body, as sent and as decoded. 256 MiB.
    pub max_answer_bytes: u64,
    /// Authorities to trust beside those of the machine: certificates in PEM.
    pub extra_roots: Option<String>,
    /// The certificate and key that the client shows (mutual TLS), both in PEM.
    pub client_identity: Option<Arc<Secret<String>>>,
    /// The proxy to connect through (HTTP CONNECT), as a URL, with its credential if it takes one. None of the
    /// environment's is used. A proxy resolves names itself, so addresses of names are its to check.
    pub proxy: Option<Arc<Secret<String>>>,
    /// Whether the provider may have an address that is not of the public internet: of this machine, of a
    /// private network (RFC 1918, RFC 4193, RFC 6598), of the link, or reserved.
    pub private_addresses: bool,
}

/// When a call is sent again. It never is once a byte of an answer was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySettings {
    /// Most attempts of a call, the first one included (1 to 20). 3.
    pub attempts: u32,
    /// The first pause is a random one up to this long, and each later one up to twice as long as the
    /// one before could be ("full jitter"). 500 ms.
    pub base: Duration,
    /// No pause is drawn from more than this. 8 s.
    pub max: Duration,
    /// Longest pause that a provider may ask for (`retry-after`). When it asks for more, its answer is
    /// handed back at once. 60 s.
    pub max_retry_after: Duration,
    /// The statuses that are tried again: 408, 409, 429, 529 and the 5xx that pass.
    pub statuses: Vec<u16>,
    /// Whether a call is tried again when its connection broke before the answer began. The provider may
    /// have worked on it already. True: a connection that was kept open too long ends so.
    pub after_reset: bool,
}

/// When a provider is left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many failures in a row open it; zero: not for that. 8.
    pub failures_in_a_row: u32,
    /// Such a share of failures opens it.
    pub share: Option<FailureShare>,
    /// How long it stays open before one call is let through to see. 15 s.
    pub open_for: Duration,
    /// How much longer callers are held off while somebody else is to see
    /// ([`UpstreamClient::probe`](super::UpstreamClient::probe)); `None` where nobody does. `None`.
    pub probed: Option<Duration>,
}

/// A share of failures among the latest attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureShare {
    /// How many of the latest attempts are looked at (1 to 1,000); fewer say nothing yet.
    pub among: usize,
    /// The share of them, in percent (1 to 100).
    pub percent: u8,
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            connect_timeout: Duration::from_secs(10),
            first_byte_timeout: Duration::from_secs(300),
            idle_timeout: Duration::from_secs(120),
            total_timeout: Duration::from_secs(1_800),
            retries: RetrySettings::default(),
            breaker: BreakerSettings::default(),
            max_concurrent: 256,
            max_queued: 1_024,
            queue_wait: Duration::from_secs(5),
            max_answer_bytes: 256 * 1024 * 1024,
            extra_roots: None,
            client_identity: None,
            proxy: None,
            private_addresses: false,
        }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: 3,
            base: Duration::from_millis(500),
            max: Duration::from_secs(8),
            max_retry_after: Duration::from_secs(60),
            // 520 to 524 are those of a content delivery network whose origin cannot be reached.
            statuses: vec![408, 409, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529],
            after_reset: true,
        }
    }
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures_in_a_row: 8, share: None, open_for: Duration::from_secs(15), probed: None }
    }
}

/// Settings that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {why}")]
#[non_exhaustive]
pub struct SettingsError {
    /// The field of [`UpstreamSettings`], such as `retries.attempts`.
    pub setting: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl SettingsError {
    pub(super) fn new(setting: &'static str, why: impl Into<String>) -> Self {
        Self { setting, why: why.into() }
    }
}

impl UpstreamSettings {
    /// Looks at each setting by itself and gives the base URL. [`UpstreamClient::new`] does so, too.
    ///
    /// [`UpstreamClient::new`]: super::UpstreamClient::new
    ///
    /// # Errors
    /// [`SettingsError`] that names the first setting that cannot be meant.
    pub fn check(&self) -> Result<Url, SettingsError> {
        let durations = [
            ("connect_timeout", self.connect_timeout),
            ("first_byte_timeout", self.first_byte_timeout),
            ("idle_timeout", self.idle_timeout),
            ("total_timeout", self.total_timeout),
            ("breaker.open_for", self.breaker.open_for),
        ];
        for (setting, duration) in durations {
            if duration.is_zero() {
                return Err(SettingsError::new(setting, "is zero, so every call would fail"));
            }
        }
        if !(1..=20).contains(&self.retries.attempts) {
            return Err(SettingsError::new("retries.attempts", "is not from 1 to 20"));
        }
        if self.max_concurrent == 0 || self.max_concurrent > 1_000_000 {
            return Err(SettingsError::new("max_concurrent", "is not from 1 to 1000000"));
        }
        if self.max_answer_bytes == 0 {
            return Err(SettingsError::new("max_answer_bytes", "is zero"));
        }
        if let Some(FailureShare { among, percent }) = self.breaker.share {
            if !(1..=1_000).contains(&among) {
                return Err(SettingsError::new("breaker.share.among", "is not from 1 to 1000"));
            }
            if !(1..=100).contains(&percent) {
                return Err(SettingsError::new("breaker.share.percent", "is not from 1 to 100"));
            }
        }
        self.checked_base_url()
    }

    fn checked_base_url(&self) -> Result<Url, SettingsError> {
        let refused = |why: &str| SettingsError::new("base_url", why);
        if self.base_url.is_empty() {
            return Err(refused("is missing"));
        }
        let url =
            Url::parse(&self.base_url).map_err(|error| refused(&format!("is no URL: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("holds a user or password; the credential is a header of its own"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(refused("has a query or a fragment"));
        }
        match url.scheme() {
            "https" => {}
            "http" if !self.private_addresses => {
                return Err(refused("is without TLS, which is only for `private_addresses`"));
            }
            "http" if self.proxy.is_some() && matches!(url.host(), Some(Host::Domain(_))) => {
                return Err(refused("is a name without TLS, which cannot go through a `proxy`"));
            }
            "http" => {}
            _ => return Err(refused("is neither `https` nor `http`")),
        }
        if url.host().is_none() {
            return Err(refused("has no host"));
        }
        Ok(url)
    }
}

impl fmt::Debug for UpstreamSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = |held: bool| if held { "(held)" } else { "None" };
        f.debug_struct("UpstreamSettings")
            .field("base_url", &shown_url(&self.base_url))
            .field("connect_timeout", &self.connect_timeout)
            .field("first_byte_timeout", &self.first_byte_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("retries", &self.retries)
            .field("breaker", &self.breaker)
            .field("max_concurrent", &self.max_concurrent)
            .field("max_queued", &self.max_queued)
            .field("queue_wait", &self.queue_wait)
            .field("max_answer_bytes", &self.max_answer_bytes)
            .field("extra_roots", &held(self.extra_roots.is_some()))
            .field("client_identity", &held(self.client_identity.is_some()))
            .field("proxy", &held(self.proxy.is_some()))
            .field("private_addresses", &self.private_addresses)
            .finish()
    }
}

/// Scheme, host, port and path: a user, a password and a query may be secret, even where they are refused.
fn shown_url(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => {
            let authority = url.host_str().unwrap_or_default();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{authority}{port}{}", url.scheme(), url.path())
        }
        Err(_) => "(no URL)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut UpstreamSettings)) -> String {
        let mut settings =
            UpstreamSettings { base_url: "https://a.example".to_owned(), ..Default::default() };
        change(&mut settings);
        settings.check().unwrap_err().to_string()
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let base = |url: &'static str| refused(move |s| s.base_url = url.to_owned());
        assert_eq!(base(""), "`base_url` is missing");
        assert!(base("a.example").starts_with("`base_url` is no URL"));
        assert!(base("ftp://a.example").contains("neither"));
        assert!(base("http://a.example").contains("without TLS"));
        assert!(base("https://u:hunter2@a.example").contains("user or password"));
        assert!(base("https://a.example/?key=1").contains("query"));
        assert!(refused(|s| s.idle_timeout = Duration::ZERO).starts_with("`idle_timeout`"));
        assert!(refused(|s| s.retries.attempts = 0).starts_with("`retries.attempts`"));
        assert!(refused(|s| s.max_concurrent = 0).starts_with("`max_concurrent`"));
        assert!(refused(|s| s.max_answer_bytes = 0).starts_with("`max_answer_bytes`"));
        let share = |among, percent| {
            refused(move |s| s.breaker.share = Some(FailureShare { among, percent }))
        };
        assert!(share(0, 50).starts_with("`breaker.share.among`"));
        assert!(share(10, 101).starts_with("`breaker.share.percent`"));
        let proxied = refused(|s| {
            s.base_url = "http://model.intranet".to_owned();
            s.private_addresses = true;
            s.proxy = Some(Arc::new(Secret::new("http://proxy:3128".to_owned())));
        });
        assert!(proxied.contains("`proxy`"), "{proxied}");
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = UpstreamSettings {
            base_url: "https://u:hunter2@a.example/v1?key=hunter2".to_owned(),
            client_identity: Some(Arc::new(Secret::new("hunter2".to_owned()))),
            proxy: Some(Arc::new(Secret::new("http://u:hunter2@proxy".to_owned()))),
            ..Default::default()
        };
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("https://a.example/v1"), "{shown}");
    }
}
