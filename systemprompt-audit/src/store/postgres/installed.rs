//! Whether the log's tables and indexes are those that were installed.
//!
//! What was installed is read from the statements that install it.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use crate::schema;

/// The tables that verification reads.
const TABLES: [&str; 5] =
    ["audit_events", "audit_logs", "audit_tiles", "audit_checkpoints", "audit_pruned"];

/// A column of a table.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Column {
    name: String,
    of: String,
    required: bool,
}

/// An index of a table.
#[derive(Debug, PartialEq, Eq)]
struct Index {
    name: String,
    unique: bool,
    /// Its columns, with commas between them.
    columns: String,
    /// Whether it has only some of the rows.
    partial: bool,
}

/// What is wrong, a sentence without its end each.
pub(super) async fn faults(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let mut faults = Vec::new();
    for (table, _, sql) in schema::DEFINITIONS.iter().filter(|(name, ..)| TABLES.contains(name)) {
        of_relation(connection, table, &mut faults).await?;
        if columns(connection, table).await? != installed_columns(sql) {
            faults.push(format!("the table `{table}` has not the columns that were installed"));
        }
        let there = indexes(connection, table).await?;
        for index in installed_indexes(sql, table) {
            match there.iter().find(|(other, _)| other.name == index.name) {
                None => faults.push(format!("the index `{}` is missing", index.name)),
                Some((_, false)) => {
                    faults.push(format!("the index `{}` is not usable", index.name));
                }
                Some((other, _)) if *other != index => {
                    faults.push(format!(
                        "the index `{}` is not the one that was installed",
                        index.name
                    ));
                }
                Some(_) => {}
            }
        }
        for (other, _) in there.iter().filter(|(_, usable)| !usable) {
            if !faults.iter().any(|fault| fault.contains(&other.name)) {
                faults.push(format!("the index `{}` is not usable", other.name));
            }
        }
    }
    Ok(faults)
}

/// What makes a relation show or keep other rows than those that were written.
async fn of_relation(
    connection: &mut PgConnection,
    table: &str,
    faults: &mut Vec<String>,
) -> Result<(), sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.relkind = 'r' AND a.amname = 'heap' AS "plain?",
                  c.relpersistence = 'p' AS "lasting!",
                  c.relrowsecurity AS "secured!",
                  EXISTS (SELECT 1 FROM pg_inherits AS i WHERE c.oid IN (i.inhparent, i.inhrelid))
                      AS "inherits!",
                  ARRAY (SELECT t.tgname::text FROM pg_trigger AS t
                         WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY 1) AS "triggers!",
                  ARRAY (SELECT r.rulename::text FROM pg_rewrite AS r
                         WHERE r.ev_class = c.oid ORDER BY 1) AS "rules!",
                  ARRAY (SELECT p.polname::text FROM pg_policy AS p
                         WHERE p.polrelid = c.oid ORDER BY 1) AS "policies!"
           FROM pg_class AS c LEFT JOIN pg_am AS a ON a.oid = c.relam
           WHERE c.oid = to_regclass($1)"#,
        table
    )
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else {
        faults.push(format!("the table `{table}` is missing"));
        return Ok(());
    };
    if row.plain != Some(true) {
        faults.push(format!("`{table}` is not a plain table"));
    }
    if !row.lasting {
        faults.push(format!("the table `{table}` does not outlive a crash of the server"));
    }
    if row.secured {
        faults.push(format!("the table `{table}` hides rows by row security"));
    }
    if row.inherits {
        faults.push(format!("the table `{table}` shares rows with another one by inheritance"));
    }
    for name in row.triggers {
        faults.push(format!("`{name}` is a trigger on the log that was not installed"));
    }
    for name in row.rules {
        faults.push(format!("`{name}` is a rule on the log that was not installed"));
    }
    for name in row.policies {
        faults.push(format!(
            "`{name}` is a policy of row security on the log that was not installed"
        ));
    }
    Ok(())
}

async fn columns(
    connection: &mut PgConnection,
    table: &str,
) -> Result<BTreeSet<Column>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Column,
        r#"SELECT a.attname::text AS "name!",
                  format_type(a.atttypid, a.atttypmod)
                      || CASE WHEN a.attgenerated <> '' THEN ' generated' ELSE '' END AS "of!",
                  a.attnotnull AS "required!"
           FROM pg_attribute AS a
           WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped"#,
        table
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().collect())
}

/// The indexes of a table, each with whether it can be relied on: it is complete, and compares as the
/// server itself does.
async fn indexes(
    connection: &mut PgConnection,
    table: &str,
) -> Result<Vec<(Index, bool)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT c.relname::text AS "name!", i.indisunique AS "unique!",
                  (SELECT string_agg(pg_get_indexdef(i.indexrelid, k::int, true), ',' ORDER BY k)
                   FROM generate_series(1, i.indnkeyatts) AS k) AS "columns!",
                  i.indpred IS NOT NULL AS "partial!",
                  i.indisvalid AND i.indisready AND i.indislive AND NOT EXISTS (
                      SELECT 1 FROM unnest(i.indclass) AS of (oid)
                      LEFT JOIN pg_opclass AS o ON o.oid = of.oid
                      LEFT JOIN pg_namespace AS n ON n.oid = o.opcnamespace
                      WHERE n.nspname IS DISTINCT FROM 'pg_catalog') AS "usable!"
           FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
           WHERE i.indrelid = to_regclass($1) ORDER BY 1"#,
        table
    )
    .fetch_all(connection)
    .await?;
    let index = rows.into_iter().map(|row| {
        let (name, unique, columns, partial) = (row.name, row.unique, row.columns, row.partial);
        (Index { name, unique, columns, partial }, row.usable)
    });
    Ok(index.collect())
}

/// The statements of `sql`, without comments, each in one line.
fn statements(sql: &str) -> Vec<String> {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or_default().trim());
    let text = lines.collect::<Vec<_>>().join(" ");
    text.split(';').map(|statement| statement.trim().to_owned()).collect()
}

/// The columns of the table that `sql` makes.
fn installed_columns(sql: &str) -> BTreeSet<Column> {
    let statements = statements(sql);
    let table = statements.iter().find_map(|text| text.strip_prefix("CREATE TABLE "));
    let body = table.and_then(|text| text.split_once('(')).map_or("", |(_, body)| body);
    let body = body.strip_suffix(')').unwrap_or(body);
    let column = |text: &str| {
        let mut words = text.split_whitespace();
        Some(Column {
            name: words.next()?.to_owned(),
            of: words.next()?.to_ascii_lowercase(),
            required: text.contains("NOT NULL") || text.contains("PRIMARY KEY"),
        })
    };
    body.split(',').filter_map(column).collect()
}

/// The indexes of `table` that `sql` makes. Those of keys have names of the server's own.
fn installed_indexes(sql: &str, table: &str) -> Vec<Index> {
    // An index may be made beside another table than its own.
    let all = schema::DEFINITIONS.iter().map(|(_, _, other)| *other);
    let all = if table == "audit_events" { all.collect() } else { vec![sql] };
    let index = |text: &String| {
        let (unique, text) = match text.strip_prefix("CREATE UNIQUE INDEX ") {
            Some(text) => (true, text),
            None => (false, text.strip_prefix("CREATE INDEX ")?),
        };
        let (name, on) = text.split_once(" ON ")?;
        let (on, rest) = on.split_once(" (")?;
        let (columns, rest) = rest.split_once(')')?;
        let columns = columns.replace(' ', "");
        let partial = rest.contains("WHERE");
        (on == table).then(|| Index { name: name.to_owned(), unique, columns, partial })
    };
    let statements: Vec<_> = all.into_iter().flat_map(statements).collect();
    statements.iter().filter_map(index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(table: &str) -> &'static str {
        schema::DEFINITIONS.iter().find(|(name, ..)| *name == table).unwrap().2
    }

    #[test]
    fn the_statements_that_install_are_understood() {
        let events = installed_columns(sql("audit_events"));
        assert_eq!(events.len(), crate::scanned_row::COLUMNS + 4);
        let seq = Column { name: "seq".into(), of: "bigint".into(), required: true };
        let tool = Column { name: "tool".into(), of: "text".into(), required: false };
        assert!(events.contains(&seq) && events.contains(&tool));
        let logs = installed_columns(sql("audit_logs"));
        assert!(logs.iter().all(|column| column.required), "{logs:?}");
        assert_eq!(logs.len(), 5);

        let indexes = installed_indexes(sql("audit_tiles"), "audit_tiles");
        let position = Index {
            name: "audit_tiles_position".into(),
            unique: true,
            columns: "log_id,level,idx".into(),
            partial: false,
        };
        assert_eq!(indexes, [position]);
        assert!(installed_indexes(sql("audit_events"), "audit_events").len() > 10);
    }
}
