//! Errors: `{"error": {"message", "type", "param", "code"}}`, and what other servers of this wire make of it.

use bytes::Bytes;
use serde_json::{Value, json};

use systemprompt_core::llm::{ErrorKind, ModelError};

/// The most characters of a body that is no JSON, in a message.
const SHOWN: usize = 500;

/// Writes an error: its HTTP status and body. The id of the request has no place in the body; it is the header
/// `x-request-id`.
pub(super) fn encode(error: &ModelError) -> (u16, Bytes) {
    (error.kind.status(), write(error).to_string().into())
}

/// The body of an error, and the data of a frame that ends a stream.
pub(super) fn write(error: &ModelError) -> Value {
    let (kind, code) = words(error.kind);
    json!({"error": {
        "message": error.message,
        "type": kind,
        "param": error.field,
        "code": error.code.as_deref().or(code),
    }})
}

/// The type, and the code where the error has none of its own.
const fn words(kind: ErrorKind) -> (&'static str, Option<&'static str>) {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::TooLarge => ("invalid_request_error", None),
        ErrorKind::Authentication => ("authentication_error", Some("invalid_api_key")),
        ErrorKind::Billing => ("insufficient_quota", Some("insufficient_quota")),
        ErrorKind::Permission => ("permission_error", None),
        ErrorKind::NotFound => ("not_found_error", None),
        ErrorKind::Conflict => ("conflict_error", None),
        ErrorKind::RateLimit => ("rate_limit_error", Some("rate_limit_exceeded")),
        ErrorKind::Api | ErrorKind::BadGateway => ("server_error", None),
        ErrorKind::Overloaded => ("overloaded_error", Some("server_overloaded")),
        ErrorKind::Timeout => ("timeout_error", None),
    }
}

/// Reads an error that came with `status`.
pub(super) fn decode(status: u16, body: &[u8]) -> ModelError {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        let shown: String = text.trim().chars().take(SHOWN).collect();
        let message = if shown.is_empty() {
            format!("the upstream answered with status {status}")
        } else {
            format!("the upstream answered with status {status}: {shown}")
        };
        return ModelError::new(ErrorKind::from_status(status), message);
    };
    // Gemini's Chat endpoint answers with an array of one.
    let value = match value {
        Value::Array(mut values) if !values.is_empty() => values.swap_remove(0),
        value => value,
    };
    from_value(&value, Some(status))
}

/// The error in a body or frame that has one.
pub(super) fn within(value: &Value) -> Option<ModelError> {
    let is_error = value.get("error").is_some_and(|error| !error.is_null() && error != false)
        || value.get("object").and_then(Value::as_str) == Some("error");
    is_error.then(|| from_value(value, None))
}

fn from_value(value: &Value, status: Option<u16>) -> ModelError {
    let error = value.get("error").filter(|error| !error.is_null()).unwrap_or(value);
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|t| !t.is_empty());
    let said = error.as_str().filter(|said| !said.is_empty());
    let message = said.or_else(|| text("message")).or_else(|| text("detail"));
    let code = text("code").or_else(|| text("status"));
    let kind = text("type");
    // Without a status of its own, as in a stream, a number as the code is one.
    let numbered = error
        .get("code")
        .and_then(Value::as_u64)
        .or_else(|| error.get("status_code").and_then(Value::as_u64));
    let status = status.or_else(|| numbered.and_then(|code| u16::try_from(code).ok()));
    let known = [code, kind].into_iter().flatten().find_map(by_word);
    let kind = known.or_else(|| status.map(ErrorKind::from_status)).unwrap_or(ErrorKind::Api);
    let message =
        message.map_or_else(|| "the upstream failed without saying why".to_owned(), str::to_owned);
    ModelError {
        code: code.map(str::to_owned),
        field: text("param").map(str::to_owned),
        ..ModelError::new(kind, message)
    }
}

/// The kind that a code or type tells. Words that say no more than the status are not among them.
fn by_word(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "context_length_exceeded" | "string_above_max_length" | "content_filter" => {
            ErrorKind::InvalidRequest
        }
        "invalid_api_key"
        | "authentication_error"
        | "invalid_authentication_error"
        | "UNAUTHENTICATED" => ErrorKind::Authentication,
        "insufficient_quota"
        | "billing_hard_limit_reached"
        | "exceeded_current_quota_error"
        | "insufficient_balance"
        | "billing_error" => ErrorKind::Billing,
        "permission_error" | "permission_denied_error" | "PERMISSION_DENIED" => {
            ErrorKind::Permission
        }
        "model_not_found" | "not_found_error" | "resource_not_found_error" | "NOT_FOUND" => {
            ErrorKind::NotFound
        }
        "conflict_error" => ErrorKind::Conflict,
        "request_too_large" => ErrorKind::TooLarge,
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "rate_limit_reached_error"
        | "RESOURCE_EXHAUSTED" => ErrorKind::RateLimit,
        "server_overloaded"
        | "overloaded_error"
        | "engine_overloaded_error"
        | "overloaded"
        | "UNAVAILABLE" => ErrorKind::Overloaded,
        "timeout_error" | "timeout" | "DEADLINE_EXCEEDED" => ErrorKind::Timeout,
        "server_error" | "internal_server_error" | "internal_error" | "INTERNAL" => ErrorKind::Api,
        "invalid_request_error" | "INVALID_ARGUMENT" => return None,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_its_field_and_code() {
        let error = ModelError::invalid("messages.0.role", "`messages.0.role` is missing");
        let (status, body) = encode(&error.with_code("missing"));
        assert_eq!(status, 400);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            body,
            json!({"error": {"message": "`messages.0.role` is missing",
                "type": "invalid_request_error", "param": "messages.0.role", "code": "missing"}})
        );
    }

    #[test]
    fn errors_of_many_servers_are_read() {
        let cases: &[(u16, &str, ErrorKind, &str, Option<&str>)] = &[
            (
                429,
                r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#,
                ErrorKind::RateLimit,
                "slow",
                Some("rate_limit_exceeded"),
            ),
            (
                429,
                r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                ErrorKind::Billing,
                "pay",
                Some("insufficient_quota"),
            ),
            (
                429,
                r#"{"error":{"message":"busy","type":"engine_overloaded_error"}}"#,
                ErrorKind::Overloaded,
                "busy",
                None,
            ),
            (
                400,
                r#"{"error":{"message":"long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
                ErrorKind::InvalidRequest,
                "long",
                Some("context_length_exceeded"),
            ),
            (
                400,
                r#"{"object":"error","message":"bad","code":400}"#,
                ErrorKind::InvalidRequest,
                "bad",
                None,
            ),
            (422, r#"{"detail":"bad field"}"#, ErrorKind::InvalidRequest, "bad field", None),
            (500, r#"{"error":"boom"}"#, ErrorKind::Api, "boom", None),
            (
                400,
                r#"[{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT"}}]"#,
                ErrorKind::InvalidRequest,
                "no",
                Some("INVALID_ARGUMENT"),
            ),
            (
                502,
                "<html>Bad Gateway</html>",
                ErrorKind::BadGateway,
                "the upstream answered with status 502: <html>Bad Gateway</html>",
                None,
            ),
            (503, "", ErrorKind::Overloaded, "the upstream answered with status 503", None),
            (401, "[]", ErrorKind::Authentication, "the upstream failed without saying why", None),
        ];
        for (status, body, kind, message, code) in cases {
            let error = decode(*status, body.as_bytes());
            assert_eq!((error.kind, error.message.as_str()), (*kind, *message), "{body}");
            assert_eq!(error.code.as_deref(), *code, "{body}");
        }
    }

    #[test]
    fn a_number_as_code_is_a_status_in_a_stream() {
        for silent in [json!({"error": ""}), json!({"error": {"message": ""}})] {
            assert!(!within(&silent).unwrap().message.is_empty(), "{silent}");
        }
        let error = within(&json!({"error": {"code": 429, "message": "slow"}})).unwrap();
        assert_eq!(error.kind, ErrorKind::RateLimit);
        assert_eq!(within(&json!({"error": null, "choices": []})), None);
    }
}
