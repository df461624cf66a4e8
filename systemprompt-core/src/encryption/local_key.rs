use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Cipher, KEY_BYTES, KeyEncryption, KeyEncryptionError, decrypt_age};
use crate::secret::Secret;

const SCHEME: &str = "local:v1";

/// A key encryption key that the process itself has, from a file or a variable: AES-256-GCM.
///
/// Its text is 64 hex digits. Further lines are keys before it, which decrypt but do not encrypt any more.
pub struct LocalKey {
    /// The current one first.
    keys: Vec<(String, Cipher)>,
}

impl LocalKey {
    /// Reads the keys.
    ///
    /// # Errors
    /// [`KeyEncryptionError::Malformed`] when a line is not 64 hex digits, or there is none.
    pub fn parse(text: &Secret<String>) -> Result<Self, KeyEncryptionError> {
        let lines = text.expose().lines().map(str::trim).filter(|line| !line.is_empty());
        let keys = lines.map(key).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(KeyEncryptionError::Malformed("there is none".to_owned()));
        }
        Ok(Self { keys })
    }

    /// Reads the keys from `file`, which age has encrypted to one of the X25519 `identities`: lines as
    /// `age-keygen` writes them (C2SP `age`).
    ///
    /// # Errors
    /// [`KeyEncryptionError::Malformed`] when the file is for somebody else, was changed, or holds no keys.
    pub fn decrypt_age(
        file: &[u8],
        identities: &Secret<String>,
    ) -> Result<Self, KeyEncryptionError> {
        let plain = decrypt_age(file, identities)?;
        let text = std::str::from_utf8(&plain).map_err(|_| {
            KeyEncryptionError::Malformed("what age has encrypted is no text".to_owned())
        })?;
        Self::parse(&Secret::new(text.to_owned()))
    }
}

/// A key, and the name that what it encrypts is marked with.
fn key(digits: &str) -> Result<(String, Cipher), KeyEncryptionError> {
    let malformed = || KeyEncryptionError::Malformed("a line is not 64 hex digits".to_owned());
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| malformed())?;
    let named = Sha256::new()
        .chain_update(b"systemprompt-audit-kek-name\0")
        .chain_update(bytes.as_slice())
        .finalize();
    let name = hex::encode(named.get(..4).unwrap_or_default());
    Ok((name, Cipher::new(&bytes).ok_or_else(malformed)?))
}

#[async_trait]
impl KeyEncryption for LocalKey {
    async fn wrap(&self, key: &[u8]) -> Result<String, KeyEncryptionError> {
        let failed = || KeyEncryptionError::Unavailable("encryption failed".to_owned());
        let (name, cipher) = self.keys.first().ok_or_else(failed)?;
        let sealed = cipher.seal(SCHEME.as_bytes(), key).ok_or_else(failed)?;
        Ok(format!("{SCHEME}:{name}:{}", STANDARD_NO_PAD.encode(sealed)))
    }

    async fn unwrap(&self, wrapped: &str) -> Result<Zeroizing<Vec<u8>>, KeyEncryptionError> {
        let of_name = || {
            let rest = wrapped.strip_prefix(SCHEME)?.strip_prefix(':')?;
            let (name, sealed) = rest.split_once(':')?;
            let (_, cipher) = self.keys.iter().find(|(other, _)| other == name)?;
            cipher.open(SCHEME.as_bytes(), STANDARD_NO_PAD.decode(sealed).ok()?)
        };
        of_name().ok_or(KeyEncryptionError::Foreign)
    }

    fn is_current(&self, wrapped: &str) -> bool {
        let name = wrapped.strip_prefix(SCHEME).and_then(|rest| rest.strip_prefix(':'));
        let name = name.and_then(|rest| rest.split(':').next());
        self.keys.first().is_some_and(|(current, _)| name == Some(current))
    }
}

impl std::fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalKey").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(lines: &[u8]) -> LocalKey {
        let text: Vec<_> = lines.iter().map(|byte| hex::encode([*byte; 32])).collect();
        LocalKey::parse(&Secret::new(text.join("\n"))).unwrap()
    }

    #[tokio::test]
    async fn a_key_before_decrypts_and_another_does_not() {
        let wrapped = keys(&[1]).wrap(b"data key").await.unwrap();
        assert!(!wrapped.contains("data key"));
        assert_eq!(keys(&[1]).unwrap(&wrapped).await.unwrap().as_slice(), b"data key");
        assert_eq!(keys(&[2, 1]).unwrap(&wrapped).await.unwrap().as_slice(), b"data key");
        assert_eq!(keys(&[2]).unwrap(&wrapped).await, Err(KeyEncryptionError::Foreign));
        assert!(keys(&[1, 2]).is_current(&wrapped) && !keys(&[2, 1]).is_current(&wrapped));
        let again = keys(&[2, 1]).wrap(b"data key").await.unwrap();
        assert_eq!(keys(&[1]).unwrap(&again).await, Err(KeyEncryptionError::Foreign));
        let forged = format!("{}A", wrapped.strip_suffix(wrapped.chars().last().unwrap()).unwrap());
        assert!(forged == wrapped || keys(&[1]).unwrap(&forged).await.is_err());
    }

    #[tokio::test]
    async fn what_was_stored_can_be_read_for_ever() {
        // Made by Python's `cryptography`, as the first release stores it.
        let stored = "local:v1:625eb78c:AAECAwQFBgcICQoL38fhRwCVYwCKHFg1FhNtqNN+FlNMkxKa";
        assert_eq!(keys(&[1]).unwrap(stored).await.unwrap().as_slice(), b"data key");
        let now = keys(&[1]).wrap(b"data key").await.unwrap();
        assert_eq!(now.get(..18), stored.get(..18), "the scheme and the name of the key");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_repeated() {
        for text in ["", "\n", "abc", &"g".repeat(64), &"a".repeat(63)] {
            let error = LocalKey::parse(&Secret::new(text.to_owned())).unwrap_err();
            assert!(text.len() < 3 || !error.to_string().contains(text), "{error}");
        }
    }
}
