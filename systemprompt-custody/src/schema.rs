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
    let tables = tables![
        "secrets",
        "secret_versions",
        "secret_grants",
        "secret_grant_tags",
        "secret_last_uses",
    ];
    tables.into_iter().fold(SchemaOwner::new("systemprompt-custody"), |owner, table| {
        let (name, sqlite, postgres) = table;
        owner.definition(SchemaDefinition::per_backend(name).sqlite(sqlite).postgres(postgres))
    })
}
