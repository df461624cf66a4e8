//! Permits that were granted.

use systemprompt_core::clock::Timestamp;
use systemprompt_core::contract::{FoundPermit, GrantedCall, PermitState};
use systemprompt_core::database::PostgresDatabase;
use systemprompt_core::id::{PermitId, SessionId};

use super::text;
use crate::open_permit::{FoundPermitRow, LOOK_BACK, OpenPermitRow, PermitStateRow};

/// The newest open permits of a log.
pub(crate) async fn newest(
    database: &PostgresDatabase,
    log_id: i64,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<OpenPermitRow>, sqlx::Error> {
    let now = now.as_micros();
    sqlx::query_as!(
        OpenPermitRow,
        r#"SELECT d.id, d.expires_at AS "expires_at!", d.call_id AS "call_id!",
                  d.call_digest, d.detail, d.tenant_id AS "tenant_id!",
                  d.user_id AS "user_id!", d.credential_id, d.session_id
           FROM audit_events AS d
           WHERE d.log_id = $1
             AND d.seq > (SELECT greatest(l.swept_to, coalesce((SELECT max(seq) FROM audit_events WHERE log_id = l.id), 0) - $2)
                          FROM audit_logs AS l WHERE l.id = $1)
             AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL
             AND d.expires_at >= $3
             AND d.call_id IS NOT NULL
             AND (d.call_digest IS NOT NULL OR d.detail LIKE '{"sealed":%')
             AND d.tenant_id IS NOT NULL AND d.user_id IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM audit_events AS o
                             WHERE o.permit_id = d.id AND o.kind = 'outcome')
           ORDER BY d.seq DESC LIMIT $4"#,
        log_id,
        LOOK_BACK,
        now,
        i64::from(limit)
    )
    .fetch_all(database.pool())
    .await
}

/// What has become of a permit.
pub(crate) async fn state(
    database: &PostgresDatabase,
    permit: PermitId,
) -> Result<PermitState, sqlx::Error> {
    let id = permit.as_bytes().as_slice();
    let row = sqlx::query_as!(
        PermitStateRow,
        r#"SELECT d.expires_at, o.status AS "settled?"
           FROM audit_events AS d
           LEFT JOIN audit_events AS o ON o.permit_id = d.id AND o.kind = 'outcome'
           WHERE d.id = $1 AND d.kind = 'decision' AND d.decision = 'allow' AND d.permit_id IS NULL"#,
        id
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(PermitStateRow::state(row))
}

/// The newest permit that was granted for a call through a door whose clients report by call id: hooks, and
/// results of tools in requests to models. There is an index for those.
pub(crate) async fn find(
    database: &PostgresDatabase,
    call: GrantedCall<'_>,
) -> Result<Option<FoundPermit>, sqlx::Error> {
    let (tenant, user) = (call.principal.tenant().as_str(), call.principal.user().as_str());
    let (call_id, session) = (call.call_id.as_str(), call.session.map(SessionId::as_str));
    let row = sqlx::query_as!(
        FoundPermitRow,
        r#"SELECT coalesce(permit_id, id) AS "id!", server, tool, trace_id
           FROM audit_events
           WHERE call_id = $1 AND kind = 'decision' AND door IN ('hook', 'gateway') AND decision = 'allow'
             AND tenant_id = $2 AND session_id IS NOT DISTINCT FROM $4
             AND (user_id = $3 OR EXISTS (SELECT 1 FROM audit_subjects AS s
                                          WHERE s.pseudonym = audit_events.user_id
                                            AND s.tenant_id = $2 AND s.user_id = $3))
           ORDER BY occurred_at DESC, seq DESC LIMIT 1"#,
        call_id,
        tenant,
        user,
        session
    )
    .fetch_optional(database.pool())
    .await?;
    Ok(row.and_then(|row| {
        let decode = |value: Option<String>| value.map(text::decode);
        FoundPermitRow { server: decode(row.server), tool: decode(row.tool), ..row }.found()
    }))
}
