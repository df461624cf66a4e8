use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::is_name;

/// A signature on a note: who made it, and what it is. It may not be one at all until it was checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoteSignature {
    /// The name of the key.
    pub name: String,
    /// The id of the key.
    pub key_id: u32,
    /// The signature as the algorithm writes it.
    pub bytes: Vec<u8>,
}

/// What a line of a signature begins with: an em dash and a blank.
pub(super) const MARK: &str = "\u{2014} ";

impl NoteSignature {
    /// Reads a line without its line break.
    pub(crate) fn from_line(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(signature).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<4>()?;
        let usable = is_name(name) && !bytes.is_empty();
        usable.then(|| Self {
            name: name.to_owned(),
            key_id: u32::from_be_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "{MARK}{} {}", self.name, STANDARD.encode(bytes))
    }
}
