use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::EventId;

/// The row after which a page starts. Opaque to callers: 48 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) occurred_at: Timestamp,
    pub(crate) id: EventId,
}

/// A text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.occurred_at.as_micros().to_be_bytes()))?;
        f.write_str(&hex::encode(self.id.as_bytes()))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0_u8; 24];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| CursorError)?;
        let (micros, id) = bytes.split_first_chunk::<8>().ok_or(CursorError)?;
        Ok(Self {
            occurred_at: Timestamp::from_micros(i64::from_be_bytes(*micros)),
            id: EventId::from_bytes(id.try_into().map_err(|_| CursorError)?),
        })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
