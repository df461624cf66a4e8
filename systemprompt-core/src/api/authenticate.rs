use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderMap, StatusCode, Uri};

use super::Problem;
use crate::contract::TokenError;
use crate::id::{Audience, TraceId};
use crate::principal::Principal;

/// The part of a request that authentication may look at. Never the body.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'r> {
    /// The request's URI.
    pub uri: &'r Uri,
    /// The request's headers.
    pub headers: &'r HeaderMap,
    /// The address of the other end of the connection, if the server tells.
    pub peer: Option<IpAddr>,
    /// The request's trace.
    pub trace_id: TraceId,
}

/// Finds out who sent a request. Object-safe.
///
/// The implementation finds the credential, verifies it for the surface, counts and audits refusals
/// and slows an address down that fails too often; a valid credential is never slowed.
#[async_trait]
pub trait Authenticate: Send + Sync + 'static {
    /// Authenticates `request` on the surface `audience`.
    ///
    /// # Errors
    /// [`AuthRefusal`] when there is no credential good for that surface.
    async fn authenticate(
        &self,
        request: RequestHead<'_>,
        audience: &Audience,
    ) -> Result<Principal, AuthRefusal>;

    /// The client's address: the peer, or what a configured proxy says about it.
    fn client_addr(&self, request: RequestHead<'_>) -> Option<IpAddr>;
}

/// Why a request was not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthRefusal {
    /// No credential.
    #[error("the request carries no credential; send `Authorization: Bearer <key>`")]
    Missing,
    /// Credentials that differ, or a header that is not readable.
    #[error("the request carries more than one credential, or one that cannot be read")]
    Ambiguous,
    /// The credential was not accepted.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Too many failures from this address.
    #[error("too many failed attempts from this address")]
    TooManyFailures {
        /// When another attempt is looked at.
        retry_after: Duration,
    },
}

impl AuthRefusal {
    /// The refusal's stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Token(TokenError::Audience) => "audience_mismatch",
            Self::Token(TokenError::Unavailable) => "authentication_unavailable",
            Self::TooManyFailures { .. } => "too_many_failures",
            Self::Missing | Self::Ambiguous | Self::Token(_) => "unauthenticated",
        }
    }

    /// The refusal as a problem document: 401, 429 or 503.
    #[must_use]
    pub fn problem(&self, trace_id: TraceId) -> Problem {
        let status = match self {
            Self::TooManyFailures { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Token(TokenError::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNAUTHORIZED,
        };
        let problem = Problem::new(status, self.code(), self.to_string(), trace_id);
        match self {
            Self::TooManyFailures { retry_after } => problem.retry_after(*retry_after),
            _ => problem,
        }
    }
}
