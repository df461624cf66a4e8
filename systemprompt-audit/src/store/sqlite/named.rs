//! What starts with a prefix.

use sqlx::sqlite::SqliteConnection;

use crate::query::{Named, PageSize, ReadScope, span_of_traces};

/// What starts with `prefix`.
pub(crate) async fn starting_with(
    connection: &mut SqliteConnection,
    scope: &ReadScope,
    prefix: &str,
    size: PageSize,
) -> Result<Vec<Named>, sqlx::Error> {
    let mut named = traces(connection, scope, prefix, size).await?;
    if named.len() >= usize::from(size.rows()) {
        return Ok(named);
    }
    let (tenant, limit) = (scope.tenant(), size.rows());
    let rows = sqlx::query!(
        r#"SELECT CASE WHEN substr(call_id, 1, length(?)) = ? THEN call_id END AS "call?: String",
                  CASE WHEN substr(session_id, 1, length(?)) = ? THEN session_id END
                      AS "session?: String"
           FROM audit_events
           WHERE (substr(call_id, 1, length(?)) = ? OR substr(session_id, 1, length(?)) = ?)
             AND (? IS NULL OR tenant_id = ?)
           GROUP BY 1, 2 ORDER BY max(occurred_at) DESC LIMIT ?"#,
        prefix,
        prefix,
        prefix,
        prefix,
        prefix,
        prefix,
        prefix,
        prefix,
        tenant,
        tenant,
        limit
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        for found in [row.call.map(Named::Call), row.session.map(Named::Session)] {
            named.extend(found.filter(|found| !named.contains(found)));
        }
    }
    Ok(named)
}

async fn traces(
    connection: &mut SqliteConnection,
    scope: &ReadScope,
    prefix: &str,
    size: PageSize,
) -> Result<Vec<Named>, sqlx::Error> {
    let Some((first, last)) = span_of_traces(prefix) else {
        return Ok(Vec::new());
    };
    let (tenant, limit) = (scope.tenant(), size.rows());
    let rows = sqlx::query!(
        r#"SELECT trace_id AS "trace_id!", max(occurred_at) AS "at!: i64" FROM audit_events
           WHERE trace_id >= ? AND trace_id <= ? AND (? IS NULL OR tenant_id = ?)
           GROUP BY trace_id ORDER BY max(occurred_at) DESC LIMIT ?"#,
        first,
        last,
        tenant,
        tenant,
        limit
    )
    .fetch_all(connection)
    .await?;
    let traces = rows.into_iter().filter_map(|row| hex::encode(row.trace_id).parse().ok());
    Ok(traces.map(Named::Trace).collect())
}
