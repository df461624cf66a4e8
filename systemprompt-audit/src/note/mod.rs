//! Signed statements about a log, in the forms that others read too: C2SP signed-note, the keys that go
//! with it, C2SP tlog-checkpoint and C2SP tlog-cosignature.
//!
//! - [`SignedNote`] is a text with signatures;
//! - [`VerifierKey`] is a public key with a name, `name+id+key` as text;
//! - [`Signer`] makes signatures, [`PublicKey`] checks them; [`Ed25519Signer`] is the one there is. An
//!   algorithm is a byte in the key, so that others can be added beside it;
//! - [`WitnessKey`] checks what a witness has added to a note: its [`Cosignature`];
//! - [`Checkpoint`] is the text of a note that says what a log is: its name, size and root.

mod checkpoint;
mod cosignature;
mod ed25519;
mod key;
mod signature;
mod signed;
#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosignature::{Cosignature, WitnessKey};
pub use ed25519::{Ed25519Signer, SeedError};
pub use key::{KeyError, PublicKey, Signer, VerifierKey};
pub use signature::NoteSignature;
pub use signed::{NoteError, SignedNote};
