//! Errors: `{"type": "error", "error": {"type", "message", "details"}, "request_id"}`.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use systemprompt_core::llm::{ErrorKind, ModelError};

use super::json::{ObjectOut, raw};

/// The most bytes of an error's text that is no JSON which are passed on.
const MOST_TEXT: usize = 300;

/// Writes an error: its status and body.
pub(super) fn encode(error: &ModelError, request_id: &str) -> (u16, Bytes) {
    let status = match error.kind {
        ErrorKind::Overloaded => 529,
        kind => kind.status(),
    };
    (status, raw(body(error, Some(request_id))).get().to_owned().into())
}

/// The body of an error, in an answer or in a stream.
pub(super) fn body(error: &ModelError, request_id: Option<&str>) -> ObjectOut {
    let mut inner = ObjectOut::of(word(error.kind));
    let message = match &error.field {
        Some(field) if !error.message.contains(field.as_str()) => {
            format!("{field}: {}", error.message)
        }
        _ => error.message.clone(),
    };
    inner.put("message", message);
    if let Some(code) = &error.code {
        let mut details = ObjectOut::default();
        details.put("error_code", code);
        inner.put("details", details);
    }
    let mut body = ObjectOut::of("error");
    body.put("error", inner);
    if let Some(request_id) = request_id {
        body.put("request_id", request_id);
    }
    body
}

const fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request_error",
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Billing => "billing_error",
        ErrorKind::Permission => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::Conflict => "conflict_error",
        ErrorKind::TooLarge => "request_too_large",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::Api | ErrorKind::BadGateway => "api_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
    }
}

fn kind(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "invalid_request_error" => ErrorKind::InvalidRequest,
        "authentication_error" => ErrorKind::Authentication,
        "billing_error" => ErrorKind::Billing,
        "permission_error" => ErrorKind::Permission,
        "not_found_error" => ErrorKind::NotFound,
        "conflict_error" => ErrorKind::Conflict,
        "request_too_large" => ErrorKind::TooLarge,
        "rate_limit_error" => ErrorKind::RateLimit,
        "api_error" => ErrorKind::Api,
        "overloaded_error" => ErrorKind::Overloaded,
        "timeout_error" => ErrorKind::Timeout,
        _ => return None,
    })
}

/// Reads an error that came with `status`.
pub(super) fn decode(status: u16, body: &[u8]) -> ModelError {
    let fallback = ErrorKind::from_status(status);
    match serde_json::from_slice::<Value>(body) {
        Ok(value) => read(&value, fallback),
        Err(_) => ModelError::new(fallback, text_message(status, body)),
    }
}

/// Reads the body of an error; `fallback` is its kind where it names none that is known.
pub(super) fn read(body: &Value, fallback: ErrorKind) -> ModelError {
    let inner = body.get("error").filter(|error| error.is_object()).unwrap_or(body);
    let text = |name: &str| inner.get(name).and_then(Value::as_str);
    let message = text("message")
        .or_else(|| body.get("error").and_then(Value::as_str))
        .or_else(|| body.get("message").and_then(Value::as_str))
        .or_else(|| body.as_str())
        .filter(|message| !message.is_empty())
        .unwrap_or("the provider gave no reason");
    let kind = text("type").and_then(kind).unwrap_or(fallback);
    let mut error = ModelError::new(kind, message);
    let details = inner.get("details");
    error.code = details
        .and_then(|details| details.get("error_code"))
        .or_else(|| inner.get("code"))
        .and_then(Value::as_str)
        .map(str::to_owned);
    error.retry_after = details.into_iter().chain([inner, body]).find_map(retry_after);
    refine(error)
}

/// Tells apart what this wire says in words only.
fn refine(mut error: ModelError) -> ModelError {
    if error.kind == ErrorKind::InvalidRequest && error.code.is_none() {
        let said = error.message.to_ascii_lowercase();
        if said.contains("prompt is too long") || said.contains("exceed context limit") {
            error.code = Some("context_length_exceeded".to_owned());
        } else if said.contains("credit balance is too low") {
            error.kind = ErrorKind::Billing;
            error.code = Some("insufficient_quota".to_owned());
        }
    }
    error
}

fn retry_after(place: &Value) -> Option<Duration> {
    let millis = place.get("retry_after_ms").and_then(Value::as_u64).map(Duration::from_millis);
    let seconds = || {
        let value = place.get("retry_after").or_else(|| place.get("retry_after_seconds"))?;
        Duration::try_from_secs_f64(value.as_f64()?).ok()
    };
    millis.or_else(seconds)
}

/// What can be said of a body that is no JSON, such as the page of a proxy.
fn text_message(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..body.len().min(4 * MOST_TEXT)).unwrap_or(body));
    let text = text.trim();
    let readable = !text.is_empty()
        && !text.starts_with('<')
        && !text.contains(|c: char| c.is_control() && !c.is_whitespace() || c == '\u{fffd}');
    if !readable {
        return format!("the provider answered with status {status} and no message");
    }
    let short: String = text.chars().take(MOST_TEXT).collect();
    format!("the provider answered with status {status}: {short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [(ErrorKind, u16, &str); 12] = [
        (ErrorKind::InvalidRequest, 400, "invalid_request_error"),
        (ErrorKind::Authentication, 401, "authentication_error"),
        (ErrorKind::Billing, 402, "billing_error"),
        (ErrorKind::Permission, 403, "permission_error"),
        (ErrorKind::NotFound, 404, "not_found_error"),
        (ErrorKind::Conflict, 409, "conflict_error"),
        (ErrorKind::TooLarge, 413, "request_too_large"),
        (ErrorKind::RateLimit, 429, "rate_limit_error"),
        (ErrorKind::Api, 500, "api_error"),
        (ErrorKind::BadGateway, 502, "api_error"),
        (ErrorKind::Overloaded, 529, "overloaded_error"),
        (ErrorKind::Timeout, 504, "timeout_error"),
    ];

    #[test]
    fn every_kind_has_a_status_and_a_word_and_comes_back() {
        for (kind, status, word) in ALL {
            let error = ModelError::new(kind, "no").with_code("c");
            let (said, body) = encode(&error, "req_1");
            let value: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(said, status);
            assert_eq!(
                value,
                serde_json::json!({"type": "error", "request_id": "req_1",
                    "error": {"type": word, "message": "no", "details": {"error_code": "c"}}})
            );
            let back = decode(status, &body);
            if kind != ErrorKind::BadGateway {
                assert_eq!(back, error);
            }
        }
    }

    #[test]
    fn the_field_is_named_once() {
        let error = ModelError::invalid("max_tokens", "must be more than 0");
        let (_, body) = encode(&error, "r");
        assert!(String::from_utf8_lossy(&body).contains("max_tokens: must be more than 0"));
        let error = ModelError::invalid("max_tokens", "`max_tokens` is required");
        let (_, body) = encode(&error, "r");
        assert_eq!(String::from_utf8_lossy(&body).matches("max_tokens").count(), 1);
    }

    #[test]
    fn errors_that_only_words_tell_apart() {
        let body = br#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#;
        assert_eq!(decode(400, body).code.as_deref(), Some("context_length_exceeded"));
        let body = br#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}}"#;
        assert_eq!(decode(400, body).kind, ErrorKind::Billing);
    }

    #[test]
    fn what_cannot_be_read_still_is_an_error() {
        for (status, body, kind) in [
            (502, &b"<html><body>Bad gateway</body></html>"[..], ErrorKind::BadGateway),
            (529, b"", ErrorKind::Overloaded),
            (500, b"\xff\xfe\x00", ErrorKind::Api),
            (418, b"null", ErrorKind::InvalidRequest),
            (429, b"[1]", ErrorKind::RateLimit),
        ] {
            let error = decode(status, body);
            assert_eq!(error.kind, kind, "{status}");
            assert!(!error.message.is_empty() && !error.message.contains('<'));
        }
        assert!(decode(503, b"upstream connect error").message.ends_with("upstream connect error"));
    }

    #[test]
    fn other_shapes_are_read() {
        let error =
            decode(429, br#"{"error":{"message":"slow down","code":"rpm","retry_after":1.5}}"#);
        assert_eq!(error.kind, ErrorKind::RateLimit);
        assert_eq!(error.code.as_deref(), Some("rpm"));
        assert_eq!(error.retry_after, Some(Duration::from_millis(1500)));
        assert_eq!(decode(401, br#"{"error":"no key"}"#).message, "no key");
        assert_eq!(decode(404, br#"{"message":"no model"}"#).message, "no model");
        let silent = decode(500, br#"{"type":"error","error":{"type":"api_error","message":""}}"#);
        assert_eq!(silent.message, "the provider gave no reason");
        let error = decode(
            429,
            br#"{"error":{"type":"rate_limit_error","message":"m","details":{"retry_after":-1}}}"#,
        );
        assert_eq!(error.retry_after, None);
    }
}
