//! What the log keeps in the database.

use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

/// What is installed, in this order: a table or view, and the statements that make it in SQLite and in
/// PostgreSQL.
macro_rules! definitions {
    ($($relation:literal in $file:literal),* $(,)?) => {
        [$((
            $relation,
            include_str!(concat!("../schema/sqlite/", $file)),
            include_str!(concat!("../schema/postgres/", $file)),
        )),*]
    };
}

pub(crate) const DEFINITIONS: [(&str, &str, &str); 13] = definitions![
    "audit_installation" in "installation.sql",
    "audit_logs" in "logs.sql",
    "audit_events" in "events.sql",
    "audit_exports" in "exports.sql",
    "audit_tiles" in "tiles.sql",
    "audit_checkpoints" in "checkpoints.sql",
    "audit_subjects" in "subjects.sql",
    "audit_erasures" in "erasures.sql",
    "audit_pruned" in "pruned.sql",
    "governance_decisions" in "decisions_view.sql",
    "tool_executions" in "executions_view.sql",
    "ai_requests" in "requests_view.sql",
    "five_point_trace" in "trace_view.sql",
];

/// The tables and views of the audit log, for the schema installer.
#[must_use]
pub fn schema() -> SchemaOwner {
    DEFINITIONS.into_iter().fold(SchemaOwner::new("systemprompt-audit"), |owner, definition| {
        let (name, sqlite, postgres) = definition;
        owner.definition(SchemaDefinition::per_backend(name).sqlite(sqlite).postgres(postgres))
    })
}
