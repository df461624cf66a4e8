use async_trait::async_trait;

use crate::content::{Content, Inspection, StreamOrigin};
use crate::decision::DenialReason;

/// Does what the policy says about the secrets in what goes past the tool calls themselves. Object-safe.
#[async_trait]
pub trait Inspect: Send + Sync + 'static {
    /// Looks through a text. Never fails: what cannot be looked through, or whose findings cannot be
    /// recorded, is withheld.
    async fn inspect(&self, content: Content<'_>) -> Inspection;

    /// Looks through a text that comes in pieces, by the policy that is in force now.
    fn inspect_stream(&self, origin: StreamOrigin) -> Box<dyn InspectStream>;
}

/// A text that is looked through while it comes in pieces, however it is cut. Object-safe.
#[async_trait]
pub trait InspectStream: Send {
    /// Takes the next piece, and returns what may go on by now: possibly nothing, and later more than came.
    ///
    /// # Errors
    /// Why the stream ends here; what was returned before may have gone on.
    async fn push(&mut self, piece: &str) -> Result<String, DenialReason>;

    /// Returns what is left when nothing more comes.
    ///
    /// # Errors
    /// Why the rest does not go on.
    async fn finish(&mut self) -> Result<String, DenialReason>;
}
