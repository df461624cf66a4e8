//! Reads files that sops has encrypted, as far as secrets are moved from them into custody.
//!
//! YAML, JSON and dotenv whose data key is encrypted to an age recipient. Every value is authenticated by
//! itself and by its place in the file, and all of them together by the file's MAC; a file of which anything was
//! changed gives nothing. What sops has left in clear is part of the MAC, but no secret, and not returned.
//!
//! Not read: data keys that are split over key groups or encrypted in another way than age, aliases, and dates
//! in clear that are not quoted. Comments are not part of the MAC, neither here nor for sops.
//!
//! There is a library for the whole format; it is not kept, and pins another age.

mod dotenv;
mod json;
mod metadata;
mod node;
mod value;
mod yaml;

use std::path::Path;

use sha2::{Digest as _, Sha512};
use systemprompt_core::encryption::{KEY_BYTES, KeyEncryptionError, decrypt_age};
use systemprompt_core::secret::Secret;
use zeroize::Zeroizing;

use metadata::Metadata;
use node::{Leaf, Node};

/// Most bytes of a file.
pub const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// What a MAC over encrypted values alone begins with (SHA-256 of `sops`), so that it is never the one over all.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// In which way a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SopsFormat {
    /// YAML, of one document or several.
    Yaml,
    /// JSON.
    Json,
    /// Lines of `NAME=value`.
    Dotenv,
}

impl SopsFormat {
    /// The format by the ending of a file's name, as sops tells it.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "env" => Some(Self::Dotenv),
            _ => None,
        }
    }
}

/// A value that was encrypted.
pub struct SopsValue {
    /// Where it stood: keys, and numbers of list items from 0.
    pub path: Vec<String>,
    /// The value, as text.
    pub value: Secret<String>,
}

impl std::fmt::Debug for SopsValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SopsValue").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a file was not read. Never holds any part of a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SopsError {
    /// Longer than [`MAX_FILE_BYTES`].
    #[error("the file is longer than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// Not of the format.
    #[error("the file cannot be read: {0}")]
    Syntax(String),
    /// Not encrypted by sops, or not whole.
    #[error("the file was not encrypted by sops: `{0}` is missing")]
    NotSops(&'static str),
    /// The data key was encrypted in another way.
    #[error("the data key is not encrypted to an age recipient")]
    NoAge,
    /// The data key was split.
    #[error("the data key is split over key groups, which are not read here")]
    KeyGroups,
    /// The identity does not open the data key.
    #[error("the data key cannot be decrypted: {0}")]
    Identity(KeyEncryptionError),
    /// A value was changed, or moved to another place.
    #[error("the value at `{0}` was changed, or moved there")]
    Value(String),
    /// The MAC is that of another content.
    #[error("the file was changed: its MAC is not that of its values")]
    Mac,
}

/// Decrypts `file` with the first of `identities` (lines as `age-keygen` writes them) that its data key was
/// encrypted to, and returns what was encrypted, in the order of the file.
///
/// # Errors
/// [`SopsError`] when anything is wrong with it; then nothing of it is returned.
pub fn decrypt(
    file: &[u8],
    format: SopsFormat,
    identities: &Secret<String>,
) -> Result<Vec<SopsValue>, SopsError> {
    if file.len() > MAX_FILE_BYTES {
        return Err(SopsError::TooLong);
    }
    let not_text = || SopsError::Syntax("it is not UTF-8 text".to_owned());
    let text = std::str::from_utf8(file).map_err(|_| not_text())?;
    let (documents, metadata) = match format {
        SopsFormat::Yaml => metadata::split(yaml::read(text)?)?,
        SopsFormat::Json => metadata::split(vec![json::read(text)?])?,
        SopsFormat::Dotenv => dotenv::read(text)?,
    };
    let key = data_key(&metadata, identities)?;
    let mut walk = Walk {
        key,
        mac: Sha512::new(),
        only_encrypted: metadata.mac_only_encrypted,
        found: Vec::new(),
    };
    if walk.only_encrypted {
        walk.mac.update(ONLY_ENCRYPTED);
    }
    for document in documents {
        walk.node(document, &mut Vec::new(), &mut String::new())?;
    }
    let computed = hex::encode_upper(walk.mac.finalize());
    let stored = value::decrypt(&metadata.mac, &walk.key, &metadata.lastmodified);
    match stored.flatten() {
        Some(stored) if *stored.bytes == computed.as_bytes() => Ok(walk.found),
        _ => Err(SopsError::Mac),
    }
}

type Key = Zeroizing<[u8; KEY_BYTES]>;

/// The data key, of whichever recipient.
fn data_key(metadata: &Metadata, identities: &Secret<String>) -> Result<Key, SopsError> {
    let mut refused = SopsError::NoAge;
    for enc in &metadata.age {
        match decrypt_age(enc.as_bytes(), identities) {
            Ok(bytes) => {
                let key = bytes.as_slice().try_into().map_err(|_| {
                    let malformed = "it does not have 32 bytes".to_owned();
                    SopsError::Identity(KeyEncryptionError::Malformed(malformed))
                })?;
                return Ok(Zeroizing::new(key));
            }
            Err(error) => refused = SopsError::Identity(error),
        }
    }
    Err(refused)
}

/// Goes through a file in its order.
struct Walk {
    key: Key,
    mac: Sha512,
    only_encrypted: bool,
    found: Vec<SopsValue>,
}

impl Walk {
    /// `path` leads to `node`; `bound` is what its values are bound to: the keys alone, each with a colon.
    fn node(
        &mut self,
        node: Node,
        path: &mut Vec<String>,
        bound: &mut String,
    ) -> Result<(), SopsError> {
        match node {
            Node::Null => Ok(()),
            Node::List(items) => {
                for (number, item) in items.into_iter().enumerate() {
                    path.push(number.to_string());
                    self.node(item, path, bound)?;
                    path.pop();
                }
                Ok(())
            }
            Node::Map(entries) => {
                for (key, value) in entries {
                    let length = bound.len();
                    bound.push_str(&key);
                    bound.push(':');
                    path.push(key);
                    self.node(value, path, bound)?;
                    path.pop();
                    bound.truncate(length);
                }
                Ok(())
            }
            Node::Leaf(leaf) => self.leaf(&leaf, path, bound),
        }
    }

    fn leaf(&mut self, leaf: &Leaf, path: &[String], bound: &str) -> Result<(), SopsError> {
        let damaged = || SopsError::Value(path.join("."));
        let Some(plain) = value::decrypt(leaf.text(), &self.key, bound) else {
            // Left in clear; no secret.
            if !self.only_encrypted {
                self.mac.update(leaf.text().as_bytes());
            }
            return Ok(());
        };
        let mut plain = plain.ok_or_else(damaged)?;
        self.mac.update(plain.bytes.as_slice());
        let mut text = String::from_utf8(std::mem::take(&mut *plain.bytes)).map_err(|error| {
            zeroize::Zeroize::zeroize(&mut error.into_bytes());
            damaged()
        })?;
        if plain.is_truth {
            text.make_ascii_lowercase();
        }
        self.found.push(SopsValue { path: path.to_vec(), value: Secret::new(text) });
        Ok(())
    }
}
