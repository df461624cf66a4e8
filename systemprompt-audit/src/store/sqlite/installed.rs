//! Whether the log's tables, indexes and views are those that were installed, and agree with each other.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::schema;

/// The tables that verification reads, with the question whether they and their indexes agree.
///
/// A row of a table that an index lacks, which who may write the schema can bring about, is seen by some
/// queries and not by others. Statements and no functions: nothing in the schema can answer in their place.
const CHECKS: [(&str, &str); 4] = [
    ("audit_events", "PRAGMA main.integrity_check('audit_events')"),
    ("audit_logs", "PRAGMA main.integrity_check('audit_logs')"),
    ("audit_tiles", "PRAGMA main.integrity_check('audit_tiles')"),
    ("audit_checkpoints", "PRAGMA main.integrity_check('audit_checkpoints')"),
];

/// A line of the schema.
#[derive(Debug, PartialEq, Eq)]
struct Object {
    kind: String,
    name: String,
    on: String,
    sql: String,
}

/// What is wrong with the schema or between tables and indexes, a sentence without its end each.
pub(super) async fn faults(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let there = objects(connection).await?;
    let mut faults = schema_faults(&installed().await?, &there);
    for (table, check) in CHECKS {
        let said: Vec<String> = sqlx::query_scalar(check).fetch_all(&mut *connection).await?;
        if let Some(first) = said.first().filter(|first| *first != "ok") {
            let more = match said.len() {
                1 => String::new(),
                all => format!(" (and {} more)", all - 1),
            };
            faults.push(format!(
                "the table `{table}` and its indexes do not agree, so that not every query sees every row: \
                 {first}{more}"
            ));
        }
    }
    Ok(faults)
}

/// The schema of a database that was just installed.
async fn installed() -> Result<Vec<Object>, sqlx::Error> {
    let mut fresh = SqliteConnectOptions::new().in_memory(true).connect().await?;
    for (_, sql, _) in schema::DEFINITIONS {
        sqlx::raw_sql(sql).execute(&mut fresh).await?;
    }
    let objects = objects(&mut fresh).await?;
    fresh.close().await?;
    Ok(objects)
}

async fn objects(connection: &mut SqliteConnection) -> Result<Vec<Object>, sqlx::Error> {
    sqlx::query_as!(
        Object,
        r#"SELECT coalesce(CAST(type AS TEXT), '') AS "kind!: String",
                  coalesce(CAST(name AS TEXT), '') AS "name!: String",
                  coalesce(CAST(tbl_name AS TEXT), '') AS "on!: String",
                  coalesce(CAST(sql AS TEXT), '') AS "sql!: String"
           FROM main.sqlite_master"#
    )
    .fetch_all(connection)
    .await
}

fn schema_faults(installed: &[Object], there: &[Object]) -> Vec<String> {
    let mut faults = Vec::new();
    for object in installed {
        let Object { kind, name, .. } = object;
        let mut same = there.iter().filter(|other| other.name.eq_ignore_ascii_case(name));
        match (same.next(), same.next()) {
            (None, _) => faults.push(format!("the {kind} `{name}` is missing")),
            (Some(other), None) if other == object => {}
            _ => faults.push(format!("the {kind} `{name}` is not the one that was installed")),
        }
    }
    let foreign =
        there.iter().filter(|object| !installed.iter().any(|own| own.name == object.name));
    for Object { name, on, sql, .. } in foreign {
        let sql = sql.to_ascii_lowercase();
        // Only the text counts for the database; the columns beside it may say what they like.
        let of = |own: &Object| on.eq_ignore_ascii_case(&own.name) || sql.contains(&own.name);
        if sql.contains("trigger") && installed.iter().any(of) {
            faults.push(format!("`{name}` is a trigger on the log that was not installed"));
        }
    }
    faults
}
