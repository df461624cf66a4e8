use std::str::FromStr;

use systemprompt_core::id::EventId;

use super::disclosed::Disclosed;
use super::event_proof::{EventProof, Extra};
use crate::StoreError;
use crate::leaf::OpenLeaf;
use crate::merkle::{hash_leaf, inclusion, tiles_of_inclusion, verify_inclusion};
use crate::note::{Checkpoint, SignedNote};
use crate::scanned_row::ScannedRow;
use crate::tree_source::load_nodes;
use crate::verify::{AnySource, AuditSource, LogSource};

/// Which event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichEvent {
    /// The event of this id.
    Id(EventId),
    /// The event at a place of a log.
    Place {
        /// The log.
        origin: String,
        /// The place.
        seq: i64,
    },
}

/// A text that names no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is named by its id, or by its log and `seq` as `origin:seq`")]
pub struct WhichEventError;

impl FromStr for WhichEvent {
    type Err = WhichEventError;

    fn from_str(text: &str) -> Result<Self, WhichEventError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        // As a database and some exports show it.
        let mut id = [0; 16];
        if hex::decode_to_slice(text, &mut id).is_ok() {
            return Ok(Self::Id(EventId::from_bytes(id)));
        }
        let (origin, seq) = text.rsplit_once(':').ok_or(WhichEventError)?;
        let seq = seq.parse().map_err(|_| WhichEventError)?;
        Ok(Self::Place { origin: origin.to_owned(), seq })
    }
}

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// There is no such event.
    #[error("there is no such event")]
    Unknown,
    /// No checkpoint covers it yet.
    #[error("the event is not signed yet: the last checkpoint of `{origin}` covers {size} events")]
    Unsigned {
        /// The log.
        origin: String,
        /// How far it is signed.
        size: u64,
    },
    /// Row, tree and checkpoint do not agree.
    #[error("the log does not agree with its checkpoint; run `audit verify`")]
    Disagrees,
    /// The database cannot be read.
    #[error("the database cannot be read: {0}")]
    Store(#[from] StoreError),
}

/// Proves that an event is in its log, by the newest checkpoint. With `disclose` the proof shows all
/// columns of the event; without, those that may hold personal or secret data stay commitments.
///
/// # Errors
/// [`ProveError`] when there is no such event, or it cannot be proven.
pub async fn prove(
    source: &mut AuditSource,
    event: &WhichEvent,
    disclose: bool,
) -> Result<EventProof, ProveError> {
    match &mut source.0 {
        #[cfg(feature = "sqlite")]
        AnySource::Sqlite(source) => make(source, event, disclose).await,
        #[cfg(feature = "postgres")]
        AnySource::Postgres(source) => make(&mut **source, event, disclose).await,
        #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
        AnySource::Never(never) => match *never {},
    }
}

async fn make(
    source: &mut impl LogSource,
    event: &WhichEvent,
    disclose: bool,
) -> Result<EventProof, ProveError> {
    let logs = source.logs().await?;
    let (log_id, seq) = match event {
        WhichEvent::Id(id) => source.find(id.as_bytes()).await?.ok_or(ProveError::Unknown)?,
        WhichEvent::Place { origin, seq } => {
            let log = logs.iter().find(|log| log.origin == *origin).ok_or(ProveError::Unknown)?;
            (log.id, *seq)
        }
    };
    let log = logs.iter().find(|log| log.id == log_id).ok_or(ProveError::Unknown)?;
    let mut extra = None;
    let mut each = |row: ScannedRow<'_>| extra = extra_of(&log.origin, &row, disclose);
    source.scan(log_id, seq.saturating_sub(1), seq, &mut each).await?;
    let extra = extra.ok_or(ProveError::Unknown)?;
    let last = source.last_checkpoint(log_id).await?;
    let size = last.as_ref().map_or(0, |last| last.size);
    let index = u64::try_from(seq - 1).map_err(|_| ProveError::Unknown)?;
    let note = last.filter(|last| index < last.size);
    let origin = log.origin.clone();
    let note = note.ok_or(ProveError::Unsigned { origin, size })?.note;
    let note: SignedNote = note.parse().map_err(|_| ProveError::Disagrees)?;
    let checkpoint: Checkpoint = note.text().parse().map_err(|_| ProveError::Disagrees)?;
    let note = cosigned(source, log_id, note, &checkpoint).await?;
    let ranges = tiles_of_inclusion(index, checkpoint.size);
    let nodes = load_nodes(&mut source.tree(log_id), ranges).await?.ok_or(ProveError::Disagrees)?;
    let path = inclusion(&nodes, index, checkpoint.size).ok_or(ProveError::Disagrees)?;
    let hash = hash_leaf(extra.leaf.as_bytes());
    verify_inclusion(&hash, index, checkpoint.size, &path, &checkpoint.root)
        .map_err(|_| ProveError::Disagrees)?;
    Ok(EventProof { extra, index, path, note })
}

/// The note with the signatures that witnesses have given for it.
async fn cosigned(
    source: &mut impl LogSource,
    log_id: i64,
    mut note: SignedNote,
    checkpoint: &Checkpoint,
) -> Result<SignedNote, ProveError> {
    let size = i64::try_from(checkpoint.size).map_err(|_| ProveError::Disagrees)?;
    for stored in source.checkpoints(log_id, size - 1, size).await?.into_iter().flatten() {
        if let Ok(other) = stored.note.parse::<SignedNote>()
            && other.text() == note.text()
        {
            note = note.with(other.signatures()).map_err(|_| ProveError::Disagrees)?;
        }
    }
    Ok(note)
}

fn extra_of(origin: &str, row: &ScannedRow<'_>, disclose: bool) -> Option<Extra> {
    let salt = row.salt().try_into().ok()?;
    let leaf = OpenLeaf::new(origin, row, &salt).entry(row.seq());
    let disclosed = disclose.then(|| Disclosed::of(row));
    Some(Extra { leaf: String::from_utf8(leaf).ok()?, disclosed })
}
