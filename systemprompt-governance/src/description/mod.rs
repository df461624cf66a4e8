//! What servers say about their tools: a text that a model reads as if the host had written it.
//!
//! - [`ToolCard::digest`] changes when anything changes that a model or a person relied on, so that a tool can
//!   be taken away until somebody has looked at it again.
//! - [`hidden_instructions`] finds texts that talk to the model instead of describing a tool.
//! - [`visible`] leaves out what a person cannot see.
//! - [`clashes`] finds tools of different servers that a model would take for each other.
//!
//! Secrets in descriptions are found by [`Governor::inspect`](crate::Governor::inspect) with the direction
//! `description`.

mod card;
mod clash;
mod instruction;

use std::borrow::Cow;

pub use card::ToolCard;
pub use clash::{Clash, clashes};
pub use instruction::{HiddenInstruction, InstructionKind, hidden_instructions};

/// The text without what a person cannot see: Unicode tags, zero-width characters and those that turn the
/// direction of reading. Joiners stay where they make emoji and letters of other scripts.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    crate::secret::visible(text)
}
