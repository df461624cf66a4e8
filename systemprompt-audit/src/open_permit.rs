use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{FoundPermit, PermitState};
use systemprompt_core::id::{CallId, PermitId, SessionId, TenantId, TokenId, UserId};

/// How far back those who look for open permits go, in places of the log.
pub(crate) const LOOK_BACK: i64 = 20_000;

/// A permit that was granted and neither settled nor expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPermit {
    /// The permit.
    pub permit: PermitId,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
    /// The call it was granted for.
    pub call_id: CallId,
    /// What it is bound to.
    pub call_digest: Digest,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The user it belongs to.
    pub user: UserId,
    /// The credential that asked.
    pub credential: Option<TokenId>,
    /// The session.
    pub session: Option<SessionId>,
}

/// An open permit as it is stored.
pub(crate) struct OpenPermitRow {
    pub(crate) id: Vec<u8>,
    pub(crate) expires_at: i64,
    pub(crate) call_id: String,
    pub(crate) call_digest: Option<Vec<u8>>,
    pub(crate) detail: Option<String>,
    pub(crate) tenant_id: String,
    pub(crate) user_id: String,
    pub(crate) credential_id: Option<String>,
    pub(crate) session_id: Option<String>,
}

impl OpenPermitRow {
    /// The permit; `None` when the row cannot be read.
    pub(crate) fn permit(self) -> Option<OpenPermit> {
        Some(OpenPermit {
            permit: PermitId::from_bytes(self.id.try_into().ok()?),
            expires_at: Timestamp::from_micros(self.expires_at),
            call_id: self.call_id.parse().ok()?,
            call_digest: Digest::from_bytes(self.call_digest?.try_into().ok()?),
            tenant: self.tenant_id.parse().ok()?,
            user: self.user_id.parse().ok()?,
            credential: self.credential_id.and_then(|id| id.parse().ok()),
            session: self.session_id.and_then(|id| id.parse().ok()),
        })
    }
}

/// What has become of a permit, as it is stored.
pub(crate) struct PermitStateRow {
    pub(crate) expires_at: Option<i64>,
    pub(crate) settled: Option<String>,
}

impl PermitStateRow {
    pub(crate) fn state(row: Option<Self>) -> PermitState {
        match row {
            None => PermitState::Unknown,
            Some(row) if row.settled.is_some() => PermitState::Settled,
            Some(row) => PermitState::Open {
                expires_at: Timestamp::from_micros(row.expires_at.unwrap_or_default()),
            },
        }
    }
}

/// A permit that was found by its call, as it is stored.
pub(crate) struct FoundPermitRow {
    pub(crate) id: Vec<u8>,
    pub(crate) server: Option<String>,
    pub(crate) tool: Option<String>,
    pub(crate) trace_id: Vec<u8>,
}

impl FoundPermitRow {
    /// The permit; `None` when the row cannot be read.
    pub(crate) fn found(self) -> Option<FoundPermit> {
        Some(FoundPermit {
            id: PermitId::from_bytes(self.id.try_into().ok()?),
            server: self.server.map(Into::into),
            tool: self.tool.unwrap_or_default().into(),
            trace_id: hex::encode(self.trace_id).parse().ok()?,
        })
    }
}
