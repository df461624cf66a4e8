use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// The longest text that is kept as it is, in bytes.
const LONGEST: usize = 200;

/// What stands before a digest.
const DIGEST: &str = "sha256:";

/// Whose budget a counter is: an opaque text that any store can keep, of at most 200 bytes and without
/// control characters.
///
/// Different texts make different keys.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetKey(Arc<str>);

impl BudgetKey {
    /// The key for `text`: the text itself or, where it is longer than 200 bytes, holds control
    /// characters or looks like a digest, `sha256:` and its SHA-256 in hexadecimal digits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = text.len() <= LONGEST
            && !text.starts_with(DIGEST)
            && !text.chars().any(char::is_control);
        if plain {
            return Self(text.into());
        }
        Self(format!("{DIGEST}{}", hex::encode(Sha256::digest(text))).into())
    }

    /// The key that was kept as `text`, which [`as_str`](Self::as_str) gave.
    #[must_use]
    pub fn from_kept(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BudgetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BudgetKey({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_texts_make_different_keys_that_any_store_keeps() {
        let long = "x".repeat(201);
        let digest = BudgetKey::new(&long).as_str().to_owned();
        let texts = ["", "a", "a\0", "a\n", "\0", "sha256:", "é\u{85}", &long, &digest];
        let mut keys = Vec::new();
        for text in texts {
            let key = BudgetKey::new(text);
            assert!(key.as_str().len() <= LONGEST, "{key:?}");
            assert!(!key.as_str().chars().any(char::is_control), "{key:?}");
            assert!(!keys.contains(&key), "{key:?}");
            assert_eq!(BudgetKey::from_kept(key.as_str()), key);
            keys.push(key);
        }
        assert_eq!(BudgetKey::new("a").as_str(), "a");
        assert_eq!(digest.len(), 71);
        assert_ne!(BudgetKey::new(&digest).as_str(), digest);
    }
}
