//! How a value is encrypted: AES-256-GCM under a data key of its own, which the key encryption key wraps.

use systemprompt_core::encryption::{
    Cipher, KEY_BYTES, KeyEncryption, KeyEncryptionError, data_key,
};
use systemprompt_core::secret::Secret;
use zeroize::{Zeroize as _, Zeroizing};

/// The name of what is done here, as rows carry it.
pub(crate) const ALG: &str = "A256GCM";

/// A version of a secret: what its ciphertext belongs to, and nothing else.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Of<'o> {
    pub(crate) tenant: &'o str,
    pub(crate) name: &'o str,
    pub(crate) version: u32,
}

impl Of<'_> {
    /// The associated data. Neither a tenant nor a name can hold a NUL.
    fn context(self) -> Vec<u8> {
        let parts: [&[u8]; 6] = [
            b"systemprompt-custody-1\0",
            self.tenant.as_bytes(),
            b"\0",
            self.name.as_bytes(),
            b"\0",
            &self.version.to_be_bytes(),
        ];
        parts.concat()
    }
}

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) wrapped_dek: String,
    pub(crate) nonce: Vec<u8>,
    pub(crate) ciphertext: Vec<u8>,
}

/// The data key of a version: it encrypts the value, and shows which grants are of it.
pub(crate) struct VersionKey(Cipher);

impl VersionKey {
    /// The data key that `wrapped` is. Asks whoever has the key encryption key.
    pub(crate) async fn unwrap(
        encryption: &dyn KeyEncryption,
        wrapped: &str,
    ) -> Result<Self, Unopened> {
        let key = encryption.unwrap(wrapped).await.map_err(Unopened::Key)?;
        let key: Option<&[u8; KEY_BYTES]> = key.as_slice().try_into().ok();
        key.and_then(Cipher::new).map(Self).ok_or(Unopened::Damaged)
    }

    /// Decrypts the value of a version.
    pub(crate) fn open(&self, of: Of<'_>, sealed: Sealed) -> Result<Secret<String>, Unopened> {
        let whole = [sealed.nonce, sealed.ciphertext].concat();
        self.0.open(&of.context(), whole).and_then(text).ok_or(Unopened::Damaged)
    }
}

/// A data key that has encrypted nothing yet.
pub(crate) struct FreshKey {
    key: VersionKey,
    wrapped: String,
}

impl FreshKey {
    /// A new key. Asks whoever has the key encryption key, so not while a transaction holds its locks.
    pub(crate) async fn generate(
        encryption: &dyn KeyEncryption,
    ) -> Result<Self, KeyEncryptionError> {
        let key = data_key();
        let failed = || KeyEncryptionError::Unavailable("there is no cipher".to_owned());
        let cipher = Cipher::new(&key).ok_or_else(failed)?;
        let wrapped = encryption.wrap(key.as_slice()).await?;
        Ok(Self { key: VersionKey(cipher), wrapped })
    }

    /// Encrypts the one value of this key, which from here on is that of the version.
    pub(crate) fn seal(self, of: Of<'_>, value: &Secret<String>) -> Option<(Sealed, VersionKey)> {
        let mut nonce = self.key.0.seal(&of.context(), value.expose().as_bytes())?;
        let ciphertext = nonce.split_off(Cipher::NONCE_BYTES);
        Some((Sealed { wrapped_dek: self.wrapped, nonce, ciphertext }, self.key))
    }
}

/// Why a stored value was not decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unopened {
    /// The data key could not be decrypted.
    Key(KeyEncryptionError),
    /// The value was not encrypted as this version with this data key.
    Damaged,
}

/// The bytes as text, without another copy of them.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Secret<String>> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Secret::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            None
        }
    }
}

mod grant_tag;
#[cfg(test)]
mod tests;
