use super::{ExtensionFailure, SchemaConflict, Site};

/// Why the extensions of a binary do not go together, or one of them does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtensionError {
    /// An id that is none.
    #[error(
        "`{id}`, registered by {site}, is not an extension id; an id is 1 to 64 lower-case letters, \
         digits and `-`, begins with a letter and does not end with `-`"
    )]
    InvalidId {
        /// The id as it was given.
        id: String,
        /// Where.
        site: Site,
    },
    /// An id that belongs to the family.
    #[error(
        "`{id}`, registered by {site}, begins with `systemprompt`, which belongs to the family"
    )]
    ReservedId {
        /// The id.
        id: String,
        /// Where.
        site: Site,
    },
    /// A version that is not semantic.
    #[error("the extension `{id}`, registered by {site}, has the version `{version}`: {source}")]
    InvalidVersion {
        /// The extension.
        id: String,
        /// The version as it was given.
        version: String,
        /// Where.
        site: Site,
        /// What is wrong with it.
        source: semver::Error,
    },
    /// A version requirement that is none.
    #[error("the extension `{id}`, registered by {site}, requires `{requirement}`: {source}")]
    InvalidRequirement {
        /// The extension.
        id: String,
        /// The id it requires and the requirement as it was given.
        requirement: String,
        /// Where.
        site: Site,
        /// What is wrong with it.
        source: semver::Error,
    },
    /// Two extensions with one id.
    #[error("the extension `{id}` is registered twice: by {first} and by {second}")]
    DuplicateId {
        /// The id.
        id: String,
        /// One place.
        first: Site,
        /// The other.
        second: Site,
    },
    /// A disabled id that no extension has.
    #[error("`{id}` is to be disabled, but there is no such extension{}", did_you_mean(.nearest.as_deref()))]
    UnknownDisabled {
        /// The id.
        id: String,
        /// The nearest id there is.
        nearest: Option<String>,
    },
    /// A dependency that is not in the binary, or disabled.
    #[error(
        "the extension `{id}` requires `{dependency}` {requirement}, which is {}{}",
        if *.disabled { "disabled" } else { "not in this binary" },
        did_you_mean(.nearest.as_deref())
    )]
    MissingDependency {
        /// The extension.
        id: String,
        /// What it requires.
        dependency: String,
        /// In which version.
        requirement: String,
        /// Whether it is there but disabled.
        disabled: bool,
        /// The nearest id there is.
        nearest: Option<String>,
    },
    /// A dependency in a version that does not do.
    #[error("the extension `{id}` requires `{dependency}` {requirement}, but it is {found}")]
    VersionMismatch {
        /// The extension.
        id: String,
        /// What it requires.
        dependency: String,
        /// In which version.
        requirement: String,
        /// The version there is.
        found: String,
    },
    /// Extensions that require each other.
    #[error("extensions require each other: {}", .ids.join(" -> "))]
    Cycle {
        /// The ids along the cycle; the first is repeated at the end.
        ids: Vec<String>,
    },
    /// A path that nothing can be mounted at.
    #[error("the extension `{id}` asks for the path `{path}`, which {problem}")]
    InvalidPath {
        /// The extension.
        id: String,
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A path that belongs to the family.
    #[error("the extension `{id}` asks for the path `{path}`, but `{reserved}` is reserved")]
    ReservedPath {
        /// The extension.
        id: String,
        /// The path.
        path: String,
        /// The reserved prefix it collides with.
        reserved: &'static str,
    },
    /// Paths of which one lies at or below the other.
    #[error(
        "the routes of extensions overlap: `{first}` at `{first_path}` and `{second}` at \
         `{second_path}`"
    )]
    OverlappingPaths {
        /// One extension.
        first: String,
        /// Its path.
        first_path: String,
        /// The other; it may be the same.
        second: String,
        /// Its path.
        second_path: String,
    },
    /// Their tables do not go together.
    #[error(transparent)]
    Schema(#[from] SchemaConflict),
    /// Required extensions that are not in the binary.
    #[error(
        "not in this binary: {}; a crate that is only listed in `Cargo.toml` is not linked, name it \
         in the binary's source: `use {} as _;`",
        quoted(.ids),
        .ids.first().map(|id| id.replace('-', "_")).unwrap_or_default()
    )]
    NotLinked {
        /// The missing ids.
        ids: Vec<String>,
    },
    /// A required extension that is in the binary but disabled.
    #[error("the extension `{id}` is required but disabled")]
    RequiredButDisabled {
        /// The id.
        id: String,
    },
    /// Settings for an extension that is not there.
    #[error(
        "`extensions.config.{id}`: there is no such extension{}",
        did_you_mean(.nearest.as_deref())
    )]
    UnknownSettings {
        /// The id.
        id: String,
        /// The nearest id there is.
        nearest: Option<String>,
    },
    /// Settings for an extension that has none.
    #[error("`extensions.config.{id}`: this extension has no settings")]
    NoSettings {
        /// The id.
        id: String,
    },
    /// Settings that the extension does not understand.
    #[error("`{path}`: {detail}")]
    Settings {
        /// The path in the profile.
        path: String,
        /// What is wrong there.
        detail: String,
    },
    /// The extension could not make what it brings.
    #[error("the extension `{id}` cannot make its {what}: {source}")]
    Failed {
        /// The extension.
        id: String,
        /// What it was asked for.
        what: &'static str,
        /// Its own error.
        source: ExtensionFailure,
    },
    /// Two checks, jobs or providers with one name.
    #[error("the {what} `{name}` of the extension `{second}` is taken by {first}")]
    NameTaken {
        /// `check`, `job` or `provider`.
        what: &'static str,
        /// The name.
        name: String,
        /// Who has it, in words.
        first: String,
        /// The extension that wants it too.
        second: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|id| format!("; did you mean `{id}`?")).unwrap_or_default()
}

fn quoted(ids: &[String]) -> String {
    let quoted: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
    quoted.join(", ")
}
