use std::path::PathBuf;
use std::time::Duration;

use systemprompt_core::secret::Secret;

use super::Format;

/// The name of this machine, as far as the system says it; `localhost` otherwise.
#[must_use]
pub fn host_name() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok());
    let name = name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    name.unwrap_or("localhost").to_owned()
}

/// One sink: where events go and in which form.
#[derive(Debug)]
pub struct SinkSettings {
    /// The sink's name, under which its place is noted: 1 to 64 of `a-z 0-9 - _`.
    pub id: String,
    /// The form.
    pub format: Format,
    /// Where to.
    pub destination: Destination,
    /// Where a sink that was never seen before begins.
    pub start_at: StartAt,
    /// The name of this machine, as the formats show it.
    pub host: String,
    /// The index that Splunk shall keep the events in.
    pub splunk_index: Option<String>,
    /// The folder for what the sink keeps on disk; made when it is missing.
    pub folder: PathBuf,
    /// Most bytes of encoded events that wait on disk for a network sink.
    pub spool_bytes: u64,
    /// Most events in one batch; a format's own limit may be lower.
    pub batch_events: usize,
    /// The first pause after a failure.
    pub backoff_first: Duration,
    /// The longest pause after failures.
    pub backoff_longest: Duration,
    /// How often the log is looked at when there was nothing new.
    pub poll: Duration,
    /// How long the receiver may take to acknowledge events, where it does; then they are sent again.
    pub ack_timeout: Duration,
}

impl SinkSettings {
    /// A sink that exports the log from its beginning, with the usual limits: 1,000 events in a batch,
    /// 1 GiB on disk, pauses from half a second to a minute, a look at the log every 200 ms, five minutes for
    /// an acknowledgement.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        format: Format,
        destination: Destination,
        folder: impl Into<PathBuf>,
    ) -> Self {
        Self {
            id: id.into(),
            format,
            destination,
            start_at: StartAt::Beginning,
            host: "localhost".to_owned(),
            splunk_index: None,
            folder: folder.into(),
            spool_bytes: 1 << 30,
            batch_events: 1000,
            backoff_first: Duration::from_millis(500),
            backoff_longest: Duration::from_secs(60),
            poll: Duration::from_millis(200),
            ack_timeout: Duration::from_secs(300),
        }
    }

    pub(super) fn check(&self) -> Result<(), SettingsError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        if !(1..=64).contains(&self.id.len()) || !self.id.bytes().all(plain) {
            return Err(SettingsError::Id { id: self.id.clone() });
        }
        Ok(())
    }
}

/// Where a sink begins that has not noted a place yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartAt {
    /// With the first event of each log.
    Beginning,
    /// After the last event that is there when it starts.
    End,
}

/// Where events go.
#[derive(Debug)]
#[non_exhaustive]
pub enum Destination {
    /// The standard output of the process.
    Stdout,
    /// A file that is rotated by size.
    File(FileSettings),
    /// An HTTP endpoint.
    Http(HttpSettings),
    /// A syslog receiver; each event is a message of RFC 5424 with facility 13 (log audit).
    Syslog(SyslogAddress),
}

/// A file that is rotated by size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSettings {
    /// The file; made for its owner alone.
    pub path: PathBuf,
    /// The size at which it becomes `<path>.1`, in bytes. No line is ever cut in two.
    pub rotate_bytes: u64,
    /// How many rotated files are kept.
    pub keep: u32,
    /// Whether the file is synced before the sink's place is noted, once a second. Without, a power cut
    /// may lose lines that count as exported.
    pub sync: bool,
}

/// An HTTP endpoint.
pub struct HttpSettings {
    /// Its URL. It may hold a secret (Sumo Logic), so it is never shown.
    pub url: Secret<String>,
    /// Headers that every request carries; their values may be secret.
    pub headers: Vec<(String, Secret<String>)>,
    /// Whether bodies are compressed.
    pub gzip: bool,
    /// How long a request may take.
    pub timeout: Duration,
    /// Whether events have arrived only when Splunk has acknowledged that they are indexed.
    pub splunk_ack: bool,
}

impl std::fmt::Debug for HttpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("HttpSettings")
            .field("headers", &names)
            .field("gzip", &self.gzip)
            .field("timeout", &self.timeout)
            .field("splunk_ack", &self.splunk_ack)
            .finish_non_exhaustive()
    }
}

/// Where a syslog receiver listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// One datagram per event (RFC 5426), to `host:port`. May lose events, which nobody notices.
    Udp(String),
    /// Octet counting (RFC 6587 section 3.4.1), to `host:port`. Syslog has no acknowledgement: what was
    /// under way when the connection broke is sent again if the break was seen.
    Tcp(String),
    /// Octet counting over TLS (RFC 5425). Like plain TCP it has no acknowledgement.
    Tls {
        /// `host:port`; the certificate has to name the host.
        address: String,
        /// A PEM file with the only authorities that are trusted; without it those that the machine trusts.
        ca: Option<PathBuf>,
    },
    /// One datagram per event, to a socket such as `/dev/log`.
    Unix(PathBuf),
}

/// Why a sink cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An id with other characters, too long or empty.
    #[error("`{id}` is no id of a sink; it has 1 to 64 of `a-z`, `0-9`, `-` and `_`")]
    Id {
        /// The id.
        id: String,
    },
    /// Two sinks of one id.
    #[error("two sinks have the id `{id}`")]
    Twice {
        /// The id.
        id: String,
    },
    /// A header that HTTP does not allow. Its value is not shown.
    #[error("the sink `{id}` has a header `{name}` that HTTP does not allow")]
    Header {
        /// The sink.
        id: String,
        /// The header.
        name: String,
    },
    /// The URL is none.
    #[error("the sink `{id}` has no proper http or https URL")]
    Url {
        /// The sink.
        id: String,
    },
    /// Acknowledgement is asked of something that is not Splunk's collector.
    #[error(
        "the sink `{id}` cannot ask for acknowledgement: that takes the format `splunk_hec` and a URL with \
         `/services/collector`"
    )]
    Ack {
        /// The sink.
        id: String,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client of the sink `{id}` cannot be made")]
    Client {
        /// The sink.
        id: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}
