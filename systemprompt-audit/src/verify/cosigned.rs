use systemprompt_core::clock::Timestamp;

use super::checks::Point;
use crate::note::{NoteError, WitnessKey};

/// What witnesses have cosigned of a log.
#[derive(Debug, Clone, Default)]
pub(super) struct Cosigned {
    witnesses: Vec<WitnessKey>,
    /// How many sizes.
    pub(super) sizes: u64,
    /// The largest of them.
    pub(super) to: i64,
    /// When the last witness of that size has signed.
    pub(super) at: Option<Timestamp>,
}

impl Cosigned {
    /// Nothing so far of what `witnesses` may have cosigned.
    pub(super) fn by(witnesses: &[WitnessKey]) -> Self {
        Self { witnesses: witnesses.to_vec(), ..Self::default() }
    }

    /// Whether the cosignatures on a checkpoint are what they say they are.
    pub(super) fn verify(&self, point: &Point) -> Result<(), NoteError> {
        self.last(point).map(|_| ())
    }

    /// Counts a checkpoint that is over the rows there are. They come in the order of their sizes.
    pub(super) fn count(&mut self, point: &Point) {
        let Ok(Some(at)) = self.last(point) else { return };
        if point.size > self.to {
            self.sizes += 1;
            (self.to, self.at) = (point.size, Some(at));
        } else {
            self.at = self.at.max(Some(at));
        }
    }

    /// When the last of the witnesses has signed.
    fn last(&self, point: &Point) -> Result<Option<Timestamp>, NoteError> {
        let mut last = None;
        for witness in &self.witnesses {
            last = last.max(witness.cosignature(&point.note)?.map(|cosignature| cosignature.at));
        }
        Ok(last)
    }
}
