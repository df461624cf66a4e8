use std::fmt;
use std::str::FromStr;

use super::{NoteSignature, Signer, VerifierKey};

/// Longest note, in bytes: a hundred signatures of the largest algorithms fit.
const MAX_BYTES: usize = 1 << 20;

/// Most signatures on a note.
const MAX_SIGNATURES: usize = 100;

/// A text with signatures (C2SP signed-note). Reading one checks its form; whose it is
/// [`verify`](Self::verify) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    pub(super) signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// Signs `text`, which ends with a line break, with every one of `signers`.
    ///
    /// # Errors
    /// [`NoteError`] when the text cannot be that of a note, or nobody signs.
    pub fn sign(text: String, signers: &[&dyn Signer]) -> Result<Self, NoteError> {
        let signatures: Vec<_> = signers.iter().map(|signer| signer.sign(&text)).collect();
        let control = |c: char| c.is_control() && c != '\n';
        // A blank line could be taken for the one before the signatures.
        let usable = text.len() > 1 && text.ends_with('\n') && !text.contains("\n\n");
        if !usable || text.starts_with('\n') || text.contains(control) || text.len() > MAX_BYTES {
            return Err(NoteError::Form);
        }
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Signatures);
        }
        Ok(Self { text, signatures })
    }

    /// The text with its last line break. Not to be believed before [`verify`](Self::verify).
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, whoever made them.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The note with `others` as well, each signature once.
    ///
    /// # Errors
    /// [`NoteError::Signatures`] when that are too many.
    pub fn with(mut self, others: &[NoteSignature]) -> Result<Self, NoteError> {
        for other in others {
            if !self.signatures.contains(other) {
                self.signatures.push(other.clone());
            }
        }
        if self.signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Signatures);
        }
        Ok(self)
    }

    /// Those of `keys` that have signed the text. Signatures of other keys are ignored.
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] when none of them has; [`NoteError::Forged`] when a signature that says
    /// to be made by one of them is not.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            // Of two keys with one name and id only the right one verifies.
            let mut claimed = keys.iter().filter(|key| key.made(signature)).peekable();
            if claimed.peek().is_none() {
                continue;
            }
            let signer = claimed.find(|key| key.verify(&self.text, signature));
            signers.push(signer.ok_or(NoteError::Forged)?);
        }
        if signers.is_empty() { Err(NoteError::Unsigned) } else { Ok(signers) }
    }
}

/// What is wrong with a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// Not a text, a blank line and lines of signatures.
    #[error("this is no signed note")]
    Form,
    /// None, or more than a hundred.
    #[error("a note has 1 to {MAX_SIGNATURES} signatures")]
    Signatures,
    /// No key that is known has signed it.
    #[error("none of the keys has signed the note")]
    Unsigned,
    /// A signature is not what it says it is.
    #[error("a signature on the note is not that of the key it names")]
    Forged,
}

impl FromStr for SignedNote {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        let control = |c: char| c < ' ' && c != '\n';
        if note.len() > MAX_BYTES || note.contains(control) {
            return Err(NoteError::Form);
        }
        let at = note.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, signatures) = (note.get(..=at), note.get(at + 2..));
        let (Some(text), Some(signatures)) = (text, signatures) else {
            return Err(NoteError::Form);
        };
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures: Option<Vec<_>> =
            signatures.split('\n').map(NoteSignature::from_line).collect();
        let signatures = signatures.ok_or(NoteError::Form)?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(NoteError::Signatures);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}
