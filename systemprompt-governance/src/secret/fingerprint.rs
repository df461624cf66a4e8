use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Fewest bytes a key may have: with less, a short password could be guessed from its fingerprint.
pub(super) const MIN_KEY_BYTES: usize = 16;

/// Bytes of the HMAC that a fingerprint shows.
const SHOWN: usize = 16;

/// The key of the installation, already absorbed.
#[derive(Clone)]
pub(super) struct FingerprintKey(Hmac<Sha256>);

impl FingerprintKey {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        if key.len() < MIN_KEY_BYTES {
            return None;
        }
        Hmac::new_from_slice(key).ok().map(Self)
    }

    /// A key for another purpose. It comes from the half of the HMAC that no fingerprint shows.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 16] {
        let mut mac = self.0.clone();
        mac.update(purpose.as_bytes());
        let tag: [u8; 32] = mac.finalize().into_bytes().into();
        let mut key = [0; 16];
        key.copy_from_slice(tag.split_at(SHOWN).1);
        key
    }

    /// The fingerprint of a secret; of a very long one, of its beginning.
    pub(super) fn of(&self, secret: &[u8]) -> String {
        const LONGEST: usize = 16 * 1024;
        let mut mac = self.0.clone();
        mac.update(secret.get(..LONGEST).unwrap_or(secret));
        let tag = mac.finalize().into_bytes();
        hex::encode(tag.get(..SHOWN).unwrap_or_default())
    }
}
