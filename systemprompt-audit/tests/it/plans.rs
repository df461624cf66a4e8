//! How SQLite runs the queries of the log: none that a caller can bring about looks at every event.

use std::path::Path;

use sqlx::{AssertSqlSafe, Row as _};

use crate::fixture::Fixture;

/// Look at every event, and belong to the command line alone.
const OF_THE_COMMAND_LINE: [&str; 2] =
    ["substr(call_id, 1, length(?))", "WHERE user_id = ? AND kind IS NOT NULL"];

/// The texts of all checked queries of this crate.
fn queries() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let cached = std::fs::read(entry.unwrap().path()).unwrap();
        let cached: serde_json::Value = serde_json::from_slice(&cached).unwrap();
        if cached["db_name"] != "SQLite" {
            continue;
        }
        texts.push(cached["query"].as_str().unwrap().to_owned());
    }
    texts
}

async fn plan(fixture: &Fixture, query: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
    let steps = sqlx::query(explain).fetch_all(fixture.pool.sqlite().unwrap()).await.unwrap();
    steps.iter().map(|step| step.get("detail")).collect()
}

fn scans_events(step: &str) -> bool {
    ["SCAN audit_events", "SCAN d", "SCAN e", "SCAN o"].iter().any(|scan| {
        step.strip_prefix(scan).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}

#[tokio::test]
async fn no_query_scans_the_events() {
    let fixture = Fixture::sqlite().await;
    // The index has a file of its own; here its tables are beside the others.
    let index = include_str!("../../schema/sqlite-index/index.sql");
    sqlx::raw_sql(index).execute(fixture.pool.sqlite().unwrap()).await.unwrap();
    let (mut seen, mut of_the_command_line) = (0, 0);
    for query in queries() {
        if ["BEGIN", "ROLLBACK", "PRAGMA"].iter().any(|word| query.starts_with(word)) {
            continue;
        }
        let plan = plan(&fixture, &query).await;
        if OF_THE_COMMAND_LINE.iter().any(|text| query.contains(text)) {
            of_the_command_line += 1;
            assert!(plan.iter().any(|step| scans_events(step)), "the test sees no scan: {plan:?}");
            continue;
        }
        assert!(!plan.iter().any(|step| scans_events(step)), "{query}\n{plan:#?}");
        seen += usize::from(query.contains("audit_events"));
    }
    assert!(seen >= 8, "only {seen} queries of the events");
    assert_eq!(of_the_command_line, OF_THE_COMMAND_LINE.len());
}

#[tokio::test]
async fn a_permit_is_found_by_its_call_with_one_look() {
    let fixture = Fixture::sqlite().await;
    let find =
        queries().into_iter().find(|query| query.contains("door IN ('hook', 'gateway')")).unwrap();
    let plan = plan(&fixture, &find).await;
    let [look, _, owner] = plan.as_slice() else { panic!("{plan:?}") };
    assert_eq!(look, "SEARCH audit_events USING INDEX audit_events_call (call_id=?)");
    assert_eq!(owner, "SEARCH s USING INDEX audit_subjects_pseudonym (pseudonym=?)");
}
