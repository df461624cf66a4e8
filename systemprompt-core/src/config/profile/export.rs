use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::SecretRef;
use crate::id::ValidatedUrl;

/// Where the audit log goes besides the database.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExportSection {
    /// The name of this machine, as the formats show it; the system's own when absent.
    pub host: Option<String>,
    /// The sinks. Each has a place of its own in the log; one that is down loses nothing.
    pub sinks: Vec<SinkConfig>,
}

impl ExportSection {
    /// The secrets that sinks refer to, each with its path in the profile.
    pub fn secrets(&self) -> impl Iterator<Item = (String, &SecretRef)> {
        self.sinks.iter().enumerate().flat_map(|(index, sink)| {
            let secrets = match &sink.to {
                SinkTarget::Http(http) => {
                    [("secret_url", http.secret_url.as_ref()), ("token", http.token.as_ref())]
                }
                _ => [("secret_url", None), ("token", None)],
            };
            secrets.into_iter().filter_map(move |(key, secret)| {
                Some((format!("export.sinks[{index}].to.http.{key}"), secret?))
            })
        })
    }
}

/// A sink of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkConfig {
    /// The sink's name, under which its place in the log is noted: 1 to 64 of `a-z 0-9 - _`.
    pub id: String,
    /// The form of the events.
    pub format: ExportFormat,
    /// Where they go.
    pub to: SinkTarget,
    /// Where a sink begins that was never there before.
    #[serde(default)]
    pub start_at: ExportStart,
    /// The index Splunk shall keep the events in; the token's own when absent.
    #[serde(default)]
    pub splunk_index: Option<String>,
    /// Whether events have arrived only when Splunk has acknowledged that they are indexed. Takes a token with
    /// indexer acknowledgement, the format `splunk_hec` and a receiver over HTTP.
    #[serde(default)]
    pub splunk_ack: bool,
    /// How long Splunk may take to acknowledge events until they are sent again, in seconds (1 to 3,600).
    #[serde(default = "splunk_ack_timeout_s")]
    pub splunk_ack_timeout_s: u64,
    /// Most events in one batch (1 to 1,000).
    #[serde(default = "batch_events")]
    pub batch_events: usize,
    /// How long a request may take, in milliseconds (100 to 600,000).
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Longest pause after failures, in milliseconds (100 to 3,600,000). The first is half a second, each
    /// further one twice as long; a receiver may ask for more.
    #[serde(default = "backoff_max_ms")]
    pub backoff_max_ms: u64,
    /// Most bytes of events that wait on disk for a network sink (1,048,576 to 1,099,511,627,776). At the
    /// cap the rest waits in the log.
    #[serde(default = "spool_max_bytes")]
    pub spool_max_bytes: u64,
}

fn splunk_ack_timeout_s() -> u64 {
    300
}

fn batch_events() -> usize {
    1000
}

fn timeout_ms() -> u64 {
    30_000
}

fn backoff_max_ms() -> u64 {
    60_000
}

fn spool_max_bytes() -> u64 {
    1 << 30
}

/// A form that events take outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One JSON object per line.
    JsonLines,
    /// OCSF 1.9, API Activity.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// ArcSight Common Event Format.
    Cef,
    /// Splunk HTTP Event Collector.
    SplunkHec,
    /// Datadog log intake.
    Datadog,
    /// Sumo Logic HTTP source.
    Sumo,
    /// OpenTelemetry logs (OTLP, JSON).
    OtlpLogs,
}

/// Where a sink begins that was never there before.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ExportStart {
    /// With the first event of the log.
    #[default]
    Beginning,
    /// With what comes after the start.
    End,
}

/// Where the events of a sink go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SinkTarget {
    /// A file that is rotated by size.
    File(FileTarget),
    /// The standard output of the server: `{}`.
    Stdout(StdoutTarget),
    /// An HTTP endpoint.
    Http(HttpTarget),
    /// A syslog receiver (RFC 5424).
    Syslog(SyslogTarget),
}

/// A file that is rotated by size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileTarget {
    /// The file.
    pub path: PathBuf,
    /// The size at which it becomes `<path>.1`, in bytes (4,096 to 1,099,511,627,776).
    #[serde(default = "rotate_bytes")]
    pub rotate_bytes: u64,
    /// How many rotated files are kept (0 to 10,000).
    #[serde(default = "keep")]
    pub keep: u32,
    /// Whether the file is synced before events count as exported.
    #[serde(default = "sync")]
    pub sync: bool,
}

fn rotate_bytes() -> u64 {
    100 << 20
}

fn keep() -> u32 {
    10
}

fn sync() -> bool {
    true
}

/// The standard output.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StdoutTarget {}

/// An HTTP endpoint: a `url` or a `secret_url`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpTarget {
    /// Its URL. Without a path it gets the one that receivers of the format have.
    #[serde(default)]
    pub url: Option<ValidatedUrl>,
    /// A URL that is a secret itself, as with Sumo Logic.
    #[serde(default)]
    pub secret_url: Option<SecretRef>,
    /// The credential; sent as the format has it: `Authorization: Splunk <token>`, `DD-API-KEY: <token>`,
    /// else `Authorization: Bearer <token>`. Needs `https`, or a receiver on this machine.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// Further headers. They are no place for secrets.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether requests are compressed.
    #[serde(default = "gzip")]
    pub gzip: bool,
}

fn gzip() -> bool {
    true
}

/// A syslog receiver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SyslogTarget {
    /// `host:port`; a datagram for each event (RFC 5426). Lost ones are not noticed.
    Udp(String),
    /// `host:port`; octet counting (RFC 6587).
    Tcp(String),
    /// TLS (RFC 5425).
    Tls(SyslogTlsTarget),
    /// The path of a datagram socket, such as `/dev/log`.
    Unix(PathBuf),
}

/// A syslog receiver behind TLS (RFC 5425).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyslogTlsTarget {
    /// `host:port`; its certificate has to name the host. The usual port is 6514.
    pub address: String,
    /// A PEM file with the only authorities that are trusted to have issued the certificate; without it
    /// those that the machine trusts.
    #[serde(default)]
    pub ca: Option<PathBuf>,
}
