//! What the log says for each hour: everything else is summed up from that.

use sqlx::sqlite::SqliteConnection;
use systemprompt_core::money::Microdollars;

use super::{Calls, Figures, Outcomes, Requests, UsageQuery};
use crate::ReadScope;

/// Sums that share an hour and every property.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Hours since 1970.
    pub(super) hour: i64,
    pub(super) tenant: Option<String>,
    pub(super) department: Option<String>,
    pub(super) user: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) figures: Figures,
}

struct Range<'r> {
    tenant: Option<&'r str>,
    from: i64,
    to: i64,
}

/// The groups that a query sums up.
pub(super) async fn groups(
    connection: &mut SqliteConnection,
    scope: &ReadScope,
    query: &UsageQuery,
) -> Result<Vec<Group>, sqlx::Error> {
    let range = Range {
        tenant: scope.tenant(),
        from: query.from.map_or(i64::MIN, |at| at.as_micros()),
        to: query.to.map_or(i64::MAX, |at| at.as_micros()),
    };
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
    let rows = sqlx::query!(
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
    Ok(rows
        .into_iter()
        .map(|row| Group {
            hour: row.hour,
            tenant: row.tenant_id,
            department: row.department,
            user: row.user_id,
            agent: row.agent_id,
            tool: row.tool,
            provider: row.provider,
            model: row.model,
            reason: None,
            figures: Figures {
                requests: Requests {
                    total: count(row.total),
                    failed: count(row.failed),
                    unpriced: count(row.unpriced),
                    latency_ms: count(row.latency_ms),
                    input_tokens: count(row.input),
                    cached_input_tokens: count(row.cached_input),
                    cache_write_tokens: count(row.cache_write),
                    output_tokens: count(row.output),
                },
                cost_microdollars: Microdollars::new(row.cost),
                ..Figures::default()
            },
        })
        .collect())
}

async fn decisions(
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = range;
    let rows = sqlx::query!(
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
    let group = rows.into_iter().map(|row| {
        let calls = count(row.calls);
        let mut figures = Figures::default();
        match row.decision.as_deref() {
            Some("allow") => figures.calls = Calls { allowed: calls, ..Calls::default() },
            Some("deny") => {
                figures.calls = Calls { denied: calls, ..Calls::default() };
                let code = row.reason_code.clone().unwrap_or_default();
                figures.denials.insert(code, calls);
            }
            _ => figures.calls = Calls { pending: calls, ..Calls::default() },
        }
        Group {
            hour: row.hour,
            tenant: row.tenant_id,
            department: row.department,
            user: row.user_id,
            agent: row.agent_id,
            tool: tool(row.server, row.tool),
            reason: row.reason_code,
            figures,
            ..Group::default()
        }
    });
    Ok(group.collect())
}

async fn outcomes(
    connection: &mut SqliteConnection,
    range: &Range<'_>,
) -> Result<Vec<Group>, sqlx::Error> {
    let Range { tenant, from, to } = range;
    let rows = sqlx::query!(
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
    let group = rows.into_iter().map(|row| {
        let calls = count(row.calls);
        let mut figures = Figures::default();
        let outcomes = &mut figures.outcomes;
        match row.status.as_str() {
            "success" => *outcomes = Outcomes { success: calls, ..Outcomes::default() },
            "timeout" => *outcomes = Outcomes { timeout: calls, ..Outcomes::default() },
            "abandoned" => *outcomes = Outcomes { abandoned: calls, ..Outcomes::default() },
            _ => *outcomes = Outcomes { failed: calls, ..Outcomes::default() },
        }
        if let Some(duration) = row.duration_ms.filter(|_| row.status != "abandoned") {
            figures.durations.insert(count(duration), calls);
        }
        Group {
            hour: row.hour,
            tenant: row.tenant_id,
            department: row.department,
            user: row.user_id,
            agent: row.agent_id,
            tool: tool(row.server, row.tool),
            figures,
            ..Group::default()
        }
    });
    Ok(group.collect())
}

/// The tool as clients name it.
fn tool(server: Option<String>, tool: Option<String>) -> Option<String> {
    match server {
        Some(server) => tool.map(|tool| format!("mcp__{server}__{tool}")),
        None => tool,
    }
}

/// A count; the log writes none below zero.
fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
