use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::engine::Engine;
use super::fingerprint::{FingerprintKey, MIN_KEY_BYTES};
use super::rules::{Entry, RuleFault};
use super::{Inner, SCAN_BUDGET, Scanner, Sources, rules};

/// Builds a [`Scanner`].
#[derive(Default)]
pub struct ScannerBuilder {
    key: Vec<u8>,
    disabled: BTreeSet<String>,
    files: Vec<(String, String)>,
}

/// Why a scanner cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScannerError {
    /// The fingerprint key is missing or short.
    #[error("the fingerprint key has {bytes} bytes, at least {MIN_KEY_BYTES} are needed")]
    KeyTooShort {
        /// Bytes it has.
        bytes: usize,
    },
    /// A rule to disable does not exist.
    #[error("no secret rule is called `{id}`")]
    UnknownRule {
        /// The id as it was given.
        id: String,
    },
    /// A rule says that a text was not looked through to its end; without it nobody would know.
    #[error("the secret rule `{id}` cannot be turned off")]
    StaysOn {
        /// The id.
        id: String,
    },
    /// A rule file has a fault.
    #[error(transparent)]
    Rules(#[from] RuleFault),
}

impl ScannerBuilder {
    /// The key of the installation that fingerprints are made with; at least 16 random bytes.
    #[must_use]
    pub fn fingerprint_key(mut self, key: &[u8]) -> Self {
        self.key = key.to_vec();
        self
    }

    /// Leaves rules out by id. `scan-budget` cannot be left out.
    #[must_use]
    pub fn disable<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.disabled.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Adds the rules of a file; `name` is what errors call it. The built-in files in `rules/` show the
    /// form.
    #[must_use]
    pub fn rules(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.files.push((name.into(), text.into()));
        self
    }

    /// Builds the scanner.
    ///
    /// # Errors
    /// [`ScannerError`] when the fingerprint key is missing or short, a disabled rule does not exist or is
    /// `scan-budget`, or an added file has a fault.
    pub fn build(self) -> Result<Scanner, ScannerError> {
        let key = FingerprintKey::new(&self.key)
            .ok_or(ScannerError::KeyTooShort { bytes: self.key.len() })?;
        let mut added = Vec::new();
        for (name, text) in &self.files {
            let rules = rules::read(name, text, &added)?;
            added.extend(rules);
        }
        let built_in = rules::built_in()?;
        let known = |id: &str| added.iter().chain(built_in).any(|entry| entry.id == id);
        if let Some(id) = self.disabled.iter().find(|id| !known(id)) {
            return Err(ScannerError::UnknownRule { id: id.clone() });
        }
        if self.disabled.contains(SCAN_BUDGET) {
            return Err(ScannerError::StaysOn { id: SCAN_BUDGET.to_owned() });
        }
        let sources = Sources { disabled: Arc::new(self.disabled), added: added.into() };
        Ok(Scanner(Arc::new(Inner::new(key, sources, &[]))))
    }
}

impl Inner {
    /// Where two rules see one place, the earlier one names it: those of `own`, then those of the host.
    pub(super) fn new(key: FingerprintKey, sources: Sources, own: &[Entry]) -> Self {
        // The files that are built in were read when the sources were collected.
        let built_in = rules::built_in().unwrap_or_default();
        let entries = || {
            let installed = sources.added.iter().chain(built_in);
            let enabled = installed.filter(|entry| !sources.disabled.contains(&entry.id));
            own.iter().chain(enabled)
        };
        let engine = Engine::new(entries().map(Entry::rule));
        let rules = name_of(entries()).into();
        Self { engine, key, sources, rules }
    }
}

/// The name of the rules of `entries`. The version of this crate is part of it, since some rules are code.
fn name_of<'e>(entries: impl Iterator<Item = &'e Entry>) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for entry in entries {
        hash.update([0]);
        hash.update(entry.digest());
    }
    let mut name = hex::encode(hash.finalize());
    name.truncate(8);
    name
}
