use std::sync::Arc;

use serde::Deserialize;

use super::{PublicKey, jwk};
use crate::jwt::SigningAlgorithm;

/// Most bytes of a JWKS.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// Most keys of a JWKS.
const MAX_KEYS: usize = 32;

/// The usable keys of a JWKS.
#[derive(Default)]
pub(super) struct KeySet {
    keys: Vec<NamedKey>,
}

/// A key and its `kid`.
#[derive(Clone)]
pub(super) struct NamedKey {
    pub(super) kid: Option<Box<str>>,
    pub(super) key: Arc<PublicKey>,
}

/// What there is under a `kid`.
pub(super) enum Lookup {
    /// The key.
    Found(Arc<PublicKey>),
    /// No key of that name: the issuer may have a new one.
    Unknown,
    /// A key for another algorithm, or no name among several keys: no new key changes that.
    Unfit,
}

/// Why a document is no JWKS for us.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeySetError {
    #[error("the document is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the document is no JWKS")]
    Form,
    #[error("the document holds more than {MAX_KEYS} keys")]
    TooMany,
    #[error("the document holds no usable key")]
    Empty,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Reads a JWKS. Keys that are of no use here are left out.
    pub(super) fn read(
        document: &[u8],
        algorithms: impl Fn(SigningAlgorithm) -> bool,
    ) -> Result<Self, KeySetError> {
        if document.len() > MAX_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let document: Document = serde_json::from_slice(document).map_err(|_| KeySetError::Form)?;
        if document.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let keys: Vec<_> = document
            .keys
            .into_iter()
            .filter_map(jwk::read)
            .filter(|(_, key)| algorithms(key.algorithm()))
            .map(|(kid, key)| NamedKey { kid, key: Arc::new(key) })
            .collect();
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    pub(super) fn find(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> Lookup {
        let Some(kid) = kid else {
            return match self.keys.as_slice() {
                [only] if only.key.algorithm() == algorithm => Lookup::Found(only.key.clone()),
                _ => Lookup::Unfit,
            };
        };
        let mut named = self.keys.iter().filter(|key| key.kid.as_deref() == Some(kid)).peekable();
        if named.peek().is_none() {
            return Lookup::Unknown;
        }
        match named.find(|named| named.key.algorithm() == algorithm) {
            Some(named) => Lookup::Found(named.key.clone()),
            None => Lookup::Unfit,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The named keys that `newer` does not have any more.
    pub(super) fn gone_in<'s>(&'s self, newer: &'s Self) -> impl Iterator<Item = &'s NamedKey> {
        self.keys.iter().filter(move |key| {
            let kid = key.kid.as_deref();
            kid.is_some() && !newer.keys.iter().any(|other| other.kid.as_deref() == kid)
        })
    }
}
