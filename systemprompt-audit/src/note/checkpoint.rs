use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{NoteError, SignedNote, Signer};
use crate::merkle::Hash;

/// What a log is at some moment (C2SP tlog-checkpoint): its name, how many events it has, and the root
/// over them. One line each; lines after them are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many events it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Signs it with every one of `signers`.
    ///
    /// # Errors
    /// [`NoteError`] when the name cannot stand in a note, or nobody signs.
    pub fn sign(&self, signers: &[&dyn Signer]) -> Result<SignedNote, NoteError> {
        SignedNote::sign(self.to_string(), signers)
    }
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint has a line each for the name of the log, its size and its root")]
pub struct CheckpointError;

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError)?.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError);
        let (origin, size, root) = (line()?, line()?, line()?);
        let plain = size == "0" || size.bytes().next().is_some_and(|b| (b'1'..=b'9').contains(&b));
        let size = size.parse().ok().filter(|_| plain).ok_or(CheckpointError)?;
        let root = STANDARD.decode(root).ok().and_then(|root| root.try_into().ok());
        Ok(Self { origin: origin.to_owned(), size, root: root.ok_or(CheckpointError)? })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }
}
