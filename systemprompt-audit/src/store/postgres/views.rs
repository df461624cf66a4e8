//! Whether the log's views are those that were installed.
//!
//! The server keeps a view as a tree of its own, and gives back a text that is none of ours. So both are put
//! to the server itself: the statement that was installed and the one that is there are planned, which only
//! reads, and the plans are compared with everything that they compute, filter and join. A view over the
//! same plan shows the same rows.
//!
//! Planning runs functions that say to be immutable, so what is not the server's own is refused before.

use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, PgConnection, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};

use crate::schema;

/// The first object id that is not the server's own (`FirstNormalObjectId`).
const FIRST_FOREIGN: u64 = 16_384;

/// What is wrong, a sentence without its end each. In a transaction, which it leaves as it was.
pub(super) async fn faults(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut faults = Vec::new();
    for (view, _, sql) in schema::DEFINITIONS {
        let Some(installed) = statement(sql) else { continue };
        sqlx::query("SAVEPOINT views").execute(&mut *connection).await?;
        let fault = of_view(connection, view, installed, &mut faults).await;
        // Settings end here, too, and what the server says about a statement that is none.
        sqlx::query("ROLLBACK TO SAVEPOINT views").execute(&mut *connection).await?;
        faults.extend(fault?.map(|what| format!("the view `{view}` {what}")));
    }
    Ok(faults)
}

/// The statement of the view that `sql` makes.
fn statement(sql: &str) -> Option<&str> {
    let (_, view) = sql.split_once("CREATE VIEW ")?;
    let (_, statement) = view.split_once(" AS\n")?;
    Some(statement.trim_end().trim_end_matches(';'))
}

async fn of_view(
    connection: &mut PgConnection,
    view: &str,
    installed: &str,
    faults: &mut Vec<String>,
) -> Result<Option<&'static str>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.relkind = 'v' AS "is_view!", c.reloptions IS NOT NULL AS "changed!",
                  CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END AS "statement?",
                  (SELECT string_agg(r.ev_action::text, ' ') FROM pg_rewrite AS r
                   WHERE r.ev_class = c.oid) AS "tree?",
                  ARRAY (SELECT t.tgname::text FROM pg_trigger AS t
                         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY 1) AS "triggers!",
                  ARRAY (SELECT r.rulename::text FROM pg_rewrite AS r
                         WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN' ORDER BY 1) AS "rules!"
           FROM pg_class AS c WHERE c.oid = to_regclass($1)"#,
        view
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = row else { return Ok(Some("is missing")) };
    for name in row.triggers {
        faults.push(format!("`{name}` is a trigger on the log that was not installed"));
    }
    for name in row.rules {
        faults.push(format!("`{name}` is a rule on the log that was not installed"));
    }
    let (true, Some(there), Some(tree)) = (row.is_view, row.statement, row.tree) else {
        return Ok(Some("is no view"));
    };
    if row.changed {
        return Ok(Some("has settings that were not installed"));
    }
    if is_foreign(&tree) {
        return Ok(Some("calls functions that are not the server's own"));
    }
    steady(connection).await?;
    let there = there.trim_end().trim_end_matches(';');
    let expected = planned(connection, installed).await?;
    match planned(connection, there).await {
        Ok(planned) if planned == expected => Ok(None),
        Ok(_) | Err(sqlx::Error::Database(_)) => Ok(Some("is not the one that was installed")),
        Err(error) => Err(error),
    }
}

/// Whether a tree (`pg_node_tree`) names a function or operator that somebody has made.
fn is_foreign(tree: &str) -> bool {
    let mut words = tree.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let names_code =
            word.starts_with(':') && ["func", "fn", "opno"].iter().any(|part| word.contains(part));
        if !names_code {
            continue;
        }
        // One id, or `(o 1 2)`.
        while let Some(value) = words.next_if(|word| !word.starts_with(':')) {
            let digits = value.trim_matches(['(', ')', '}', '{']);
            if digits.parse::<u64>().is_ok_and(|id| id >= FIRST_FOREIGN) {
                return true;
            }
        }
    }
    false
}

/// Takes everything out of planning that depends on how many rows there are.
async fn steady(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"SELECT count(set_config(name, CASE vartype WHEN 'bool' THEN 'off' ELSE '1' END, true)) AS "set!"
           FROM pg_settings
           WHERE (name LIKE 'enable\_%' AND vartype = 'bool' AND context = 'user'
                  AND name NOT IN ('enable_seqscan', 'enable_nestloop'))
              OR name IN ('jit', 'geqo', 'join_collapse_limit', 'from_collapse_limit')"#
    )
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query!(
        r#"SELECT set_config('max_parallel_workers_per_gather', '0', true) AS "workers!",
                  set_config('plan_cache_mode', 'auto', true) AS "cache!""#
    )
    .fetch_one(connection)
    .await?;
    Ok(())
}

/// What a statement comes to.
#[derive(Debug, PartialEq, Eq)]
struct Planned {
    /// Names and types.
    columns: Vec<(String, String)>,
    plan: Vec<String>,
}

async fn planned(connection: &mut PgConnection, sql: &str) -> Result<Planned, sqlx::Error> {
    let prepared = connection.prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await?;
    let column = |column: &sqlx::postgres::PgColumn| {
        (column.name().to_owned(), column.type_info().name().to_owned())
    };
    let columns = prepared.columns().iter().map(column).collect();
    let explain = format!("EXPLAIN (VERBOSE, COSTS OFF) {sql}");
    let lines: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(explain)).fetch_all(connection).await?;
    let of_plan = |line: &String| !line.starts_with("Query Identifier:");
    Ok(Planned { columns, plan: lines.into_iter().filter(of_plan).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_view_has_its_statement() {
        let views = schema::DEFINITIONS.iter().filter_map(|(_, _, sql)| statement(sql));
        let views: Vec<_> = views.collect();
        assert_eq!(views.len(), 4);
        for view in views {
            assert!(view.starts_with("SELECT") && !view.contains(';'), "{view}");
        }
    }

    #[test]
    fn code_that_somebody_has_made_is_seen_in_a_tree() {
        assert!(!is_foreign(
            "({QUERY :commandType 1 :relid 16390 {OPEXPR :opno 98 :opfuncid 67 :args (..."
        ));
        assert!(is_foreign("{FUNCEXPR :funcid 16384 :funcresulttype 16"));
        assert!(is_foreign("{OPEXPR :opno 98 :opfuncid 20000}"));
        assert!(is_foreign("{AGGREF :aggfnoid 20000 :aggtype 20"));
        assert!(is_foreign("{ROWCOMPAREEXPR :rctype 1 :opnos (o 97 20000) :opfamilies"));
    }
}
