use std::borrow::Cow;

/// What an extension says about itself. Nothing in here is checked before the registry is built, so
/// that making it cannot fail; a bad id or version is an error of the registry that names the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionMetadata {
    pub(super) id: Cow<'static, str>,
    pub(super) version: Cow<'static, str>,
    pub(super) description: Cow<'static, str>,
    pub(super) requires: Vec<Requirement>,
    pub(super) order: i32,
    pub(super) route_prefix: Option<Cow<'static, str>>,
}

/// An extension that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) id: Cow<'static, str>,
    pub(super) version: Cow<'static, str>,
}

impl ExtensionMetadata {
    /// An extension's id and semantic version.
    ///
    /// The id is 1 to 64 lower-case letters, digits and `-`, begins with a letter, and is unique in a
    /// binary; ids that begin with `systemprompt` belong to the family.
    #[must_use]
    pub fn new(id: impl Into<Cow<'static, str>>, version: impl Into<Cow<'static, str>>) -> Self {
        Self {
            id: id.into(),
            version: version.into(),
            description: Cow::Borrowed(""),
            requires: Vec::new(),
            order: 0,
            route_prefix: None,
        }
    }

    /// A sentence for people who list extensions.
    #[must_use]
    pub fn description(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.description = text.into();
        self
    }

    /// Needs another extension in a version that satisfies a semver requirement such as `^1.2`. It
    /// comes before this one. `systemprompt` stands for the family itself.
    #[must_use]
    pub fn requires(
        mut self,
        id: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.requires.push(Requirement { id: id.into(), version: version.into() });
        self
    }

    /// Lower comes first; 0 unless said otherwise. What is required comes first in any case.
    #[must_use]
    pub fn order(mut self, order: i32) -> Self {
        self.order = order;
        self
    }

    /// Claims a path prefix such as `/crm`: nobody else may have routes there, and
    /// [`Extension::router`](super::Extension::router) is mounted there unless it names a path of
    /// its own.
    #[must_use]
    pub fn route_prefix(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.route_prefix = Some(path.into());
        self
    }
}
