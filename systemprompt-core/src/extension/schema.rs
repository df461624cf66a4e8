use std::borrow::Cow;

/// The databases that a schema can be written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl Backend {
    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// SQL that is the same for every backend, or has a text for one or both of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct SqlText {
    portable: Option<Cow<'static, str>>,
    sqlite: Option<Cow<'static, str>>,
    postgres: Option<Cow<'static, str>>,
}

impl SqlText {
    fn on(&self, backend: Backend) -> Option<&str> {
        let own = match backend {
            Backend::Sqlite => &self.sqlite,
            Backend::Postgres => &self.postgres,
        };
        own.as_deref().or(self.portable.as_deref())
    }
}

/// A table (or view) that its owner brings, with the SQL that makes it.
///
/// The text may hold several statements: the table, its indexes, its triggers. Once installed it must
/// not change any more; what comes later is a [`Migration`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaDefinition {
    table: Cow<'static, str>,
    sql: SqlText,
}

impl SchemaDefinition {
    /// A definition whose SQL every backend understands.
    #[must_use]
    pub fn new(table: impl Into<Cow<'static, str>>, sql: impl Into<Cow<'static, str>>) -> Self {
        let sql = SqlText { portable: Some(sql.into()), ..SqlText::default() };
        Self { table: table.into(), sql }
    }

    /// A definition without portable SQL; name the backends with [`Self::sqlite`] and
    /// [`Self::postgres`].
    #[must_use]
    pub fn per_backend(table: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into(), sql: SqlText::default() }
    }

    /// The SQL for SQLite, instead of the portable one.
    #[must_use]
    pub fn sqlite(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.sql.sqlite = Some(sql.into());
        self
    }

    /// The SQL for PostgreSQL, instead of the portable one.
    #[must_use]
    pub fn postgres(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.sql.postgres = Some(sql.into());
        self
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The SQL for `backend`, if there is one.
    #[must_use]
    pub fn sql(&self, backend: Backend) -> Option<&str> {
        self.sql.on(backend)
    }
}

/// A later change to what its owner's definitions made.
///
/// Migrations run in the order in which the owner lists them, after all of its definitions. New ones
/// go to the end of the list; installed ones must not change any more. One that has SQL to undo it
/// ([`down`](Self::down)) can be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    name: Cow<'static, str>,
    sql: SqlText,
    down: SqlText,
}

impl Migration {
    /// A migration whose SQL every backend understands. The name is unique within its owner.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, sql: impl Into<Cow<'static, str>>) -> Self {
        let sql = SqlText { portable: Some(sql.into()), ..SqlText::default() };
        Self { name: name.into(), sql, down: SqlText::default() }
    }

    /// A migration without portable SQL; name the backends with [`Self::sqlite`] and
    /// [`Self::postgres`].
    #[must_use]
    pub fn per_backend(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), sql: SqlText::default(), down: SqlText::default() }
    }

    /// The SQL for SQLite, instead of the portable one.
    #[must_use]
    pub fn sqlite(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.sql.sqlite = Some(sql.into());
        self
    }

    /// The SQL for PostgreSQL, instead of the portable one.
    #[must_use]
    pub fn postgres(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.sql.postgres = Some(sql.into());
        self
    }

    /// The SQL that undoes the migration, for every backend.
    #[must_use]
    pub fn down(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.down.portable = Some(sql.into());
        self
    }

    /// The SQL that undoes the migration on SQLite, instead of the portable one.
    #[must_use]
    pub fn down_sqlite(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.down.sqlite = Some(sql.into());
        self
    }

    /// The SQL that undoes the migration on PostgreSQL, instead of the portable one.
    #[must_use]
    pub fn down_postgres(mut self, sql: impl Into<Cow<'static, str>>) -> Self {
        self.down.postgres = Some(sql.into());
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SQL for `backend`, if there is one.
    #[must_use]
    pub fn sql(&self, backend: Backend) -> Option<&str> {
        self.sql.on(backend)
    }

    /// The SQL that undoes it on `backend`, if there is one.
    #[must_use]
    pub fn down_sql(&self, backend: Backend) -> Option<&str> {
        self.down.on(backend)
    }
}

/// Everything that one owner, a crate of the family or an extension, keeps in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaOwner {
    name: Cow<'static, str>,
    definitions: Vec<SchemaDefinition>,
    migrations: Vec<Migration>,
}

impl SchemaOwner {
    /// An owner, such as `systemprompt-audit` or an extension's id.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), definitions: Vec::new(), migrations: Vec::new() }
    }

    /// Adds a definition after those there are.
    #[must_use]
    pub fn definition(mut self, definition: SchemaDefinition) -> Self {
        self.definitions.push(definition);
        self
    }

    /// Adds a migration after those there are.
    #[must_use]
    pub fn migration(mut self, migration: Migration) -> Self {
        self.migrations.push(migration);
        self
    }

    /// The owner's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its definitions, in the order in which they are installed.
    #[must_use]
    pub fn definitions(&self) -> &[SchemaDefinition] {
        &self.definitions
    }

    /// Its migrations, in the order in which they run.
    #[must_use]
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }
}
