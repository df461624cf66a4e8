use super::Outside;
use crate::note::{VerifierKey, WitnessKey};

/// What the verifier brings along.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// Keys that are trusted. Without any the first key of `outside` is, and without that the first
    /// key that each log names itself, which proves nothing to anybody.
    pub keys: Vec<VerifierKey>,
    /// Witnesses whose cosignatures count.
    pub witnesses: Vec<WitnessKey>,
    /// Checkpoints that were kept outside of the database.
    pub outside: Option<Outside>,
    /// Begin after the checkpoint of this size of each log that has one; what it covers is believed.
    pub since_checkpoint: Option<u64>,
}
