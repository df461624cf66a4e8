use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{PREFIX, Person};

/// Bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// AES-256-GCM with random nonces of 96 bits, which stand before what was encrypted.
pub(super) struct Cipher(LessSafeKey);

impl Cipher {
    /// A cipher with a key of [`KEY_BYTES`] bytes.
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?)))
    }

    /// Encrypts; `context` is what it belongs to, and must be the same when it is decrypted.
    pub(super) fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = plain.to_vec();
        let sealing = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(sealing, Aad::from(context), &mut sealed).ok()?;
        Some([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Decrypts what [`seal`](Self::seal) has made.
    pub(super) fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = sealed.get(..NONCE_LEN)?.try_into().ok()?;
        let mut body = sealed.split_off(NONCE_LEN);
        let opening = Nonce::assume_unique_for_key(nonce);
        let length = self.0.open_in_place(opening, Aad::from(context), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

/// The key of a subject, ready to be used.
pub(crate) struct DataKey {
    pub(crate) pseudonym: Arc<str>,
    pub(crate) person: Person,
    pub(super) cipher: Cipher,
}

impl DataKey {
    /// A new key under a new pseudonym, and what is to be encrypted of it.
    pub(super) fn generate(person: Person) -> Option<(Self, Zeroizing<Vec<u8>>)> {
        let name: [u8; 16] = rand::random();
        let pseudonym: Arc<str> = format!("{PREFIX}{}", hex::encode(name)).into();
        let key = Zeroizing::new(rand::random::<[u8; KEY_BYTES]>());
        let bound = binding(&person, &pseudonym);
        let whole = Zeroizing::new([key.as_slice(), &bound].concat());
        let cipher = Cipher::new(&key)?;
        Some((Self { pseudonym, person, cipher }, whole))
    }

    /// A key as it was decrypted; `None` when it is not that of the person under this pseudonym, because
    /// rows were changed.
    pub(super) fn restore(person: Person, pseudonym: &str, whole: &[u8]) -> Option<Self> {
        let (key, bound) = whole.split_at_checked(KEY_BYTES)?;
        if bound != binding(&person, pseudonym) {
            return None;
        }
        let cipher = Cipher::new(key.try_into().ok()?)?;
        Some(Self { pseudonym: pseudonym.into(), person, cipher })
    }
}

/// What ties a key to the row it stands in.
fn binding(person: &Person, pseudonym: &str) -> [u8; 32] {
    let mut hash = Sha256::new().chain_update(b"systemprompt-audit-subject-1");
    for part in [&*person.tenant, &*person.user, &*person.department, pseudonym] {
        hash.update([0]);
        hash.update(part);
    }
    hash.finalize().into()
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("pseudonym", &self.pseudonym).finish_non_exhaustive()
    }
}
