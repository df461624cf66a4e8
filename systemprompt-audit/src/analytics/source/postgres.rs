//! The sums in PostgreSQL.

use sqlx::PgConnection;

use super::{DecisionRow, Group, OutcomeRow, Range, RequestRow};
use crate::ReadScope;
use crate::analytics::UsageQuery;
use crate::store::postgres::text;

/// The groups that a query sums up.
pub(in crate::analytics) async fn groups(
    connection: &mut PgConnection,
    scope: &ReadScope,
    query: &UsageQuery,
) -> Result<Vec<Group>, sqlx::Error> {
    let range = Range::of(scope, query);
    let mut groups = Vec::new();
    if query.subject.has_requests() {
        groups.extend(requests(connection, &range).await?);
    }
    if query.subject.has_calls() {
        groups.extend(decisions(connection, &range).await?);
        groups.extend(outcomes(connection, &range).await?);
    }
    Ok(groups)
}

async fn requests(
    connection: &mut PgConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = *range;
    // No text of PostgreSQL holds a NUL, not even one that JSON writes as an escape.
    let rows = sqlx::query_as!(
        RequestRow,
        r#"SELECT e.occurred_at / 3600000000 AS "hour!", e.tenant_id, e.department, e.user_id, e.agent_id,
                  d.body ->> 'tool' AS tool, d.body ->> 'provider' AS provider,
                  d.body ->> 'model' AS model, count(*) AS "total!",
                  count(*) FILTER (WHERE d.body ->> 'status' <> 'success') AS "failed!",
                  count(*) FILTER (WHERE d.body ->> 'priced' = 'false') AS "unpriced!",
                  coalesce(sum((d.body ->> 'latency_ms')::bigint), 0)::bigint AS "latency_ms!",
                  coalesce(sum((d.body #>> '{tokens,input}')::bigint), 0)::bigint AS "input!",
                  coalesce(sum((d.body #>> '{tokens,cached_input}')::bigint), 0)::bigint
                      AS "cached_input!",
                  coalesce(sum((d.body #>> '{tokens,cache_write}')::bigint), 0)::bigint
                      AS "cache_write!",
                  coalesce(sum((d.body #>> '{tokens,output}')::bigint), 0)::bigint AS "output!",
                  coalesce(sum((d.body ->> 'cost_microdollars')::bigint), 0)::bigint AS "cost!"
           FROM audit_events AS e
           CROSS JOIN LATERAL (SELECT replace(e.detail, '\u0000', '\ufffd')::json) AS d (body)
           WHERE e.kind NOT IN ('decision', 'outcome') AND e.kind = 'ai_request'
             AND e.occurred_at >= $1 AND e.occurred_at < $2
             AND ($3::text IS NULL OR e.tenant_id = $3)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"#,
        from,
        to,
        tenant
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

async fn decisions(
    connection: &mut PgConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = *range;
    let rows = sqlx::query_as!(
        DecisionRow,
        r#"SELECT e.occurred_at / 3600000000 AS "hour!", e.tenant_id, e.department, e.user_id, e.agent_id,
                  e.server, e.tool, e.decision, e.reason_code, count(*) AS "calls!"
           FROM audit_events AS e
           WHERE e.kind = 'decision' AND e.occurred_at >= $1 AND e.occurred_at < $2
             AND ($3::text IS NULL OR e.tenant_id = $3)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"#,
        from,
        to,
        tenant
    )
    .fetch_all(connection)
    .await?;
    let decode = |row: DecisionRow| DecisionRow {
        server: row.server.map(text::decode),
        tool: row.tool.map(text::decode),
        ..row
    };
    Ok(rows.into_iter().map(decode).map(Group::from).collect())
}

async fn outcomes(
    connection: &mut PgConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = *range;
    let rows = sqlx::query_as!(
        OutcomeRow,
        r#"SELECT o.occurred_at / 3600000000 AS "hour!", d.tenant_id, d.department, d.user_id,
                  d.agent_id, d.server, d.tool, coalesce(o.status, '') AS "status!", o.duration_ms,
                  count(*) AS "calls!"
           FROM audit_events AS o JOIN audit_events AS d ON d.id = o.permit_id
           WHERE o.kind = 'outcome' AND o.occurred_at >= $1 AND o.occurred_at < $2
             AND ($3::text IS NULL OR d.tenant_id = $3)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"#,
        from,
        to,
        tenant
    )
    .fetch_all(connection)
    .await?;
    let decode = |row: OutcomeRow| OutcomeRow {
        server: row.server.map(text::decode),
        tool: row.tool.map(text::decode),
        ..row
    };
    Ok(rows.into_iter().map(decode).map(Group::from).collect())
}
