use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use systemprompt_core::clock::Timestamp;

use super::disclosed::Disclosed;
use crate::merkle::{Hash, ProofError, hash_leaf, verify_inclusion};
use crate::note::{Checkpoint, NoteError, SignedNote, VerifierKey, WitnessKey};

/// First line of a proof (C2SP tlog-proof).
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// Longest proof, in bytes: an event of a megabyte in base64 within JSON fits.
const MAX_BYTES: usize = 8 << 20;

/// Most hashes of a proof: a tree of 2^64 leaves has no more.
const MAX_HASHES: usize = 64;

/// The proof that an event is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventProof {
    pub(super) extra: Extra,
    /// The place of the leaf, counted from 0.
    pub(super) index: u64,
    pub(super) path: Vec<Hash>,
    pub(super) note: SignedNote,
}

/// The event: what the proof is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extra {
    pub(super) leaf: String,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) disclosed: Option<Disclosed>,
}

/// An event that was proven to be in a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ProvenEvent {
    /// The log.
    pub origin: String,
    /// The place in it.
    pub seq: u64,
    /// How many events the log had when it was signed.
    pub size: u64,
    /// The key that has signed it.
    pub key: String,
    /// What its hash is made of: columns in clear, and commitments to the others.
    pub leaf: Value,
    /// All its columns, when they were disclosed; they are what the commitments were made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Value>,
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFault {
    /// It does not have the form of one.
    #[error("this is no proof of an event")]
    Form,
    /// None of the keys has signed the checkpoint in it.
    #[error("the checkpoint in the proof is not signed by the key: {0}")]
    Signature(#[from] NoteError),
    /// The event is not in the tree that was signed.
    #[error("the event is not in the log that was signed: {0}")]
    Inclusion(#[from] ProofError),
    /// The event names another log or place than the proof.
    #[error("the event belongs to another place than the proof says")]
    Place,
    /// What was disclosed is not what the event commits to.
    #[error("the disclosed columns are not those of the event")]
    Disclosure,
}

impl EventProof {
    /// Checks everything, with nothing but `keys`.
    ///
    /// # Errors
    /// [`ProofFault`] with what is wrong.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<ProvenEvent, ProofFault> {
        let signers = self.note.verify(keys)?;
        let key = signers.first().map(ToString::to_string).unwrap_or_default();
        let checkpoint: Checkpoint = self.note.text().parse().map_err(|_| ProofFault::Form)?;
        let hash = hash_leaf(self.extra.leaf.as_bytes());
        verify_inclusion(&hash, self.index, checkpoint.size, &self.path, &checkpoint.root)?;
        let leaf: Value = serde_json::from_str(&self.extra.leaf).map_err(|_| ProofFault::Form)?;
        let seq = self.index + 1;
        let named = leaf.get("origin").and_then(Value::as_str) == Some(&checkpoint.origin)
            && leaf.get("seq").and_then(Value::as_u64) == Some(seq);
        if !named {
            return Err(ProofFault::Place);
        }
        if let Some(disclosed) = &self.extra.disclosed {
            let place = i64::try_from(seq).map_err(|_| ProofFault::Place)?;
            let made = disclosed.leaf(&checkpoint.origin, place);
            if made.as_deref() != Some(self.extra.leaf.as_bytes()) {
                return Err(ProofFault::Disclosure);
            }
        }
        Ok(ProvenEvent {
            origin: checkpoint.origin,
            seq,
            size: checkpoint.size,
            key,
            leaf,
            columns: self.extra.disclosed.as_ref().map(Disclosed::to_json),
        })
    }
}

impl EventProof {
    /// When `witness` has cosigned the checkpoint in the proof, to the second; `None` when it has not.
    ///
    /// # Errors
    /// [`ProofFault::Signature`] when a signature that says to be made by it is not.
    pub fn cosigned_at(&self, witness: &WitnessKey) -> Result<Option<Timestamp>, ProofFault> {
        Ok(witness.cosignature(&self.note)?.map(|cosignature| cosignature.at))
    }
}

impl FromStr for EventProof {
    type Err = ProofFault;

    fn from_str(text: &str) -> Result<Self, ProofFault> {
        let form = || ProofFault::Form;
        let (head, note) = text.split_once("\n\n").ok_or_else(form)?;
        if text.len() > MAX_BYTES {
            return Err(form());
        }
        let mut lines = head.split('\n');
        if lines.next() != Some(TITLE) {
            return Err(form());
        }
        let extra = lines.next().and_then(|line| line.strip_prefix("extra ")).ok_or_else(form)?;
        let extra = STANDARD.decode(extra).map_err(|_| form())?;
        let extra = serde_json::from_slice(&extra).map_err(|_| form())?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).ok_or_else(form)?;
        let plain =
            index == "0" || index.bytes().next().is_some_and(|b| (b'1'..=b'9').contains(&b));
        let index = index.parse().ok().filter(|_| plain).ok_or_else(form)?;
        let hash = |line: &str| STANDARD.decode(line).ok()?.try_into().ok();
        let path: Option<Vec<Hash>> = lines.take(MAX_HASHES + 1).map(hash).collect();
        let path = path.filter(|path| path.len() <= MAX_HASHES).ok_or_else(form)?;
        Ok(Self { extra, index, path, note: note.parse().map_err(|_| form())? })
    }
}

impl fmt::Display for EventProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extra = serde_json::to_vec(&self.extra).map_err(|_| fmt::Error)?;
        writeln!(f, "{TITLE}\nextra {}\nindex {}", STANDARD.encode(extra), self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash)))?;
        write!(f, "\n{}", self.note)
    }
}
