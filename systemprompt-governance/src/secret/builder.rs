use std::collections::BTreeSet;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::engine::Engine;
use super::fingerprint::{FingerprintKey, MIN_KEY_BYTES};
use super::{Inner, Scanner, rules};

/// Builds a [`Scanner`].
#[derive(Default)]
pub struct ScannerBuilder {
    key: Vec<u8>,
    disabled: BTreeSet<String>,
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
}

impl ScannerBuilder {
    /// The key of the installation that fingerprints are made with; at least 16 random bytes.
    #[must_use]
    pub fn fingerprint_key(mut self, key: &[u8]) -> Self {
        self.key = key.to_vec();
        self
    }

    /// Leaves rules out by id.
    #[must_use]
    pub fn disable<I>(mut self, ids: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.disabled.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Builds the scanner.
    ///
    /// # Errors
    /// [`ScannerError`] when the fingerprint key is missing or short, or a disabled rule does not exist.
    pub fn build(self) -> Result<Scanner, ScannerError> {
        let key = FingerprintKey::new(&self.key)
            .ok_or(ScannerError::KeyTooShort { bytes: self.key.len() })?;
        if let Some(id) = self.disabled.iter().find(|id| !rules::ids().any(|known| known == **id)) {
            return Err(ScannerError::UnknownRule { id: id.clone() });
        }
        let engine = Engine::new(&self.disabled);
        let rules = name_of(&self.disabled).into();
        Ok(Scanner(Arc::new(Inner { engine, key, rules })))
    }
}

/// The name of all rules but the `disabled` ones. The version of this crate is part of it, since some
/// rules are code.
fn name_of(disabled: &BTreeSet<String>) -> String {
    let mut hash = Sha256::new();
    hash.update(env!("CARGO_PKG_VERSION"));
    for rule in rules::all().filter(|rule| !disabled.contains(rule.id)) {
        for part in [rule.id, rule.pattern] {
            hash.update([0]);
            hash.update(part);
        }
    }
    let mut name = hex::encode(hash.finalize());
    name.truncate(8);
    name
}
