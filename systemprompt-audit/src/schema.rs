//! What the log keeps in the database.

use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

/// What is installed in SQLite, in this order: a table or view, and the statements that make it.
pub(crate) const SQLITE: [(&str, &str); 10] = [
    ("audit_installation", include_str!("../schema/sqlite/installation.sql")),
    ("audit_logs", include_str!("../schema/sqlite/logs.sql")),
    ("audit_events", include_str!("../schema/sqlite/events.sql")),
    ("audit_exports", include_str!("../schema/sqlite/exports.sql")),
    ("audit_tiles", include_str!("../schema/sqlite/tiles.sql")),
    ("audit_checkpoints", include_str!("../schema/sqlite/checkpoints.sql")),
    ("governance_decisions", include_str!("../schema/sqlite/decisions_view.sql")),
    ("tool_executions", include_str!("../schema/sqlite/executions_view.sql")),
    ("ai_requests", include_str!("../schema/sqlite/requests_view.sql")),
    ("five_point_trace", include_str!("../schema/sqlite/trace_view.sql")),
];

/// The tables and views of the audit log, for the schema installer.
#[must_use]
pub fn schema() -> SchemaOwner {
    SQLITE.into_iter().fold(SchemaOwner::new("systemprompt-audit"), |owner, (table, sql)| {
        owner.definition(SchemaDefinition::per_backend(table).sqlite(sql))
    })
}
