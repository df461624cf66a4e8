use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use systemprompt_core::llm::{ErrorKind, ModelError};

/// The most bytes of a body that is no JSON which a message repeats.
const EXCERPT_LIMIT: usize = 300;

/// `google.rpc.Status`, as the JSON wire has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RpcStatus {
    code: Option<u64>,
    message: Option<String>,
    status: Option<String>,
    details: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Envelope {
    error: RpcStatus,
}

/// Reads an error that came with `status`.
pub(super) fn decode(status: u16, body: &[u8]) -> ModelError {
    match read(body) {
        Some(error) => error.into_error(Some(status)),
        None => ModelError::new(ErrorKind::from_status(status), plain(status, body)),
    }
}

/// The error in `body`: `{"error": {..}}`, or the array of one such object that a stream answers with.
pub(super) fn read(body: &[u8]) -> Option<RpcStatus> {
    if body.trim_ascii_start().first() == Some(&b'[') {
        let all: Vec<Envelope> = serde_json::from_slice(body).ok()?;
        return all.into_iter().next().map(|envelope| envelope.error);
    }
    serde_json::from_slice(body).ok().map(|envelope: Envelope| envelope.error)
}

impl RpcStatus {
    /// The canonical error. `http` is the status of the HTTP answer, where the error came with one; an error in
    /// a stream has its own `code` alone.
    pub(super) fn into_error(self, http: Option<u16>) -> ModelError {
        let number = http
            .filter(|status| *status >= 400)
            .or_else(|| self.code.and_then(|code| u16::try_from(code).ok()))
            .unwrap_or(500);
        let reason = self.reason();
        let said = self.message.clone().filter(|message| !message.is_empty());
        let message = said.unwrap_or_else(|| match &self.status {
            Some(status) => format!("the upstream answered {status}"),
            None => format!("the upstream answered with status {number}"),
        });
        let kind = kind(self.status.as_deref(), reason.as_deref(), &message)
            .unwrap_or_else(|| ErrorKind::from_status(number));
        let code = if is_context_overflow(&message) {
            Some("context_length_exceeded".to_owned())
        } else {
            reason.or_else(|| self.status.clone()).map(|word| word.to_ascii_lowercase())
        };
        let retry_after = self.retry_delay();
        ModelError { kind, message, code, field: None, retry_after }
    }

    fn detail(&self, name: &str) -> Option<&Value> {
        self.details.as_ref()?.iter().find(|detail| {
            detail.get("@type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with(name))
        })
    }

    /// `google.rpc.ErrorInfo.reason`.
    fn reason(&self) -> Option<String> {
        Some(self.detail("google.rpc.ErrorInfo")?.get("reason")?.as_str()?.to_owned())
    }

    /// `google.rpc.RetryInfo.retryDelay`, such as `34.07s`.
    fn retry_delay(&self) -> Option<Duration> {
        let delay = self.detail("google.rpc.RetryInfo")?.get("retryDelay")?.as_str()?;
        let seconds: f64 = delay.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

fn kind(status: Option<&str>, reason: Option<&str>, message: &str) -> Option<ErrorKind> {
    match reason {
        // A wrong key is INVALID_ARGUMENT with status 400 here.
        Some("API_KEY_INVALID" | "API_KEY_EXPIRED" | "ACCESS_TOKEN_EXPIRED") => {
            return Some(ErrorKind::Authentication);
        }
        Some("BILLING_DISABLED") => return Some(ErrorKind::Billing),
        _ => {}
    }
    Some(match status? {
        "INVALID_ARGUMENT" if message.starts_with("API key not valid") => ErrorKind::Authentication,
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" | "UNIMPLEMENTED" => {
            ErrorKind::InvalidRequest
        }
        "UNAUTHENTICATED" => ErrorKind::Authentication,
        "PERMISSION_DENIED" => ErrorKind::Permission,
        "NOT_FOUND" => ErrorKind::NotFound,
        "ALREADY_EXISTS" | "ABORTED" => ErrorKind::Conflict,
        "RESOURCE_EXHAUSTED" => ErrorKind::RateLimit,
        "UNAVAILABLE" => ErrorKind::Overloaded,
        "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "INTERNAL" | "UNKNOWN" | "DATA_LOSS" | "CANCELLED" => ErrorKind::Api,
        _ => return None,
    })
}

fn is_context_overflow(message: &str) -> bool {
    message.contains("exceeds the maximum number of tokens")
}

/// A sentence for a body that is no error of this wire: what a proxy in between may send.
fn plain(status: u16, body: &[u8]) -> String {
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    if text.is_empty() || text.starts_with(['<', '{', '[']) {
        return format!("the upstream answered with status {status}");
    }
    let end = text.floor_char_boundary(EXCERPT_LIMIT);
    let excerpt = text.get(..end).unwrap_or_default();
    format!("the upstream answered with status {status}: {excerpt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTA: &str = r#"{"error": {"code": 429, "message": "Quota exceeded", "status": "RESOURCE_EXHAUSTED",
        "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure"},
                    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]}}"#;

    #[test]
    fn a_quota_says_when_to_ask_again() {
        let error = decode(429, QUOTA.as_bytes());
        assert_eq!(error.kind, ErrorKind::RateLimit);
        assert_eq!(error.retry_after, Some(Duration::from_millis(34_500)));
        assert_eq!(error.code.as_deref(), Some("resource_exhausted"));
        assert_eq!(error.message, "Quota exceeded");
    }

    #[test]
    fn an_error_without_words_says_its_status() {
        let body = br#"{"error": {"code": 503, "message": "", "status": "UNAVAILABLE"}}"#;
        assert_eq!(decode(503, body).message, "the upstream answered UNAVAILABLE");
    }

    #[test]
    fn an_array_of_one_error_is_the_same_error() {
        assert_eq!(decode(429, format!("\n[{QUOTA}\n]").as_bytes()), decode(429, QUOTA.as_bytes()));
    }

    #[test]
    fn a_wrong_key_is_told_from_a_wrong_request() {
        let body = r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid.",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}]}}"#;
        assert_eq!(decode(400, body.as_bytes()).kind, ErrorKind::Authentication);
        let body =
            r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "no contents"}}"#;
        assert_eq!(decode(400, body.as_bytes()).kind, ErrorKind::InvalidRequest);
    }

    #[test]
    fn every_status_has_its_kind() {
        for (status, kind) in [
            ("UNAUTHENTICATED", ErrorKind::Authentication),
            ("PERMISSION_DENIED", ErrorKind::Permission),
            ("NOT_FOUND", ErrorKind::NotFound),
            ("UNAVAILABLE", ErrorKind::Overloaded),
            ("DEADLINE_EXCEEDED", ErrorKind::Timeout),
            ("INTERNAL", ErrorKind::Api),
        ] {
            let body = format!(r#"{{"error": {{"status": "{status}"}}}}"#);
            assert_eq!(decode(400, body.as_bytes()).kind, kind, "{status}");
        }
    }

    #[test]
    fn too_long_a_prompt_has_its_code() {
        let body = r#"{"error": {"code": 400, "status": "INVALID_ARGUMENT", "message":
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."}}"#;
        assert_eq!(decode(400, body.as_bytes()).code.as_deref(), Some("context_length_exceeded"));
    }

    #[test]
    fn what_is_no_error_of_this_wire_goes_by_its_status() {
        assert_eq!(decode(502, b"<html>Bad Gateway</html>").kind, ErrorKind::BadGateway);
        let error = decode(503, b"no healthy upstream");
        assert_eq!(error.kind, ErrorKind::Overloaded);
        assert!(error.message.ends_with("no healthy upstream"));
        assert_eq!(decode(500, &[0xff, 0xfe]).kind, ErrorKind::Api);
        let error = decode(429, br#"{"error": {"details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "1e400s"}, 7]}}"#);
        assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimit, None));
    }
}
