//! Checkpoints: what a log is, signed, in the database and outside of it.
//!
//! The writer says how large the log is and what its root is whenever enough events have
//! come together, when it is asked, and at its end. One task signs that, stores it beside the log and
//! hands it to every outside place, each of which has a task of its own: a place that is slow or gone
//! holds up neither decisions nor the other places. The same holds for witnesses, who are handed the
//! proof that the log has only grown and give back a signature of their own; what they have cosigned is
//! stored and kept outside as well.

mod checkpointer;
mod delivery;
mod divergence;
mod file_place;
mod heads;
#[cfg(feature = "witness")]
mod http_place;
mod key_events;
mod keys;
mod options;
mod place;
mod receiver;
mod record;
mod stdout_place;
mod stored_log;
mod tended;
#[cfg(feature = "witness")]
mod tlog_witness;
mod witness;

pub use file_place::FilePlace;
#[cfg(feature = "witness")]
pub use http_place::HttpPlace;
pub use keys::{SigningKey, SigningKeys};
pub use options::CheckpointOptions;
pub use place::{CheckpointPlace, PlaceError};
pub use record::{CheckpointRecord, ParsedRecord};
pub use stdout_place::StdoutPlace;
#[cfg(feature = "witness")]
pub use tlog_witness::TlogWitness;
pub use witness::{GrowingLog, Witness};

pub(crate) use checkpointer::Checkpointer;
pub(crate) use delivery::Delivery;
pub(crate) use divergence::divergence;
pub(crate) use heads::{Head, Heads};
pub(crate) use key_events::{KeyAdded, KeyRetired, due, is_cut_off, key_retired};
pub(crate) use keys::Signers;
pub(crate) use receiver::Cosigning;
pub(crate) use tended::Tended;
