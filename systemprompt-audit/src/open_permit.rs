use sqlx::sqlite::SqlitePool;
use systemprompt_core::call::Digest;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{FoundPermit, GrantedCall, PermitState};
use systemprompt_core::database::DbPool;
use systemprompt_core::id::{CallId, PermitId, SessionId, TenantId, TokenId, UserId};

/// How far back [`newest`] looks.
const LOOK_BACK: i64 = 20_000;

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

/// The newest open permits of a log.
pub(crate) async fn newest(
    pool: &DbPool,
    log_id: i64,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OpenPermit>, sqlx::Error> {
    let now = now.as_micros();
    let rows = sqlx::query!(
        r#"SELECT d.id, d.expires_at AS "expires_at!", d.call_id AS "call_id!", d.call_digest AS "call_digest!",
                  d.tenant_id AS "tenant_id!", d.user_id AS "user_id!", d.credential_id, d.session_id
           FROM audit_events AS d
           WHERE d.log_id = ?
             AND d.seq > (SELECT max(l.swept_to, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0) - ?)
                          FROM audit_logs AS l WHERE l.id = ?)
             AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL
             AND d.expires_at >= ?
             AND d.call_id IS NOT NULL AND d.call_digest IS NOT NULL
             AND d.tenant_id IS NOT NULL AND d.user_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM audit_events AS o
                             WHERE o.permit_id = d.id AND o.kind = 'outcome')
           ORDER BY d.seq DESC LIMIT ?"#,
        log_id,
        LOOK_BACK,
        log_id,
        now,
        limit
    )
    .fetch_all(pool.sqlite())
    .await?;
    let permits = rows.into_iter().filter_map(|row| {
        Some(OpenPermit {
            permit: PermitId::from_bytes(row.id.try_into().ok()?),
            expires_at: Timestamp::from_micros(row.expires_at),
            call_id: row.call_id.parse().ok()?,
            call_digest: Digest::from_bytes(row.call_digest.try_into().ok()?),
            tenant: row.tenant_id.parse().ok()?,
            user: row.user_id.parse().ok()?,
            credential: row.credential_id.and_then(|id| id.parse().ok()),
            session: row.session_id.and_then(|id| id.parse().ok()),
        })
    });
    Ok(permits.collect())
}

/// What has become of a permit.
pub(crate) async fn state(pool: &DbPool, permit: PermitId) -> Result<PermitState, sqlx::Error> {
    let id = permit.as_bytes().as_slice();
    let row = sqlx::query!(
        r#"SELECT d.expires_at, o.status AS "settled?"
           FROM audit_events AS d
           LEFT JOIN audit_events AS o ON o.permit_id = d.id AND o.kind = 'outcome'
           WHERE d.id = ? AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL"#,
        id
    )
    .fetch_optional(pool.sqlite())
    .await?;
    Ok(match row {
        None => PermitState::Unknown,
        Some(row) if row.settled.is_some() => PermitState::Settled,
        Some(row) => PermitState::Open {
            expires_at: Timestamp::from_micros(row.expires_at.unwrap_or_default()),
        },
    })
}

/// The newest permit that was granted for a call through the hook door, the one whose clients report by
/// call id and for which there is an index.
pub(crate) async fn find(
    pool: &DbPool,
    call: GrantedCall<'_>,
) -> Result<Option<FoundPermit>, sqlx::Error> {
    let sqlite: &SqlitePool = pool.sqlite();
    let (tenant, user) = (call.principal.tenant().as_str(), call.principal.user().as_str());
    let (call_id, session) = (call.call_id.as_str(), call.session.map(SessionId::as_str));
    let row = sqlx::query!(
        r#"SELECT coalesce(permit_id, id) AS "id!: Vec<u8>", server, tool, trace_id
           FROM audit_events
           WHERE call_id = ? AND kind = 'decision' AND door = 'hook' AND decision = 'allow'
             AND tenant_id = ? AND user_id = ? AND session_id IS ?
           ORDER BY occurred_at DESC, rowid DESC LIMIT 1"#,
        call_id,
        tenant,
        user,
        session
    )
    .fetch_optional(sqlite)
    .await?;
    Ok(row.and_then(|row| {
        Some(FoundPermit {
            id: PermitId::from_bytes(row.id.try_into().ok()?),
            server: row.server.map(Into::into),
            tool: row.tool.unwrap_or_default().into(),
            trace_id: hex::encode(row.trace_id).parse().ok()?,
        })
    }))
}
