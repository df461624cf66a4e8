use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Backend, DatabaseError};
use crate::secret::Secret;

/// How to open a database.
#[derive(Clone)]
pub struct DatabaseOptions {
    /// `sqlite://` followed by a plain path, or `postgres://user@host:port/database`. May hold a
    /// password; it is never shown.
    pub url: String,
    /// The password of a PostgreSQL role, instead of one in the URL.
    pub password: Option<Arc<Secret<String>>>,
    /// Whether a missing SQLite file is created.
    pub create: bool,
    /// Most pooled connections.
    pub max_connections: u32,
    /// How long a task waits for a connection of the pool.
    pub acquire_timeout: Duration,
    /// How long a statement waits for another writer's lock.
    pub busy_timeout: Duration,
    /// After how long PostgreSQL cancels a statement of the pool; `None` for never. SQLite has no such
    /// limit.
    pub statement_timeout: Option<Duration>,
}

impl DatabaseOptions {
    /// Options for `url` with 4 connections, waits of 5 s for a connection and 1 s for a lock, 30 s for
    /// a statement, and no creation.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            password: None,
            create: false,
            max_connections: 4,
            acquire_timeout: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(1),
            statement_timeout: Some(Duration::from_secs(30)),
        }
    }

    /// Creates the file when it is missing.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }

    /// The backend that the URL names.
    ///
    /// # Errors
    /// [`DatabaseError::Url`] when it names none.
    pub fn backend(&self) -> Result<Backend, DatabaseError> {
        match self.url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Backend::Sqlite),
            Some(("postgres" | "postgresql", _)) => Ok(Backend::Postgres),
            _ => Err(DatabaseError::Url { url: shown(&self.url) }),
        }
    }

    /// The path of the SQLite file.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "SQLite alone has a file"))]
    pub(super) fn path(&self) -> Result<&Path, DatabaseError> {
        self.url
            .strip_prefix("sqlite://")
            .filter(|path| !path.is_empty())
            .map(Path::new)
            .ok_or_else(|| DatabaseError::Url { url: shown(&self.url) })
    }
}

impl fmt::Debug for DatabaseOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseOptions")
            .field("url", &shown(&self.url))
            .field("create", &self.create)
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("busy_timeout", &self.busy_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

/// A URL without its user info and parameters, which may hold a password.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    if scheme == "sqlite" {
        return url.to_owned();
    }
    let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    let place = place.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for url in ["postgres://u:hunter2@h/db?password=hunter2", "mysql://u:hun@ter2@h/x"] {
            let options = DatabaseOptions::new(url);
            assert!(!format!("{options:?}").contains("ter2"), "{options:?}");
            if let Err(error) = options.backend() {
                assert!(!error.to_string().contains("ter2"), "{error}");
            }
        }
    }

    #[test]
    fn the_scheme_names_the_backend() {
        let backend = |url: &str| DatabaseOptions::new(url).backend().ok();
        assert_eq!(backend("sqlite://a.db"), Some(Backend::Sqlite));
        assert_eq!(backend("postgres://h/db"), Some(Backend::Postgres));
        assert_eq!(backend("postgresql://h/db"), Some(Backend::Postgres));
        assert_eq!(
            (backend("sqlite://"), backend("a.db"), backend("mysql://h/db")),
            (None, None, None)
        );
    }
}
