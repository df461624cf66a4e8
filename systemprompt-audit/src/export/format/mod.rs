//! The forms an event takes outside: one file for each, all of them pure.
//!
//! An encoded event is one line of UTF-8 without a line break or any other character that moves a
//! terminal's cursor, whatever the event holds. What it holds is still there: JSON escapes it, CEF
//! spells it out. Every form carries the event's id, which is what receivers tell repeats by.

mod canonical;
mod cef;
mod datadog;
mod ecs;
mod fields;
mod json_lines;
mod ocsf;
mod otlp;
mod safe_json;
mod severity;
mod splunk;
mod summary;
mod syslog;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use systemprompt_core::clock::Timestamp;

use crate::EventRecord;

/// The name of the product in every format.
const PRODUCT: &str = "systemprompt";

/// A form that events take outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The event as this crate shows it, one JSON object per line.
    JsonLines,
    /// OCSF 1.9, class API Activity (6003), with the profiles `ai_operation`, `record_integrity`,
    /// `security_control` and `trace`.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// ArcSight Common Event Format, version 0.
    Cef,
    /// Events of the Splunk HTTP Event Collector.
    SplunkHec,
    /// Entries of the Datadog log intake.
    Datadog,
    /// JSON lines for an HTTP source of Sumo Logic.
    Sumo,
    /// OpenTelemetry logs, the JSON encoding of `ExportLogsServiceRequest`.
    OtlpLogs,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 8] = [
        Self::JsonLines,
        Self::Ocsf,
        Self::Ecs,
        Self::Cef,
        Self::SplunkHec,
        Self::Datadog,
        Self::Sumo,
        Self::OtlpLogs,
    ];

    /// The format's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::JsonLines => "json_lines",
            Self::Ocsf => "ocsf",
            Self::Ecs => "ecs",
            Self::Cef => "cef",
            Self::SplunkHec => "splunk_hec",
            Self::Datadog => "datadog",
            Self::Sumo => "sumo",
            Self::OtlpLogs => "otlp_logs",
        }
    }

    /// The media type of a request body in this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::JsonLines | Self::Ocsf | Self::Ecs | Self::Sumo => "application/x-ndjson",
            Self::Cef => "text/plain; charset=utf-8",
            Self::SplunkHec | Self::Datadog | Self::OtlpLogs => "application/json",
        }
    }

    /// The most a receiver of this format takes in one request: events, and bytes before compression.
    ///
    /// Datadog: 1,000 entries and 5 MB. Sumo Logic: 1 MB. Splunk: 1 MB, the limit of its cloud. The
    /// others state none; 4 MiB is the default limit of OpenTelemetry collectors.
    #[must_use]
    pub fn request_limits(self) -> (usize, usize) {
        match self {
            Self::Datadog => (1_000, 4_900_000),
            Self::SplunkHec | Self::Sumo => (1_000, 950_000),
            _ => (1_000, 4_000_000),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the formats are json_lines, ocsf, ecs, cef, splunk_hec, datadog, sumo and otlp_logs")]
pub struct FormatError;

impl FromStr for Format {
    type Err = FormatError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or(FormatError)
    }
}

/// An event that no format can show, such as one of the year 10,000. Only a row that was tampered with
/// is like that.
#[derive(Debug, thiserror::Error)]
#[error("the event cannot be encoded")]
pub struct EncodeError(#[from] serde_json::Error);

/// Encodes events in one format.
#[derive(Debug, Clone)]
pub struct Encoder {
    format: Format,
    producer: Producer,
    splunk_index: Option<Arc<str>>,
    standalone: bool,
    syslog: bool,
}

/// Who says it.
#[derive(Debug, Clone)]
struct Producer {
    host: Arc<str>,
    version: Arc<str>,
}

impl Encoder {
    /// An encoder for `format` on the machine `host`, of this version of the product. Lines stand for
    /// themselves, as in a file.
    #[must_use]
    pub fn new(format: Format, host: impl Into<Arc<str>>) -> Self {
        let producer = Producer { host: host.into(), version: env!("CARGO_PKG_VERSION").into() };
        Self { format, producer, splunk_index: None, standalone: true, syslog: false }
    }

    /// Names another version of the product.
    #[must_use]
    pub fn version(mut self, version: impl Into<Arc<str>>) -> Self {
        self.producer.version = version.into();
        self
    }

    /// The index that Splunk shall keep the events in; the token's own otherwise.
    #[must_use]
    pub fn splunk_index(mut self, index: impl Into<Arc<str>>) -> Self {
        self.splunk_index = Some(index.into());
        self
    }

    /// Lines are collected in a [`body`](Self::body) and need not stand for themselves.
    #[must_use]
    pub(super) fn for_requests(mut self) -> Self {
        self.standalone = false;
        self
    }

    /// Lines are whole syslog messages (RFC 5424).
    #[must_use]
    pub(super) fn for_syslog(mut self) -> Self {
        self.syslog = true;
        self
    }

    /// Whether lines are whole syslog messages.
    pub(super) fn is_syslog(&self) -> bool {
        self.syslog
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Appends the event to `line`, without a line break. After an error `line` is as it was.
    ///
    /// # Errors
    /// [`EncodeError`] when the event holds what no format can show.
    pub fn encode(&self, event: &EventRecord, line: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = line.len();
        let encoded = self.append(event, line);
        if encoded.is_err() {
            line.truncate(start);
        }
        Ok(encoded?)
    }

    fn append(&self, event: &EventRecord, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let producer = &self.producer;
        check_instants(event)?;
        if self.syslog {
            syslog::header(event, producer, line)?;
        }
        match self.format {
            Format::JsonLines | Format::Sumo => json_lines::encode(event, line),
            Format::Ocsf => ocsf::encode(event, producer, line),
            Format::Ecs => ecs::encode(event, producer, line),
            Format::Cef => cef::encode(event, producer, line),
            Format::SplunkHec => {
                splunk::encode(event, producer, self.splunk_index.as_deref(), line)
            }
            Format::Datadog => datadog::encode(event, producer, line),
            Format::OtlpLogs if self.standalone => {
                otlp::open(producer, line)?;
                otlp::encode(event, line)?;
                otlp::close(line);
                Ok(())
            }
            Format::OtlpLogs => otlp::encode(event, line),
        }
    }

    /// One request body of lines, as the receivers of the format want it.
    ///
    /// # Errors
    /// [`EncodeError`] never in practice.
    pub(super) fn body<'l>(
        &self,
        lines: impl Iterator<Item = &'l [u8]>,
    ) -> Result<Vec<u8>, EncodeError> {
        let mut body = Vec::new();
        let separator = match self.format {
            Format::Datadog => {
                body.push(b'[');
                b','
            }
            Format::OtlpLogs => {
                otlp::open(&self.producer, &mut body)?;
                b','
            }
            _ => b'\n',
        };
        for (at, line) in lines.enumerate() {
            if at > 0 {
                body.push(separator);
            }
            body.extend_from_slice(line);
        }
        match self.format {
            Format::Datadog => body.push(b']'),
            Format::OtlpLogs => otlp::close(&mut body),
            _ => body.push(b'\n'),
        }
        Ok(body)
    }
}

/// Instants are shown all over the formats, so those that cannot be are found first.
fn check_instants(event: &EventRecord) -> Result<(), serde_json::Error> {
    /// The years 0 to 9999.
    const SHOWN: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_300_800_000_000;
    let shown = |at: Timestamp| SHOWN.contains(&at.as_micros());
    if shown(event.occurred_at) && event.expires_at.is_none_or(shown) {
        return Ok(());
    }
    Err(serde::ser::Error::custom("instant outside the years 0 to 9999"))
}
