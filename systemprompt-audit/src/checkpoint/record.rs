use serde::{Deserialize, Serialize};
use systemprompt_core::clock::Timestamp;

use crate::note::{Checkpoint, SignedNote, VerifierKey};

/// A checkpoint on its way out of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// When it was signed.
    pub at: Timestamp,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: SignedNote,
    /// The key that signs now.
    pub key: VerifierKey,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Checkpoint { at: String, origin: String, size: u64, note: String },
    Key { at: String, vkey: String },
}

impl CheckpointRecord {
    /// The record as a line of JSON: `{"at":..,"origin":..,"size":..,"note":..}`, where `note` is the
    /// whole note and the rest repeats what it says.
    #[must_use]
    pub fn to_line(&self) -> String {
        line(&Line::Checkpoint {
            at: self.at.to_string(),
            origin: self.checkpoint.origin.clone(),
            size: self.checkpoint.size,
            note: self.note.to_string(),
        })
    }

    /// The key as a line of JSON, `{"at":..,"vkey":..}`: the first record of a file.
    #[must_use]
    pub fn key_line(&self) -> String {
        line(&Line::Key { at: self.at.to_string(), vkey: self.key.to_string() })
    }
}

fn line(line: &Line) -> String {
    // Texts and a number: nothing that could fail.
    let mut text = serde_json::to_string(line).unwrap_or_default();
    text.push('\n');
    text
}

/// A record as it is found outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParsedRecord {
    /// A key.
    Key(VerifierKey),
    /// A checkpoint; who signed it is not known yet.
    Checkpoint(Checkpoint, SignedNote),
}

impl ParsedRecord {
    /// Reads a line of JSON; `None` when it is no record, such as one that a crash has cut short.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        match serde_json::from_str(line).ok()? {
            Line::Key { vkey, .. } => vkey.parse().ok().map(Self::Key),
            Line::Checkpoint { note, .. } => {
                let note: SignedNote = note.parse().ok()?;
                Some(Self::Checkpoint(note.text().parse().ok()?, note))
            }
        }
    }
}
