use systemprompt_core::database::{SchemaDefinition, SchemaOwner};

/// The tables of this crate, for the host's `SchemaInstaller`.
#[must_use]
pub fn schema() -> SchemaOwner {
    [
        ("tenants", include_str!("../schema/tenants.sql")),
        ("roles", include_str!("../schema/roles.sql")),
        ("departments", include_str!("../schema/departments.sql")),
        ("users", include_str!("../schema/users.sql")),
        ("api_keys", include_str!("../schema/api_keys.sql")),
        ("revoked_tokens", include_str!("../schema/revoked_tokens.sql")),
        ("identity_generation", include_str!("../schema/identity_generation.sql")),
    ]
    .into_iter()
    .fold(SchemaOwner::new("systemprompt-identity"), |owner, (table, sql)| {
        owner.definition(SchemaDefinition::per_backend(table).sqlite(sql))
    })
}
