//! What witnesses sign: Ed25519 cosignatures, signature type 0x04 (C2SP tlog-cosignature).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ed25519_dalek::{Signature, VerifyingKey};
use systemprompt_core::clock::Timestamp;

use super::key::{ParsedKey, VerifierKey};
use super::{KeyError, NoteError, NoteSignature, PublicKey, SignedNote};

pub(super) const ALGORITHM: u8 = 0x04;

/// The public key of a witness: whoever cosigns checkpoints of logs that he has seen grow.
///
/// As text it is `name+id+key`, as a [`VerifierKey`] is, with a byte of its own for the algorithm: what a
/// witness signs says when, and is never taken for a signature of the log itself.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey(VerifierKey);

/// The word of a witness: as of this instant the checkpoint was the largest that it had seen of the log,
/// and all that it had seen before were consistent with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// When it was made, to the second.
    pub at: Timestamp,
    /// The signature as it stands on the note.
    pub signature: NoteSignature,
}

impl WitnessKey {
    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The id: a short digest of name, algorithm and key.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// The newest cosignature of this witness on `note`, if there is any.
    ///
    /// # Errors
    /// [`NoteError::Forged`] when a signature that says to be made by it is not.
    pub fn cosignature(&self, note: &SignedNote) -> Result<Option<Cosignature>, NoteError> {
        let mut newest = None;
        for signature in note.signatures().iter().filter(|signature| self.0.made(signature)) {
            let (seconds, _) = split(&signature.bytes).ok_or(NoteError::Forged)?;
            if !self.0.verify(note.text(), signature) {
                return Err(NoteError::Forged);
            }
            newest = newest.max(Some((seconds, signature.clone())));
        }
        Ok(newest.map(|(seconds, signature)| Cosignature { at: instant(seconds), signature }))
    }
}

impl FromStr for WitnessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parsed = ParsedKey::parse(text)?;
        let key = match parsed.algorithm {
            ALGORITHM => public_key(&parsed.bytes).ok_or(KeyError::Bytes)?,
            super::ed25519::ALGORITHM => return Err(KeyError::NoWitness),
            other => return Err(KeyError::Algorithm(other)),
        };
        parsed.named(key).map(Self)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({self})")
    }
}

#[derive(Debug)]
struct CosignerKey(VerifyingKey);

impl PublicKey for CosignerKey {
    fn algorithm(&self) -> u8 {
        ALGORITHM
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let Some((seconds, signature)) = split(signature) else { return false };
        let mut message = format!("cosignature/v1\ntime {seconds}\n").into_bytes();
        message.extend_from_slice(text);
        self.0.verify_strict(&message, &signature).is_ok()
    }
}

fn public_key(bytes: &[u8]) -> Option<Arc<dyn PublicKey>> {
    let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
    (!key.is_weak()).then(|| Arc::new(CosignerKey(key)) as Arc<dyn PublicKey>)
}

/// A `timestamped_signature`: seconds since 1970, at most 2^63 - 1, and the signature.
fn split(bytes: &[u8]) -> Option<(u64, Signature)> {
    let (seconds, signature) = bytes.split_first_chunk::<8>()?;
    let seconds = u64::from_be_bytes(*seconds);
    i64::try_from(seconds).ok()?;
    Some((seconds, Signature::from_slice(signature).ok()?))
}

fn instant(seconds: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000_000))
}
