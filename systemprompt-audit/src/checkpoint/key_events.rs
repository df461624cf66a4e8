//! The list of keys is part of the log: an event for each key that begins or ends to sign it.

use serde::{Deserialize, Serialize};
use serde_json::json;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::{AuditEvent, EventKind};

use super::Signers;
use crate::Origin;
use crate::note::{NoteError, SignedNote, VerifierKey};
use crate::store::StoredCheckpoint;

/// First line of the note that comes with a new key.
const TITLE: &str = "systemprompt audit key v1";

/// The detail of the event of a new key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyAdded {
    /// The key.
    pub(crate) vkey: String,
    /// A note that names log and key, signed with the key itself and with the one before it.
    pub(crate) note: String,
}

/// The detail of the event of a key that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyRetired {
    /// The key.
    pub(crate) vkey: String,
}

impl KeyAdded {
    /// Whether the note belongs to this key and log, and who of `keys` has signed it.
    pub(crate) fn endorsers<'k>(
        &self,
        origin: &str,
        keys: &'k [VerifierKey],
    ) -> Result<Vec<&'k VerifierKey>, NoteError> {
        let note: SignedNote = self.note.parse()?;
        if note.text() != text(origin, &self.vkey) {
            return Err(NoteError::Form);
        }
        note.verify(keys)
    }
}

fn text(origin: &str, vkey: &str) -> String {
    format!("{TITLE}\n{origin}\n{vkey}\n")
}

/// The event that says that a log is signed with a new key from here on.
pub(crate) fn key_added(
    origin: &Origin,
    signers: &Signers,
    now: Timestamp,
) -> Result<AuditEvent, NoteError> {
    let vkey = signers.current.verifier().to_string();
    let note = SignedNote::sign(text(origin.as_str(), &vkey), &signers.endorsers())?.to_string();
    let algorithm = signers.current.verifier().algorithm();
    let detail = json!({ "vkey": vkey, "algorithm": algorithm, "note": note });
    Ok(AuditEvent::system(now, EventKind::AuditKeyAdded, detail))
}

/// The event that says that a log is not signed any more with `key` from here on.
pub(crate) fn key_retired(key: &VerifierKey, now: Timestamp) -> AuditEvent {
    AuditEvent::system(now, EventKind::AuditKeyRetired, json!({ "vkey": key.to_string() }))
}

/// Whether none of `signers` has signed the last checkpoint: the key that did is lost, or was put aside,
/// and cannot vouch for the one that signs now.
pub(crate) fn is_cut_off(signers: &Signers, last: Option<&StoredCheckpoint>) -> bool {
    let note = last.and_then(|last| last.note.parse::<SignedNote>().ok());
    note.is_some_and(|note| {
        let ours = signers.endorsers();
        !note.signatures().iter().any(|by| ours.iter().any(|signer| signer.verifier().made(by)))
    })
}

/// What a log has to say about its keys before it is signed now, given its last checkpoint.
pub(crate) fn due(
    origin: &Origin,
    signers: &Signers,
    last: Option<&StoredCheckpoint>,
    now: Timestamp,
) -> Result<Vec<AuditEvent>, NoteError> {
    let note = last.and_then(|last| last.note.parse::<SignedNote>().ok());
    let signed = |key: &VerifierKey| {
        let made = |note: &SignedNote| note.signatures().iter().any(|by| key.made(by));
        note.as_ref().is_some_and(made)
    };
    let mut events = Vec::new();
    if !signed(signers.current.verifier()) {
        events.push(key_added(origin, signers, now)?);
    }
    if let Some((previous, until)) = &signers.previous
        && *until <= now
        && signed(previous.verifier())
    {
        events.push(key_retired(previous.verifier(), now));
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use systemprompt_core::secret::Secret;

    use super::*;
    use crate::checkpoint::{SigningKey, SigningKeys};
    use crate::note::Checkpoint;

    #[test]
    fn a_key_is_cut_off_when_none_that_vouches_for_it_has_signed_before() {
        let now = Timestamp::from_micros(1);
        let key = |seed: u8| SigningKey::parse(&Secret::new(hex::encode([seed; 32]))).unwrap();
        let signers = |current, previous: Option<u8>| {
            let previous = previous.map(|seed| (key(seed), now));
            SigningKeys { current: key(current), previous }.signers("a").unwrap()
        };
        let checkpoint = Checkpoint { origin: "server@a".to_owned(), size: 1, root: [0; 32] };
        let note = checkpoint.sign(&signers(1, None).at(now)).unwrap().to_string();
        let last = StoredCheckpoint { size: 1, root: [0; 32], note, created_at: now };
        assert!(!is_cut_off(&signers(1, None), Some(&last)));
        assert!(!is_cut_off(&signers(2, Some(1)), Some(&last)));
        assert!(!is_cut_off(&signers(2, None), None));
        assert!(is_cut_off(&signers(2, None), Some(&last)));
        assert!(is_cut_off(&signers(3, Some(2)), Some(&last)));
    }
}
