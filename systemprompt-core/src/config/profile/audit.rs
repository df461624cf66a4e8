use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{EncryptionSection, RetentionSection, SecretRef};
use crate::id::ValidatedUrl;

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSection {
    /// The name of the log this installation writes, 1 to 64 of `A-Za-z0-9_-.`; one writer per name.
    /// Made once and kept in the database when absent.
    pub origin: Option<String>,
    /// Most events waiting to be written (1 to 1,000,000). When it is full, calls are denied.
    pub queue: usize,
    /// Most events per transaction (1 to 10,000).
    pub max_batch: usize,
    /// How long a caller waits for its event to be durable, in milliseconds (1 to 60,000); then the
    /// call is denied.
    pub append_timeout_ms: u64,
    /// How often permits whose time has passed are settled as abandoned, in seconds (1 to 3,600).
    pub sweep_interval_s: u64,
    /// Most streams of the log that one user may have open (1 to 1,000).
    pub streams_per_user: usize,
    /// The key that signs the log, 64 hex digits (an Ed25519 seed). Made once and kept in the data folder
    /// as `audit.key` when absent; the public key is written beside it as `audit.pub`.
    pub signing_key: Option<SecretRef>,
    /// After how many events the log is signed at the latest (1 to 1,000,000).
    pub checkpoint_events: u64,
    /// After how long the log is signed at the latest, in seconds (1 to 86,400), if there was any event.
    pub checkpoint_interval_s: u64,
    /// Where signed checkpoints go beside the database: what proves that nobody who can write to the
    /// database has changed it. The file `checkpoints.log` in the data folder when absent; none when
    /// empty.
    pub checkpoints: Option<Vec<CheckpointTarget>>,
    /// What the log says about persons is encrypted, each with a key of its own, so that a person can be
    /// erased. In clear when absent.
    pub encryption: Option<EncryptionSection>,
    /// How long events are kept; for ever when absent.
    pub retention: RetentionSection,
}

/// A place outside of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointTarget {
    /// A file that only grows, one line of JSON for each checkpoint; the first line is the public key.
    File(PathBuf),
    /// `true`: the standard output, one line of JSON for each checkpoint.
    Stdout(bool),
    /// An `https` URL (`http` for a loopback address) that takes each checkpoint by `POST`.
    Http(ValidatedUrl),
    /// A witness that speaks C2SP tlog-witness: it cosigns a checkpoint only when everything it has seen of
    /// the log before is still in it. What it has cosigned is stored and goes to the other places as well.
    Witness(WitnessTarget),
}

/// A witness of C2SP tlog-witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessTarget {
    /// Its submission prefix, an `https` URL (`http` for a loopback address); `/add-checkpoint` is added.
    pub url: ValidatedUrl,
    /// Its public key, `name+id+key` with the signature type 0x04: an answer that this key has not signed
    /// counts for nothing.
    pub key: String,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self {
            origin: None,
            queue: 8192,
            max_batch: 512,
            append_timeout_ms: 5000,
            sweep_interval_s: 60,
            streams_per_user: 8,
            signing_key: None,
            checkpoint_events: 10_000,
            checkpoint_interval_s: 60,
            checkpoints: None,
            encryption: None,
            retention: RetentionSection::default(),
        }
    }
}
