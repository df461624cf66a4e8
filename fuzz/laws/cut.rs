//! Cutting what a fuzzer brings.

use systemprompt_providers::sse::{Frame, FrameSplitter, FrameTooLong};

/// The bytes of an input, one after the other; zeros when there are none left.
pub struct Choices<'i>(pub &'i [u8]);

impl<'i> Choices<'i> {
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn below(&mut self, end: usize) -> usize {
        let wide = usize::from(self.byte());
        // One byte reaches everything that is short.
        let wide = if end > 256 { wide << 8 | usize::from(self.byte()) } else { wide };
        wide % end.max(1)
    }

    pub fn of<'c, T>(&mut self, all: &'c [T]) -> &'c T {
        &all[self.below(all.len())]
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// Up to eight places in a text of this length, in order.
    pub fn cuts(&mut self, length: usize) -> Vec<usize> {
        let mut cuts: Vec<usize> = (0..self.below(9)).map(|_| self.below(length + 1)).collect();
        cuts.extend([0, length]);
        cuts.sort_unstable();
        cuts
    }
}

/// The frames of `bytes` in the pieces that `cuts` makes of it, and how it ended.
pub fn frames(
    bytes: &[u8],
    cuts: &[usize],
    limit: usize,
) -> (Vec<Frame>, Result<(), FrameTooLong>) {
    let mut splitter = FrameSplitter::new(limit);
    let mut frames = Vec::new();
    for cut in cuts.windows(2) {
        splitter.push(&bytes[cut[0]..cut[1]]);
        loop {
            match splitter.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Err(error)),
            }
        }
    }
    frames.extend(splitter.finish());
    (frames, Ok(()))
}
