use super::KeyEvent;
use crate::checkpoint::{KeyAdded, KeyRetired};
use crate::note::{SignedNote, VerifierKey};

/// The keys of a log, and which of them may sign what.
#[derive(Debug, Default)]
pub(super) struct KeyRing {
    keys: Vec<RingKey>,
    /// Keys that the verifier has brought along.
    anchors: Vec<VerifierKey>,
}

#[derive(Debug)]
struct RingKey {
    key: VerifierKey,
    /// The event that names it.
    from: i64,
    /// The event that ends it.
    until: Option<i64>,
    trusted: bool,
}

/// Who has signed a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SignedBy {
    /// A key that is trusted and may.
    Trusted,
    /// A key that may, but follows from nothing that is trusted.
    Untrusted(String),
    /// Nobody who may, and why.
    Nobody(String),
}

impl KeyRing {
    /// The keys that `events` of the log `origin` name. A key is trusted when it is one of `anchors`
    /// that has not ended before, or when one that was trusted and had not ended has signed for it;
    /// without anchors the first is.
    pub(super) fn new(origin: &str, events: &[KeyEvent], anchors: &[VerifierKey]) -> Self {
        let mut ring = Self { keys: Vec::new(), anchors: anchors.to_vec() };
        for event in events {
            if event.kind == "audit_key_added" {
                ring.added(origin, event);
            } else if let Ok(KeyRetired { vkey }) = serde_json::from_str(&event.detail) {
                ring.retired(&vkey, event.seq);
            }
        }
        ring
    }

    fn added(&mut self, origin: &str, event: &KeyEvent) {
        let Ok(added) = serde_json::from_str::<KeyAdded>(&event.detail) else { return };
        let Ok(key) = added.vkey.parse::<VerifierKey>() else { return };
        let trusted = |key: &&RingKey| key.trusted && key.until.is_none();
        let mut may: Vec<_> = self.keys.iter().filter(trusted).map(|key| key.key.clone()).collect();
        // An anchor that has ended comes back by the word of another one alone.
        let ended = |key: &VerifierKey| {
            self.keys.iter().any(|other| other.key == *key && other.until.is_some())
        };
        may.extend(self.anchors.iter().filter(|key| !ended(key)).cloned());
        let trusted = (self.anchors.contains(&key) && !ended(&key))
            || (self.anchors.is_empty() && self.keys.is_empty())
            || added.endorsers(origin, &may).is_ok();
        self.keys.push(RingKey { key, from: event.seq, until: None, trusted });
    }

    fn retired(&mut self, vkey: &str, seq: i64) {
        let named = |key: &VerifierKey| key.to_string() == vkey;
        for key in self.keys.iter_mut().filter(|key| key.until.is_none() && named(&key.key)) {
            key.until = Some(seq);
        }
        // One that the verifier has brought along ends even when the log never named it.
        let anchor = self.anchors.iter().find(|key| named(key));
        if let Some(key) = anchor.filter(|key| !self.keys.iter().any(|other| other.key == **key)) {
            let key = key.clone();
            self.keys.push(RingKey { key, from: 0, until: Some(seq), trusted: true });
        }
    }

    /// The first key that the log names.
    pub(super) fn first(&self) -> Option<VerifierKey> {
        self.keys.first().map(|key| key.key.clone())
    }

    /// Who of those who may sign a log of `size` events has signed `note`.
    pub(super) fn signed_by(&self, note: &SignedNote, size: i64) -> SignedBy {
        let mut best = SignedBy::Nobody("no key that the log names has signed it".to_owned());
        for signature in note.signatures() {
            let right = |key: &VerifierKey| key.verify(note.text(), signature);
            let known = self.keys.iter().filter(|key| key.key.made(signature));
            for key in known {
                if !right(&key.key) {
                    return SignedBy::Nobody("a signature on it is forged".to_owned());
                }
                match key.until {
                    Some(until) if size >= until => {
                        if !matches!(best, SignedBy::Untrusted(_)) {
                            best = SignedBy::Nobody(format!(
                                "it is signed with a key that ended with event {until}"
                            ));
                        }
                    }
                    _ if size < key.from => {}
                    _ if key.trusted => return SignedBy::Trusted,
                    _ => best = SignedBy::Untrusted(key.key.to_string()),
                }
            }
            let named = self.keys.iter().any(|key| key.key.made(signature));
            if !named && self.anchors.iter().any(right) {
                return SignedBy::Trusted;
            }
        }
        best
    }
}
