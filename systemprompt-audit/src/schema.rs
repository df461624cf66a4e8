//! What the log keeps in the database.

use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

macro_rules! definitions {
    ($($relation:literal in $file:literal),* $(,)?) => {
        [$((
            $relation,
            include_str!(concat!("../schema/sqlite/", $file)),
            include_str!(concat!("../schema/postgres/", $file)),
        )),*]
    };
}

/// The tables and views of the audit log, for the schema installer.
#[must_use]
pub fn schema() -> SchemaOwner {
    let definitions = definitions![
        "audit_installation" in "installation.sql",
        "audit_logs" in "logs.sql",
        "audit_events" in "events.sql",
        "governance_decisions" in "decisions_view.sql",
        "tool_executions" in "executions_view.sql",
        "five_point_trace" in "trace_view.sql",
    ];
    definitions.into_iter().fold(SchemaOwner::new("systemprompt-audit"), |owner, definition| {
        let (name, sqlite, postgres) = definition;
        owner.definition(SchemaDefinition::per_backend(name).sqlite(sqlite).postgres(postgres))
    })
}
