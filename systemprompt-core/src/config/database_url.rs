use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::extension::Backend;

/// Where the database is: `sqlite://` followed by a path, or a `postgres://` URL.
///
/// Shown and serialised without its password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatabaseUrl(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Sqlite(PathBuf),
    Postgres(Url),
}

const SCHEME: &str = "sqlite://";

/// The parameters of a `postgres://` URL that mean something. A password has no place among them.
const PARAMETERS: [&str; 8] = [
    "application_name",
    "host",
    "options",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
];

const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

impl DatabaseUrl {
    /// The SQLite database at `path`.
    #[must_use]
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Place::Sqlite(path.into()))
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// [`DatabaseUrlError`] when it begins with neither scheme, or does not go on as it must.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let Some(path) = text.strip_prefix(SCHEME) else { return postgres(text) };
        if path.is_empty() || path.starts_with(':') || path.contains(['?', '#', '\0']) {
            return Err(DatabaseUrlError::Path);
        }
        Ok(Self::sqlite(path))
    }

    /// The backend.
    #[must_use]
    pub fn backend(&self) -> Backend {
        match &self.0 {
            Place::Sqlite(_) => Backend::Sqlite,
            Place::Postgres(_) => Backend::Postgres,
        }
    }

    /// The path of the database file; `None` when the database is a server.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(_) => None,
        }
    }

    /// The same database with a relative path taken relative to `folder`.
    #[must_use]
    pub fn within(&self, folder: &Path) -> Self {
        match &self.0 {
            Place::Sqlite(path) => Self::sqlite(folder.join(path)),
            Place::Postgres(_) => self.clone(),
        }
    }

    /// Whether the URL holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        matches!(&self.0, Place::Postgres(url) if url.password().is_some())
    }

    /// The whole URL, its password included, to connect with. Named so that a reviewer can find every
    /// use.
    #[must_use]
    pub fn expose(&self) -> String {
        match &self.0 {
            Place::Sqlite(_) => self.to_string(),
            Place::Postgres(url) => url.to_string(),
        }
    }
}

fn postgres(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err(DatabaseUrlError::Scheme);
    }
    let url = Url::parse(text).map_err(|_| DatabaseUrlError::Form)?;
    let named = url.host_str().is_some_and(|host| !host.is_empty())
        || url.query_pairs().any(|(key, _)| key == "host");
    if !named || url.path().trim_matches('/').is_empty() || url.fragment().is_some() {
        return Err(DatabaseUrlError::Form);
    }
    for (key, value) in url.query_pairs() {
        if !PARAMETERS.contains(&&*key) {
            return Err(DatabaseUrlError::Parameter);
        }
        if key == "sslmode" && !SSL_MODES.contains(&&*value) {
            return Err(DatabaseUrlError::SslMode);
        }
    }
    Ok(DatabaseUrl(Place::Postgres(url)))
}

/// Whether the text of a profile, before variables were filled in, holds a password in a URL.
pub(super) fn literal_password(written: &str) -> bool {
    let Some((_, rest)) = written.split_once("://") else { return false };
    let Some((info, _)) = rest.rsplit_once('@') else { return false };
    let Some((_, password)) = info.split_once(':') else { return false };
    // What is left without `${...}`. A default is written into the profile as well.
    let mut rest = password;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((reference, after)) = after.split_once('}') else { return true };
        if !before.is_empty() || reference.contains(":-") {
            return true;
        }
        rest = after;
    }
    !rest.is_empty()
}

impl Default for DatabaseUrl {
    /// `systemprompt.db` in the profile's folder.
    fn default() -> Self {
        Self::sqlite("systemprompt.db")
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "{SCHEME}{}", path.display()),
            Place::Postgres(url) => {
                let mut shown = url.clone();
                // It fails for URLs that cannot have a password.
                let _ = shown.set_password(None);
                shown.fmt(f)
            }
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<DatabaseUrl> for String {
    fn from(url: DatabaseUrl) -> Self {
        url.to_string()
    }
}

impl schemars::JsonSchema for DatabaseUrl {
    fn schema_name() -> Cow<'static, str> {
        "DatabaseUrl".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^(sqlite://[^:?#][^?#]*|postgres(ql)?://.+)$",
        })
    }
}

/// Why a text is no database URL. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseUrlError {
    /// Another scheme.
    #[error("a database is given as `sqlite://` and a path, or as `postgres://user@host/database`")]
    Scheme,
    /// Not a plain path.
    #[error("`sqlite://` is followed by the path of a file, without `?`, `#` or `:memory:`")]
    Path,
    /// Not the URL of a database of a server.
    #[error(
        "a PostgreSQL database is given as `postgres://user@host:port/database`; special characters \
         in its parts are written as `%` and two digits"
    )]
    Form,
    /// A parameter that means nothing.
    #[error("the parameters of a `postgres://` URL are {}", listed(&PARAMETERS))]
    Parameter,
    /// A parameter `sslmode` that means nothing.
    #[error("`sslmode` is one of {}", listed(&SSL_MODES))]
    SslMode,
}

fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ConfigError, Environment, LoadedProfile, parse};

    #[test]
    fn a_password_is_in_the_exposed_url_alone() {
        let url = DatabaseUrl::parse("postgres://ada:hunter2@db.example/audit?sslmode=verify-full");
        let url = url.unwrap();
        assert!(url.has_password());
        assert_eq!(url.expose(), "postgres://ada:hunter2@db.example/audit?sslmode=verify-full");
        let shown = "postgres://ada@db.example/audit?sslmode=verify-full";
        assert_eq!((url.to_string(), String::from(url.clone())), (shown.into(), shown.into()));
        assert!(!format!("{url:?}").contains("hunter2"));
        assert_eq!((url.backend(), url.path()), (Backend::Postgres, None));
        assert_eq!(url.within(Path::new("/data")), url);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let error = |text: &str| DatabaseUrl::parse(text).unwrap_err();
        assert_eq!(error("mysql://h/db"), DatabaseUrlError::Scheme);
        assert_eq!(error("postgres://h"), DatabaseUrlError::Form);
        assert_eq!(error("postgres:///db"), DatabaseUrlError::Form);
        assert_eq!(error("postgres://h:port/db"), DatabaseUrlError::Form);
        assert_eq!(error("postgres://h/db?password=x"), DatabaseUrlError::Parameter);
        assert_eq!(error("postgres://h/db?sslmode=yes"), DatabaseUrlError::SslMode);
        DatabaseUrl::parse("postgres:///db?host=/run/postgresql").unwrap();
        DatabaseUrl::parse("postgresql://u@%2Frun%2Fpostgresql/db").unwrap();
    }

    #[test]
    fn a_password_that_is_written_down_is_noticed() {
        for text in ["postgres://u:pw@h/db", "postgres://u:${A}x@h/db", "postgres://u:${A:-b}@h/db"]
        {
            assert!(literal_password(text), "{text}");
        }
        for text in ["postgres://u:${PW}@h/db", "postgres://u@h:5432/db", "${URL}", "sqlite://a:b"]
        {
            assert!(!literal_password(text), "{text}");
        }
    }

    fn parsed(section: &str) -> Result<LoadedProfile, ConfigError> {
        let environment = Environment::empty().with("PW", "hunter2").with("HOST", "db.example");
        parse(&format!("profile: p\ndatabase: {section}\n"), "profile.yaml", &environment)
    }

    #[test]
    fn a_password_comes_from_a_variable_or_a_reference() {
        let loaded = parsed("{url: 'postgres://u:${PW}@${HOST}/db'}").unwrap();
        let url = &loaded.profile.database.url;
        assert_eq!(url.expose(), "postgres://u:hunter2@db.example/db");
        let (yaml, json) = (loaded.to_yaml().unwrap(), loaded.to_json().unwrap());
        assert!(yaml.contains("url: \"postgres://u:${PW}@${HOST}/db\""), "{yaml}");
        assert_eq!(json["database"]["url"], "postgres://u:${PW}@${HOST}/db");
        for shown in [yaml.clone(), json.to_string(), format!("{loaded:?}")] {
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        // What is shown can be loaded again.
        let environment = Environment::empty().with("PW", "hunter2").with("HOST", "db.example");
        let again = parse(&yaml, "profile.yaml", &environment).unwrap();
        assert_eq!(again.profile, loaded.profile);

        for (section, problem) in [
            ("{url: 'postgres://u:hunter2@h/db'}", "a password is never written into the profile"),
            ("{url: 'postgres://u:${NO:-hunter2}@h/db'}", "a password is never written"),
            ("{url: 'postgres://u:${PW}@h/db', password: {env: X}}", "holds a password already"),
            ("{password: {env: X}}", "a SQLite database has no password"),
            ("{url: 'postgres://u:${PW}@h:${PW}/db'}", "a PostgreSQL database is given as"),
            ("{url: 'postgres://u@h/db?password=hunter2'}", "the parameters of"),
        ] {
            let error = parsed(section).unwrap_err().to_string();
            assert!(error.contains(problem), "{section}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
