use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

macro_rules! tables {
    ($($table:literal),* $(,)?) => {
        [$((
            $table,
            include_str!(concat!("../schema/sqlite/", $table, ".sql")),
            include_str!(concat!("../schema/postgres/", $table, ".sql")),
        )),*]
    };
}

/// The tables of this crate, for the host's `SchemaInstaller`.
#[must_use]
pub fn schema() -> SchemaOwner {
    let tables = tables!["budget_windows", "budget_reservations"];
    tables.into_iter().fold(SchemaOwner::new("systemprompt-providers"), |owner, table| {
        let (name, sqlite, postgres) = table;
        owner.definition(SchemaDefinition::per_backend(name).sqlite(sqlite).postgres(postgres))
    })
}
