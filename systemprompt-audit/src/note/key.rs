use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{NoteSignature, cosignature, ed25519};

/// A public key of some algorithm.
pub trait PublicKey: Send + Sync + fmt::Debug {
    /// The byte that stands for the algorithm (C2SP signed-note, signature types).
    fn algorithm(&self) -> u8;

    /// The key as the algorithm writes it.
    fn to_bytes(&self) -> Vec<u8>;

    /// Whether `signature` is the key's over `text`.
    fn verify(&self, text: &[u8], signature: &[u8]) -> bool;
}

/// Who signs notes.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The key that checks the signatures.
    fn verifier(&self) -> &VerifierKey;

    /// Signs `text`, a whole note text with its last line break.
    fn sign(&self, text: &str) -> NoteSignature;
}

/// A public key with a name: what checks the signatures of a note.
///
/// As text it is `name+id+key`: the id in eight hex digits, the key in base64 with the byte of its
/// algorithm before it, as the checksum database of Go writes it.
#[derive(Clone)]
pub struct VerifierKey {
    name: Arc<str>,
    id: u32,
    key: Arc<dyn PublicKey>,
}

impl VerifierKey {
    /// The key `key` with the name `name`.
    ///
    /// # Errors
    /// [`KeyError::Name`] when the name is empty or holds white space, `+` or a control character.
    pub fn new(name: &str, key: Arc<dyn PublicKey>) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let id = id(name, key.algorithm(), &key.to_bytes());
        Ok(Self { name: name.into(), id, key })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id: a short digest of name, algorithm and key.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The name of the algorithm; the byte where it has none here.
    #[must_use]
    pub fn algorithm(&self) -> String {
        match self.key.algorithm() {
            ed25519::ALGORITHM => "ed25519".to_owned(),
            other => format!("{other:#04x}"),
        }
    }

    /// Whether a signature says that it was made with this key.
    #[must_use]
    pub fn made(&self, signature: &NoteSignature) -> bool {
        *self.name == *signature.name && self.id == signature.key_id
    }

    /// Whether `signature` is this key's over `text`.
    #[must_use]
    pub fn verify(&self, text: &str, signature: &NoteSignature) -> bool {
        self.made(signature) && self.key.verify(text.as_bytes(), &signature.bytes)
    }
}

/// What a key name may be (C2SP signed-note, format).
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

fn id(name: &str, algorithm: u8, key: &[u8]) -> u32 {
    let digest = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', algorithm])
        .chain_update(key)
        .finalize();
    digest.iter().take(4).fold(0, |id, byte| id << 8 | u32::from(*byte))
}

/// A text that is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not `name+id+key`.
    #[error("a verifier key has the form `name+id+key`")]
    Form,
    /// The name cannot be one.
    #[error("the name of a key is not empty and holds neither white space nor `+`")]
    Name,
    /// The id is not that of name and key.
    #[error("the id in the verifier key is not that of its name and key")]
    Id,
    /// The algorithm is not known here.
    #[error("the algorithm {0:#04x} of the verifier key is not known")]
    Algorithm(u8),
    /// The key is that of a witness, where one of a log is due.
    #[error("the verifier key is that of a witness, which signs no log")]
    Witness,
    /// The key is that of a log, where one of a witness is due.
    #[error("the verifier key is not that of a witness, whose signatures have the type 0x04")]
    NoWitness,
    /// No key of the algorithm has these bytes.
    #[error("the bytes in the verifier key are no key")]
    Bytes,
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parsed = ParsedKey::parse(text)?;
        let key = match parsed.algorithm {
            ed25519::ALGORITHM => ed25519::public_key(&parsed.bytes).ok_or(KeyError::Bytes)?,
            cosignature::ALGORITHM => return Err(KeyError::Witness),
            other => return Err(KeyError::Algorithm(other)),
        };
        parsed.named(key)
    }
}

/// The parts of `name+id+key`.
pub(super) struct ParsedKey<'t> {
    name: &'t str,
    id: u32,
    pub(super) algorithm: u8,
    pub(super) bytes: Vec<u8>,
}

impl<'t> ParsedKey<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(stated), Some(key)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(KeyError::Form);
        };
        if stated.len() != 8 || !stated.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(KeyError::Form);
        }
        let id = u32::from_str_radix(stated, 16).map_err(|_| KeyError::Form)?;
        let bytes = STANDARD.decode(key).map_err(|_| KeyError::Form)?;
        let (algorithm, bytes) = bytes.split_first().ok_or(KeyError::Form)?;
        Ok(Self { name, id, algorithm: *algorithm, bytes: bytes.to_vec() })
    }

    /// `key` with this name, if the id is that of both.
    pub(super) fn named(self, key: Arc<dyn PublicKey>) -> Result<VerifierKey, KeyError> {
        let key = VerifierKey::new(self.name, key)?;
        if key.id == self.id { Ok(key) } else { Err(KeyError::Id) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.key.algorithm()];
        bytes.extend(self.key.to_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl PartialEq for VerifierKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.key.algorithm() == other.key.algorithm()
            && self.key.to_bytes() == other.key.to_bytes()
    }
}

impl Eq for VerifierKey {}
