//! The proof that one event is in a log: a small file that needs nothing but a public key to be checked.
//!
//! The file has the form of C2SP tlog-proof: a signed checkpoint, and the hashes between the event and
//! the root in it. Its extra data is a JSON object with the event itself: `leaf`, what its hash is made
//! of, where personal and secret data are commitments; and where they were disclosed the `salt` and
//! the `columns` that those open to.

mod disclosed;
mod event_proof;
mod prove;
#[cfg(test)]
mod tests;

pub use event_proof::{EventProof, ProofFault, ProvenEvent};
pub use prove::{ProveError, WhichEvent, WhichEventError, prove};
