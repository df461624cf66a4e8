//! Ed25519 (RFC 8032), signature type 0x01 of C2SP signed-note.

use std::fmt;
use std::sync::Arc;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use super::{KeyError, NoteSignature, PublicKey, Signer, VerifierKey};

pub(super) const ALGORITHM: u8 = 0x01;

#[derive(Debug)]
struct Ed25519Key(VerifyingKey);

impl PublicKey for Ed25519Key {
    fn algorithm(&self) -> u8 {
        ALGORITHM
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        // Strict: no key of small order, nothing that has two readings.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(text, &signature).is_ok())
    }
}

pub(super) fn public_key(bytes: &[u8]) -> Option<Arc<dyn PublicKey>> {
    let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then(|| Arc::new(Ed25519Key(key)) as Arc<dyn PublicKey>)
}

/// Signs notes with Ed25519. The key is wiped when it is dropped.
pub struct Ed25519Signer {
    key: SigningKey,
    verifier: VerifierKey,
}

/// A text that is no Ed25519 seed. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing key is 64 hex digits, the 32 bytes of an Ed25519 seed")]
pub struct SeedError;

impl Ed25519Signer {
    /// The signer `name` with the key of this seed.
    ///
    /// # Errors
    /// [`KeyError::Name`] when the name cannot be one.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, Arc::new(Ed25519Key(key.verifying_key())))?;
        Ok(Self { key, verifier })
    }

    /// Reads a seed: 64 hex digits.
    ///
    /// # Errors
    /// [`SeedError`] when it is something else.
    pub fn seed_from_hex(text: &str) -> Result<[u8; 32], SeedError> {
        let mut seed = [0; 32];
        hex::decode_to_slice(text, &mut seed).map_err(|_| SeedError)?;
        Ok(seed)
    }
}

impl Signer for Ed25519Signer {
    fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    fn sign(&self, text: &str) -> NoteSignature {
        NoteSignature {
            name: self.verifier.name().to_owned(),
            key_id: self.verifier.id(),
            bytes: self.key.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl fmt::Debug for Ed25519Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ed25519Signer").field(&self.verifier).finish()
    }
}
