use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::place::Place;

/// The place after which a page starts. Opaque to callers: 48 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub(crate) Place);

/// A text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier page")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { occurred_at, log_id, seq } = self.0;
        for number in [occurred_at, log_id, seq] {
            write!(f, "{number:016x}")?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0_u8; 24];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| CursorError)?;
        let mut numbers = bytes.as_chunks::<8>().0.iter().copied().map(i64::from_be_bytes);
        let mut number = || numbers.next().ok_or(CursorError);
        let (occurred_at, log_id, seq) = (number()?, number()?, number()?);
        Ok(Self(Place { occurred_at, log_id, seq }))
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
