use std::time::Duration;

/// A request failed: at the gateway, or upstream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// A sentence for the caller. It names the field that was wrong, where there is one.
    pub message: String,
    /// A stable code, such as `context_length_exceeded`.
    pub code: Option<String>,
    /// The field that was wrong, as a path in the dialect that was read.
    pub field: Option<String>,
    /// When to ask again, where the upstream says so.
    pub retry_after: Option<Duration>,
}

impl ModelError {
    /// A failure of `kind` with a sentence.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), code: None, field: None, retry_after: None }
    }

    /// A request that cannot be used because of `field`.
    #[must_use]
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ErrorKind::InvalidRequest, message);
        error.field = Some(field.into());
        error
    }

    /// The same with a stable code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

/// The kinds of failure that the wires tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 400: the request cannot be used.
    InvalidRequest,
    /// 401: no credential, or a wrong one.
    Authentication,
    /// 402: the account cannot pay.
    Billing,
    /// 403: not allowed.
    Permission,
    /// 404: no such model or thing.
    NotFound,
    /// 409: in conflict with another request.
    Conflict,
    /// 413: too large.
    TooLarge,
    /// 429: too many requests.
    RateLimit,
    /// 500: the upstream failed.
    Api,
    /// 502: the upstream could not be reached, or what it said makes no sense.
    BadGateway,
    /// 503 or 529: the upstream has too much to do.
    Overloaded,
    /// 504: the upstream took too long.
    Timeout,
}

impl ErrorKind {
    /// The HTTP status of an answer that says so, in the dialects that have no number of their own for
    /// it (Anthropic has 529 for [`Overloaded`](Self::Overloaded)).
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Authentication => 401,
            Self::Billing => 402,
            Self::Permission => 403,
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::RateLimit => 429,
            Self::Api => 500,
            Self::BadGateway => 502,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The kind that an upstream's status tells when its body does not.
    #[must_use]
    pub const fn from_status(status: u16) -> Self {
        match status {
            401 => Self::Authentication,
            402 => Self::Billing,
            403 => Self::Permission,
            404 => Self::NotFound,
            408 | 504 => Self::Timeout,
            409 => Self::Conflict,
            413 => Self::TooLarge,
            429 => Self::RateLimit,
            502 => Self::BadGateway,
            503 | 529 => Self::Overloaded,
            400..=499 => Self::InvalidRequest,
            _ => Self::Api,
        }
    }

    /// Whether asking again, or asking another, may help.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::RateLimit | Self::Api | Self::BadGateway | Self::Overloaded | Self::Timeout
        )
    }
}
