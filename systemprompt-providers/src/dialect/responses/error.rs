//! Failures: `{"error": {message, type, param, code}}` with an HTTP status, `response.error` in a failed
//! answer, and the event `error`.

use bytes::Bytes;
use serde_json::{Value, json};

use systemprompt_core::llm::{ErrorKind, ModelError};

/// Writes an error.
pub(super) fn encode(error: &ModelError, request_id: &str) -> (u16, Bytes) {
    let body = json!({ "error": object(error), "request_id": request_id });
    (error.kind.status(), body.to_string().into())
}

/// The error as an object.
pub(super) fn object(error: &ModelError) -> Value {
    let kind = match error.kind {
        ErrorKind::Authentication => "authentication_error",
        ErrorKind::Billing => "insufficient_quota",
        ErrorKind::Permission => "permission_error",
        ErrorKind::RateLimit => "rate_limit_error",
        ErrorKind::InvalidRequest
        | ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::TooLarge => "invalid_request_error",
        ErrorKind::Api | ErrorKind::BadGateway | ErrorKind::Overloaded | ErrorKind::Timeout => {
            "server_error"
        }
    };
    json!({
        "message": error.message,
        "type": kind,
        "param": error.field,
        "code": error.code.as_deref().or_else(|| default_code(error.kind)),
    })
}

/// The code of the event `error`.
pub(super) fn code(error: &ModelError) -> &str {
    error.code.as_deref().or_else(|| default_code(error.kind)).unwrap_or("server_error")
}

/// The code of a failed answer: `response.error.code` is one of a closed list.
pub(super) fn code_of_answer(error: &ModelError) -> &str {
    // The SDKs list the first ones; OpenAI sends the others as well, and clients look for them.
    const KNOWN: [&str; 12] = [
        "server_error",
        "rate_limit_exceeded",
        "invalid_prompt",
        "data_residency_mismatch",
        "bio_policy",
        "misalignment_policy_violation",
        "vector_store_timeout",
        "context_length_exceeded",
        "insufficient_quota",
        "server_is_overloaded",
        "slow_down",
        "model_not_found",
    ];
    let said = error.code.as_deref().filter(|code| KNOWN.contains(code));
    let kind = || default_code(error.kind).filter(|code| KNOWN.contains(code));
    said.or_else(kind).unwrap_or(match error.kind {
        ErrorKind::InvalidRequest | ErrorKind::TooLarge => "invalid_prompt",
        _ => "server_error",
    })
}

/// The code that clients of OpenAI know a failure by.
const fn default_code(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::Permission | ErrorKind::Conflict => None,
        ErrorKind::Authentication => Some("invalid_api_key"),
        ErrorKind::Billing => Some("insufficient_quota"),
        ErrorKind::NotFound => Some("model_not_found"),
        ErrorKind::TooLarge => Some("request_too_large"),
        ErrorKind::RateLimit => Some("rate_limit_exceeded"),
        ErrorKind::Api | ErrorKind::BadGateway => Some("server_error"),
        ErrorKind::Overloaded => Some("server_is_overloaded"),
        ErrorKind::Timeout => Some("timeout"),
    }
}

/// Reads the body of an answer with `status`.
pub(super) fn decode(status: u16, body: &[u8]) -> ModelError {
    let kind = ErrorKind::from_status(status);
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let said = match value.get("error") {
        Some(error) if !error.is_null() => error,
        _ => &value,
    };
    if said.is_null() {
        return ModelError::new(kind, format!("the upstream answered with status {status}"));
    }
    let mut error = read(said, kind);
    if error.message.is_empty() {
        error.message = format!("the upstream answered with status {status}");
    }
    error
}

/// Reads the error of an answer or of a stream, which came with no status of its own.
pub(super) fn in_answer(said: &Value) -> ModelError {
    // The event `error` of some servers has its members one level down.
    let said = said.get("error").filter(|error| error.is_object()).unwrap_or(said);
    let mut error = read(said, ErrorKind::Api);
    if error.message.is_empty() {
        error.message = "the upstream failed without a reason".to_owned();
    }
    error
}

fn read(said: &Value, kind: ErrorKind) -> ModelError {
    let text = |name: &str| said.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let code = match said.get("code") {
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => text("code").map(str::to_owned),
    };
    let word = code.as_deref().or_else(|| text("type"));
    let message = said.as_str().or_else(|| text("message")).or_else(|| text("detail"));
    let mut error =
        ModelError::new(word.and_then(kind_of).unwrap_or(kind), message.unwrap_or_default());
    error.field = text("param").map(str::to_owned);
    error.code = code;
    error
}

/// The kind that a code or type tells, whatever the status.
fn kind_of(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "rate_limit_exceeded" | "rate_limit_error" | "429" => ErrorKind::RateLimit,
        "insufficient_quota" | "billing_hard_limit_reached" => ErrorKind::Billing,
        "server_is_overloaded" | "slow_down" | "overloaded_error" | "503" => ErrorKind::Overloaded,
        "invalid_api_key" | "authentication_error" => ErrorKind::Authentication,
        "model_not_found" => ErrorKind::NotFound,
        "context_length_exceeded"
        | "invalid_prompt"
        | "bio_policy"
        | "misalignment_policy_violation"
        | "data_residency_mismatch"
        | "empty_image_file"
        | "failed_to_download_image"
        | "unsupported_image_media_type" => ErrorKind::InvalidRequest,
        word if word.starts_with("invalid_") || word.starts_with("image_") => {
            ErrorKind::InvalidRequest
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_shape_of_openai() {
        let error = ModelError::invalid("input.0", "`input.0` must be an object");
        let (status, body) = encode(&error, "req_1");
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 400);
        assert_eq!(
            body["error"],
            json!({
                "message": "`input.0` must be an object", "type": "invalid_request_error",
                "param": "input.0", "code": null
            })
        );
        let (status, body) = encode(&ModelError::new(ErrorKind::RateLimit, "slower"), "req_1");
        assert_eq!(status, 429);
        assert!(body.windows(21).any(|part| part == b"\"rate_limit_exceeded\""));
    }

    #[test]
    fn errors_of_any_shape_are_read() {
        let cases: [(u16, &str, ErrorKind, &str); 6] = [
            (
                400,
                r#"{"error":{"message":"too long","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
                ErrorKind::InvalidRequest,
                "too long",
            ),
            (
                429,
                r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
                ErrorKind::Billing,
                "pay",
            ),
            (500, r#"{"error":"out of memory"}"#, ErrorKind::Api, "out of memory"),
            (422, r#"{"detail":"no such field"}"#, ErrorKind::InvalidRequest, "no such field"),
            (
                502,
                "<html>bad gateway</html>",
                ErrorKind::BadGateway,
                "the upstream answered with status 502",
            ),
            (503, "", ErrorKind::Overloaded, "the upstream answered with status 503"),
        ];
        for (status, body, kind, message) in cases {
            let error = decode(status, body.as_bytes());
            assert_eq!((error.kind, error.message.as_str()), (kind, message), "{body}");
        }
    }
}
