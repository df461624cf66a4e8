//! What the log keeps in the database.

use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

/// The tables and views of the audit log, for the schema installer.
#[must_use]
pub fn schema() -> SchemaOwner {
    let sqlite = |table, sql| SchemaDefinition::per_backend(table).sqlite(sql);
    SchemaOwner::new("systemprompt-audit")
        .definition(sqlite("audit_installation", include_str!("../schema/sqlite/installation.sql")))
        .definition(sqlite("audit_logs", include_str!("../schema/sqlite/logs.sql")))
        .definition(sqlite("audit_events", include_str!("../schema/sqlite/events.sql")))
        .definition(sqlite("audit_exports", include_str!("../schema/sqlite/exports.sql")))
        .definition(sqlite("audit_tiles", include_str!("../schema/sqlite/tiles.sql")))
        .definition(sqlite("audit_checkpoints", include_str!("../schema/sqlite/checkpoints.sql")))
        .definition(sqlite(
            "governance_decisions",
            include_str!("../schema/sqlite/decisions_view.sql"),
        ))
        .definition(sqlite("tool_executions", include_str!("../schema/sqlite/executions_view.sql")))
        .definition(sqlite("ai_requests", include_str!("../schema/sqlite/requests_view.sql")))
        .definition(sqlite("five_point_trace", include_str!("../schema/sqlite/trace_view.sql")))
}
