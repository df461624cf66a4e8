use std::borrow::Cow;
use std::fmt;

use super::BasePath;

/// The routes of an extension. Opaque, so that an extension without HTTP needs no HTTP crates; with
/// the feature `api` it is made `From<axum::Router>`.
#[derive(Clone)]
pub struct ExtensionRouter {
    base: Option<Cow<'static, str>>,
    #[cfg(feature = "api")]
    router: axum::Router,
}

impl ExtensionRouter {
    /// Mounts the routes below `path`. Without it they are mounted below the prefix of the
    /// extension's metadata, or else below `/ext/<id>`.
    #[must_use]
    pub fn at(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.base = Some(path.into());
        self
    }

    pub(super) fn base(&self) -> Option<&str> {
        self.base.as_deref()
    }
}

#[cfg(feature = "api")]
impl From<axum::Router> for ExtensionRouter {
    fn from(router: axum::Router) -> Self {
        Self { base: None, router }
    }
}

impl fmt::Debug for ExtensionRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionRouter").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The routes of an extension with the path they are mounted below.
#[derive(Debug, Clone)]
pub struct MountedRouter {
    pub(super) extension: String,
    pub(super) base: BasePath,
    #[cfg_attr(not(feature = "api"), expect(dead_code, reason = "read by `into_axum` alone"))]
    pub(super) router: ExtensionRouter,
}

impl MountedRouter {
    /// The extension's id.
    #[must_use]
    pub fn extension(&self) -> &str {
        &self.extension
    }

    /// The path they are mounted below.
    #[must_use]
    pub fn base(&self) -> &BasePath {
        &self.base
    }

    /// A router with the routes below their base path, ready to be merged into the host's.
    #[cfg(feature = "api")]
    pub fn into_axum(self) -> axum::Router {
        axum::Router::new().nest(self.base.as_str(), self.router.router)
    }
}
