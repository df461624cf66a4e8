//! What the log says for each hour: everything else is summed up from that.

#[cfg(feature = "postgres")]
pub(super) mod postgres;
#[cfg(feature = "sqlite")]
pub(super) mod sqlite;

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

/// Of which events.
struct Range<'r> {
    tenant: Option<&'r str>,
    from: i64,
    to: i64,
}

impl<'r> Range<'r> {
    fn of(scope: &'r ReadScope, query: &UsageQuery) -> Self {
        Self {
            tenant: scope.tenant(),
            from: query.from.map_or(i64::MIN, |at| at.as_micros()),
            to: query.to.map_or(i64::MAX, |at| at.as_micros()),
        }
    }
}

/// Requests to models that share an hour and every property.
struct RequestRow {
    hour: i64,
    tenant_id: Option<String>,
    department: Option<String>,
    user_id: Option<String>,
    agent_id: Option<String>,
    tool: Option<String>,
    provider: Option<String>,
    model: Option<String>,
    total: i64,
    failed: i64,
    unpriced: i64,
    latency_ms: i64,
    input: i64,
    cached_input: i64,
    cache_write: i64,
    output: i64,
    cost: i64,
}

impl From<RequestRow> for Group {
    fn from(row: RequestRow) -> Self {
        Group {
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
        }
    }
}

/// Decisions that share an hour and every property.
struct DecisionRow {
    hour: i64,
    tenant_id: Option<String>,
    department: Option<String>,
    user_id: Option<String>,
    agent_id: Option<String>,
    server: Option<String>,
    tool: Option<String>,
    decision: Option<String>,
    reason_code: Option<String>,
    calls: i64,
}

impl From<DecisionRow> for Group {
    fn from(row: DecisionRow) -> Self {
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
    }
}

/// Outcomes that share an hour, a status, a duration and every property.
struct OutcomeRow {
    hour: i64,
    tenant_id: Option<String>,
    department: Option<String>,
    user_id: Option<String>,
    agent_id: Option<String>,
    server: Option<String>,
    tool: Option<String>,
    status: String,
    duration_ms: Option<i64>,
    calls: i64,
}

impl From<OutcomeRow> for Group {
    fn from(row: OutcomeRow) -> Self {
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
    }
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
