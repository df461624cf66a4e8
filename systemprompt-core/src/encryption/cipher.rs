use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

/// Bytes of a tag.
const TAG_BYTES: usize = 16;

/// A new data key.
#[must_use]
pub fn data_key() -> Zeroizing<[u8; KEY_BYTES]> {
    Zeroizing::new(rand::random())
}

/// AES-256-GCM with random nonces of 96 bits, which stand before what was encrypted; the tag of 128 bits
/// stands behind it.
pub struct Cipher(LessSafeKey);

impl Cipher {
    /// Bytes of a nonce.
    pub const NONCE_BYTES: usize = NONCE_LEN;

    /// A cipher with a key; `None` when the library has no memory for it.
    #[must_use]
    pub fn new(key: &[u8; KEY_BYTES]) -> Option<Self> {
        Some(Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?)))
    }

    /// Encrypts; `context` is what it belongs to, and must be the same when it is decrypted.
    #[must_use]
    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = rand::random();
        // Never moved while it holds the plain text.
        let mut sealed = Vec::with_capacity(plain.len() + TAG_BYTES);
        sealed.extend_from_slice(plain);
        let sealing = Nonce::assume_unique_for_key(nonce);
        self.0.seal_in_place_append_tag(sealing, Aad::from(context), &mut sealed).ok()?;
        Some([nonce.as_slice(), sealed.as_slice()].concat())
    }

    /// Decrypts what [`seal`](Self::seal) has made; `None` when it was changed, or made with another key or
    /// for another context.
    #[must_use]
    pub fn open(&self, context: &[u8], mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let nonce: [u8; NONCE_LEN] = sealed.get(..NONCE_LEN)?.try_into().ok()?;
        let mut body = Zeroizing::new(sealed.split_off(NONCE_LEN));
        let opening = Nonce::assume_unique_for_key(nonce);
        let length = self.0.open_in_place(opening, Aad::from(context), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_for_the_same_context_alone(
            plain in prop::collection::vec(any::<u8>(), 0..300),
            context in prop::collection::vec(any::<u8>(), 0..40),
            other in prop::collection::vec(any::<u8>(), 0..40),
            at in any::<prop::sample::Index>(),
            bit in 0..8u8,
        ) {
            let cipher = Cipher::new(&data_key()).unwrap();
            let sealed = cipher.seal(&context, &plain).unwrap();
            prop_assert_eq!(sealed.len(), Cipher::NONCE_BYTES + plain.len() + TAG_BYTES);
            let opened = cipher.open(&context, sealed.clone()).unwrap();
            prop_assert_eq!(opened.as_slice(), plain.as_slice());
            if other != context {
                prop_assert!(cipher.open(&other, sealed.clone()).is_none());
            }
            let mut changed = sealed.clone();
            changed[at.index(sealed.len())] ^= 1 << bit;
            prop_assert!(cipher.open(&context, changed).is_none());
            prop_assert!(cipher.open(&context, sealed[..at.index(sealed.len())].to_vec()).is_none());
            prop_assert!(Cipher::new(&data_key()).unwrap().open(&context, sealed).is_none());
        }
    }
}
