//! The sums in SQLite.

use sqlx::sqlite::SqliteConnection;

use super::{DecisionRow, Group, OutcomeRow, Range, RequestRow};
use crate::ReadScope;
use crate::analytics::UsageQuery;

/// The groups that a query sums up.
pub(in crate::analytics) async fn groups(
    connection: &mut SqliteConnection,
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
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = range;
    let rows = sqlx::query_as!(
        RequestRow,
        r#"SELECT occurred_at / 3600000000 AS "hour!: i64", tenant_id, department, user_id, agent_id,
                  detail ->> 'tool' AS "tool?: String", detail ->> 'provider' AS "provider?: String",
                  detail ->> 'model' AS "model?: String", count(*) AS "total!: i64",
                  sum(detail ->> 'status' <> 'success') AS "failed!: i64",
                  sum(detail ->> 'priced' = 0) AS "unpriced!: i64",
                  sum(detail ->> 'latency_ms') AS "latency_ms!: i64",
                  sum(detail ->> '$.tokens.input') AS "input!: i64",
                  sum(detail ->> '$.tokens.cached_input') AS "cached_input!: i64",
                  sum(detail ->> '$.tokens.cache_write') AS "cache_write!: i64",
                  sum(detail ->> '$.tokens.output') AS "output!: i64",
                  sum(detail ->> 'cost_microdollars') AS "cost!: i64"
           FROM audit_events INDEXED BY audit_events_ai_request
           WHERE kind = 'ai_request' AND occurred_at >= ? AND occurred_at < ?
             AND (? IS NULL OR tenant_id = ?)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"#,
        from,
        to,
        tenant,
        tenant
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

async fn decisions(
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = range;
    let rows = sqlx::query_as!(
        DecisionRow,
        r#"SELECT occurred_at / 3600000000 AS "hour!: i64", tenant_id, department, user_id, agent_id,
                  server, tool, decision, reason_code, count(*) AS "calls!: i64"
           FROM audit_events INDEXED BY audit_events_time
           WHERE kind = 'decision' AND occurred_at >= ? AND occurred_at < ?
             AND (? IS NULL OR tenant_id = ?)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"#,
        from,
        to,
        tenant,
        tenant
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Group::from).collect())
}

async fn outcomes(
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = range;
    let rows = sqlx::query_as!(
        OutcomeRow,
        r#"SELECT o.occurred_at / 3600000000 AS "hour!: i64", d.tenant_id, d.department, d.user_id,
                  d.agent_id, d.server, d.tool, o.status AS "status!", o.duration_ms,
                  count(*) AS "calls!: i64"
           FROM audit_events AS o INDEXED BY audit_events_time
           CROSS JOIN audit_events AS d ON d.id = o.permit_id
           WHERE o.kind = 'outcome' AND o.occurred_at >= ? AND o.occurred_at < ?
             AND (? IS NULL OR d.tenant_id = ?)
           GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"#,
        from,
        to,
        tenant,
        tenant
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Group::from).collect())
}
