use std::fmt;
use std::time::Duration;

use systemprompt_core::llm::{ErrorKind, ModelError};

use super::Attempt;

/// A call got no answer. What it says is about the connection: neither the credential, nor the address,
/// nor anything of a body is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct UpstreamError {
    /// What went wrong last.
    #[source]
    pub kind: UpstreamErrorKind,
    /// The attempts that were made, the oldest first; none when the provider was not asked at all.
    pub attempts: Vec<Attempt>,
}

/// What can go wrong with a connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamErrorKind {
    /// No connection could be made: refused, no route, or no such name.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// Something took too long.
    #[error("the provider took too long: {0}")]
    Timeout(Waited),
    /// The connection broke before the answer began.
    #[error("the provider closed the connection before it answered")]
    Reset,
    /// The connection broke within the answer.
    #[error("the provider's answer broke off before its end")]
    CutOff,
    /// No secure connection could be agreed on, or the provider could not prove who it is.
    #[error("no secure connection to the provider could be made")]
    Tls,
    /// What came back is no HTTP.
    #[error("the provider's answer is not HTTP")]
    Protocol,
    /// The answer has more bytes than it may.
    #[error("the provider's answer is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes it may have.
        limit: u64,
    },
    /// The answer's encoding is unknown, or broken.
    #[error("the provider's answer cannot be decoded")]
    BadEncoding,
    /// The provider has failed too often of late and is left alone.
    #[error("the provider is unavailable and is not asked for the moment")]
    BreakerOpen {
        /// How long it is left alone.
        retry_after: Duration,
    },
    /// As many calls as may be are under way already.
    #[error("too many requests to the provider are under way")]
    Saturated,
    /// The provider has an address that must not be connected to.
    #[error("the provider has an address that must not be connected to")]
    BlockedAddress,
    /// A provider in this process panicked.
    #[error("the provider failed")]
    Panicked,
    /// The events of a provider in this process are no answer.
    #[error("the provider's answer is none: {problem}")]
    OutOfOrder {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The call cannot be sent as it is.
    #[error("{field} cannot be sent to the provider")]
    Unsendable {
        /// What of it: the path, or a header by its name.
        field: String,
    },
}

/// What was waited for in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Waited {
    /// A connection.
    Connect,
    /// The head of the answer.
    FirstByte,
    /// The next bytes of the answer.
    Idle,
    /// The call as a whole.
    Total,
}

impl UpstreamErrorKind {
    pub(super) const fn open(retry_after: Duration) -> Self {
        Self::BreakerOpen { retry_after }
    }

    /// A stable code, for callers and for the audit log.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreachable => "upstream_unreachable",
            Self::Timeout(Waited::Connect) => "upstream_connect_timeout",
            Self::Timeout(Waited::FirstByte) => "upstream_first_byte_timeout",
            Self::Timeout(Waited::Idle) => "upstream_idle_timeout",
            Self::Timeout(Waited::Total) => "upstream_total_timeout",
            Self::Reset => "upstream_reset",
            Self::CutOff => "upstream_cut_off",
            Self::Tls => "upstream_tls",
            Self::Protocol => "upstream_protocol",
            Self::TooLarge { .. } => "upstream_too_large",
            Self::BadEncoding => "upstream_bad_encoding",
            Self::BreakerOpen { .. } => "upstream_breaker_open",
            Self::Saturated => "upstream_saturated",
            Self::BlockedAddress => "upstream_blocked_address",
            Self::Panicked => "upstream_panicked",
            Self::OutOfOrder { .. } => "upstream_out_of_order",
            Self::Unsendable { .. } => "upstream_unsendable",
        }
    }

    /// The error as callers are told of it.
    #[must_use]
    pub fn model_error(&self) -> ModelError {
        let kind = match self {
            Self::Unreachable
            | Self::Reset
            | Self::CutOff
            | Self::Tls
            | Self::Protocol
            | Self::TooLarge { .. }
            | Self::BadEncoding
            | Self::BlockedAddress
            | Self::Panicked
            | Self::OutOfOrder { .. } => ErrorKind::BadGateway,
            Self::Timeout(_) => ErrorKind::Timeout,
            Self::BreakerOpen { .. } | Self::Saturated => ErrorKind::Overloaded,
            Self::Unsendable { .. } => ErrorKind::InvalidRequest,
        };
        let mut error = ModelError::new(kind, self.to_string()).with_code(self.code());
        match self {
            Self::BreakerOpen { retry_after } => error.retry_after = Some(*retry_after),
            Self::Unsendable { field } => error.field = Some(field.clone()),
            _ => {}
        }
        error
    }

    /// Whether it says that something is wrong with the provider, for the breaker.
    pub(super) const fn is_failure(&self) -> bool {
        match self {
            Self::Unreachable
            | Self::Timeout(Waited::Connect | Waited::FirstByte | Waited::Idle)
            | Self::Reset
            | Self::CutOff
            | Self::Tls
            | Self::Protocol
            | Self::BadEncoding
            | Self::Panicked
            | Self::OutOfOrder { .. } => true,
            // The whole time may be the caller's, and then says nothing of the provider.
            Self::Timeout(Waited::Total)
            | Self::TooLarge { .. }
            | Self::BreakerOpen { .. }
            | Self::Saturated
            | Self::BlockedAddress
            | Self::Unsendable { .. } => false,
        }
    }
}

impl UpstreamError {
    /// The error as callers are told of it.
    #[must_use]
    pub fn model_error(&self) -> ModelError {
        self.kind.model_error()
    }
}

impl From<UpstreamErrorKind> for UpstreamError {
    fn from(kind: UpstreamErrorKind) -> Self {
        Self { kind, attempts: Vec::new() }
    }
}

impl From<UpstreamError> for ModelError {
    fn from(error: UpstreamError) -> Self {
        error.model_error()
    }
}

impl From<UpstreamErrorKind> for ModelError {
    fn from(kind: UpstreamErrorKind) -> Self {
        kind.model_error()
    }
}

impl fmt::Display for Waited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "no connection stood in time",
            Self::FirstByte => "no answer began in time",
            Self::Idle => "the answer stood still",
            Self::Total => "the time of the request was over",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_told_a_kind_a_code_and_a_pause() {
        let kinds = [
            (UpstreamErrorKind::Unreachable, 502),
            (UpstreamErrorKind::Timeout(Waited::Connect), 504),
            (UpstreamErrorKind::Timeout(Waited::Total), 504),
            (UpstreamErrorKind::Reset, 502),
            (UpstreamErrorKind::CutOff, 502),
            (UpstreamErrorKind::Tls, 502),
            (UpstreamErrorKind::Protocol, 502),
            (UpstreamErrorKind::TooLarge { limit: 7 }, 502),
            (UpstreamErrorKind::BadEncoding, 502),
            (UpstreamErrorKind::Saturated, 503),
            (UpstreamErrorKind::BlockedAddress, 502),
            (UpstreamErrorKind::Unsendable { field: "`x`".to_owned() }, 400),
        ];
        for (kind, status) in kinds {
            let error = kind.model_error();
            assert_eq!(error.kind.status(), status, "{kind:?}");
            assert_eq!(error.code.as_deref(), Some(kind.code()));
            assert_eq!(error.retry_after, None);
        }
        let open = UpstreamErrorKind::BreakerOpen { retry_after: Duration::from_secs(3) };
        let told = ModelError::from(UpstreamError::from(open));
        assert_eq!((told.kind.status(), told.retry_after), (503, Some(Duration::from_secs(3))));
    }
}
