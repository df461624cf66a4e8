//! What starts with a prefix.

use sqlx::PgConnection;

use super::text;
use crate::query::{Named, PageSize, ReadScope, span_of_traces};

/// What starts with `prefix`.
pub(crate) async fn starting_with(
    connection: &mut PgConnection,
    scope: &ReadScope,
    prefix: &str,
    size: PageSize,
) -> Result<Vec<Named>, sqlx::Error> {
    let mut named = traces(connection, scope, prefix, size).await?;
    if named.len() >= usize::from(size.rows()) {
        return Ok(named);
    }
    let rows = sqlx::query!(
        r#"SELECT CASE WHEN starts_with(e.call_id, $1) THEN e.call_id END AS "call?",
                  CASE WHEN starts_with(e.session_id, $1) THEN e.session_id END AS "session?"
           FROM audit_events AS e
           WHERE (starts_with(e.call_id, $1) OR starts_with(e.session_id, $1))
             AND ($2::text IS NULL OR e.tenant_id = $2)
           GROUP BY 1, 2 ORDER BY max(e.occurred_at) DESC LIMIT $3"#,
        text::stored(prefix),
        scope.tenant(),
        i64::from(size.rows())
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        let decode = |found: Option<String>| found.map(text::decode);
        for found in [decode(row.call).map(Named::Call), decode(row.session).map(Named::Session)] {
            named.extend(found.filter(|found| !named.contains(found)));
        }
    }
    Ok(named)
}

async fn traces(
    connection: &mut PgConnection,
    scope: &ReadScope,
    prefix: &str,
    size: PageSize,
) -> Result<Vec<Named>, sqlx::Error> {
    let Some((first, last)) = span_of_traces(prefix) else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query_scalar!(
        "SELECT e.trace_id FROM audit_events AS e
         WHERE e.trace_id >= $1 AND e.trace_id <= $2 AND ($3::text IS NULL OR e.tenant_id = $3)
         GROUP BY e.trace_id ORDER BY max(e.occurred_at) DESC LIMIT $4",
        first,
        last,
        scope.tenant(),
        i64::from(size.rows())
    )
    .fetch_all(connection)
    .await?;
    let traces = rows.into_iter().filter_map(|trace| hex::encode(trace).parse().ok());
    Ok(traces.map(Named::Trace).collect())
}
