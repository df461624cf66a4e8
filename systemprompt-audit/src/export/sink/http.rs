use std::io::Write as _;
use std::ops::Range;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};
use systemprompt_core::clock::{Clock as _, SystemClock};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::splunk_ack::SplunkAck;
use super::{Attempt, Unconfirmed};
use crate::export::batch::Batch;
use crate::export::format::{Encoder, Format};
use crate::export::settings::{HttpSettings, SettingsError};

/// How much of an answer is looked at, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// An HTTP endpoint. Its URL and headers may be secret and are in no error.
pub(in crate::export) struct HttpSink {
    client: Client,
    url: Url,
    encoder: Encoder,
    gzip: bool,
    ack: Option<SplunkAck>,
}

impl HttpSink {
    pub(in crate::export) fn new(
        id: &str,
        settings: &HttpSettings,
        encoder: Encoder,
    ) -> Result<Self, SettingsError> {
        let url = url(settings.url.expose(), encoder.format())
            .ok_or_else(|| SettingsError::Url { id: id.to_owned() })?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(encoder.format().content_type()));
        let ack = match settings.splunk_ack {
            false => None,
            true => {
                let wrong = || SettingsError::Ack { id: id.to_owned() };
                Some(
                    SplunkAck::new(&url)
                        .filter(|_| encoder.format() == Format::SplunkHec)
                        .ok_or_else(wrong)?,
                )
            }
        };
        for (name, value) in &settings.headers {
            let wrong = || SettingsError::Header { id: id.to_owned(), name: name.clone() };
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::try_from(name).map_err(|_| wrong())?, value);
        }
        let client = Client::builder()
            .user_agent(concat!("systemprompt/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            // A redirect or a proxy would take the credential somewhere else.
            .redirect(Policy::none())
            .no_proxy()
            .timeout(settings.timeout)
            .build()
            .map_err(|source| SettingsError::Client { id: id.to_owned(), source })?;
        Ok(Self { client, url, encoder, gzip: settings.gzip, ack })
    }

    pub(in crate::export) async fn send(&mut self, batch: &Batch, lines: Range<usize>) -> Attempt {
        let body = match self.body(batch, lines) {
            Ok(body) => body,
            Err(problem) => return Attempt::Later { after: None, problem },
        };
        let mut request = self.client.post(self.url.clone()).body(body);
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(ack) = &mut self.ack {
            if let Err(Unconfirmed { after, problem, .. }) = ack.ready(&self.client).await {
                return Attempt::Later { after, problem };
            }
            request = ack.mark(request);
        }
        match request.send().await {
            Ok(response) => self.judge(response).await,
            Err(error) => Attempt::later(chain(&error.without_url())),
        }
    }

    /// Those of `numbers` that are acknowledged.
    pub(in crate::export) async fn confirm(
        &mut self,
        numbers: &[u64],
    ) -> Result<Vec<u64>, Unconfirmed> {
        match &self.ack {
            Some(ack) => ack.ask(&self.client, numbers).await,
            None => Ok(Vec::new()),
        }
    }

    /// Forgets what was taken and not acknowledged.
    pub(in crate::export) fn forget(&mut self) {
        if let Some(ack) = &mut self.ack {
            ack.renew();
        }
    }

    fn body(&self, batch: &Batch, lines: Range<usize>) -> Result<Vec<u8>, String> {
        let body = self.encoder.body(batch.lines(lines)).map_err(|error| error.to_string())?;
        if !self.gzip {
            return Ok(body);
        }
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&body).and_then(|()| packed.finish()).map_err(|error| error.to_string())
    }

    async fn judge(&self, response: Response) -> Attempt {
        let status = response.status();
        let after = retry_after(response.headers());
        match status {
            _ if status.is_success() => self.accepted(response).await,
            StatusCode::PAYLOAD_TOO_LARGE => Attempt::TooLarge,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                Attempt::Refused { problem: answered(status) }
            }
            _ => Attempt::Later { after, problem: answered(status) },
        }
    }

    /// An OpenTelemetry receiver may accept a request and refuse records of it, which must not be sent
    /// again (OTLP specification, "Partial Success").
    async fn accepted(&self, response: Response) -> Attempt {
        if self.ack.is_some() {
            let number = read(response).await.and_then(|answer| SplunkAck::number(&answer));
            return match number {
                Some(number) => Attempt::Taken(number),
                None => Attempt::later("the receiver has not said how it acknowledges the events"),
            };
        }
        if self.encoder.format() == Format::OtlpLogs
            && let Some(answer) = read(response).await
            && let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&answer)
            && let Some(rejected) = answer.pointer("/partialSuccess/rejectedLogRecords")
            && !matches!(rejected.to_string().trim_matches('"'), "0" | "null")
        {
            tracing::error!(%rejected, "the receiver of the export refused log records");
        }
        Attempt::Arrived
    }
}

pub(super) async fn read(mut response: Response) -> Option<Vec<u8>> {
    let mut answer = Vec::new();
    while let Some(part) = response.chunk().await.ok()? {
        answer.extend_from_slice(&part);
        if answer.len() > MAX_ANSWER {
            return None;
        }
    }
    Some(answer)
}

pub(super) fn answered(status: StatusCode) -> String {
    format!("the receiver answered {status}")
}

/// The URL; where it has no path, with the one that receivers of the format listen at.
fn url(text: &str, format: Format) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    if url.path() == "/" {
        url.set_path(match format {
            Format::SplunkHec => "/services/collector/event",
            Format::Datadog => "/api/v2/logs",
            Format::OtlpLogs => "/v1/logs",
            _ => "/",
        });
    }
    Some(url)
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    let now = SystemClock::new().now().as_micros() / 1_000_000;
    u64::try_from(at.unix_timestamp() - now).ok().map(Duration::from_secs)
}

/// The error with everything that led to it.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_without_a_path_get_the_one_of_the_format() {
        let shown = |text, format| url(text, format).map(|url| url.to_string());
        let splunk = shown("https://splunk:8088", Format::SplunkHec);
        assert_eq!(splunk.as_deref(), Some("https://splunk:8088/services/collector/event"));
        let own = shown("http://127.0.0.1/in?x=1", Format::Datadog);
        assert_eq!(own.as_deref(), Some("http://127.0.0.1/in?x=1"));
        assert_eq!(shown("ftp://x", Format::Sumo), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let asked = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:28:00 GMT"), None);
        let far = asked("Fri, 21 Oct 2095 07:28:00 GMT").unwrap();
        assert!(far > Duration::from_secs(86_400 * 365));
        assert_eq!(asked("soon"), None);
    }
}
