use bytes::{Bytes, BytesMut};

use super::Frame;

/// Cuts a stream of bytes into frames, wherever its pieces were cut.
#[derive(Debug)]
pub struct FrameSplitter {
    buffer: BytesMut,
    /// How far the buffer was searched for an end already.
    searched: usize,
    /// The most bytes a frame may have.
    limit: usize,
}

/// A frame is longer than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct FrameTooLong {
    /// The most bytes a frame may have.
    pub limit: usize,
}

impl FrameSplitter {
    /// A splitter of frames of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { buffer: BytesMut::new(), searched: 0, limit }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame, or `None` until more bytes come.
    ///
    /// # Errors
    /// [`FrameTooLong`] when so many bytes came without an end.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameTooLong> {
        let Some(end) = self.end() else {
            return if self.buffer.len() > self.limit {
                Err(FrameTooLong { limit: self.limit })
            } else {
                Ok(None)
            };
        };
        if end > self.limit {
            return Err(FrameTooLong { limit: self.limit });
        }
        self.searched = 0;
        Ok(Some(Frame::read(self.buffer.split_to(end).freeze())))
    }

    /// What is left when the stream has ended: a last frame without its blank line, if it says anything.
    #[must_use]
    pub fn finish(mut self) -> Option<Frame> {
        if self.buffer.is_empty() {
            return None;
        }
        let raw = self.buffer.split().freeze();
        let mut whole = BytesMut::from(raw.as_ref());
        whole.extend_from_slice(b"\n\n");
        let frame = Frame::read(whole.freeze());
        (!frame.is_comment()).then_some(Frame { raw, ..frame })
    }

    /// The bytes held back until their frame is whole.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        &self.buffer
    }

    /// Where the first frame ends: after its blank line.
    fn end(&mut self) -> Option<usize> {
        let text: &[u8] = &self.buffer;
        let mut from = self.searched;
        while let Some(at) = memchr::memchr2(b'\n', b'\r', text.get(from..)?).map(|at| from + at) {
            match blank_after(text, at) {
                Blank::Ends(end) => return Some(end),
                Blank::No(next) => from = next,
                // What follows decides; the line end is looked at again.
                Blank::Unknown => {
                    self.searched = at;
                    return None;
                }
            }
        }
        self.searched = text.len();
        None
    }
}

enum Blank {
    /// A blank line follows; the frame ends here.
    Ends(usize),
    /// None does; the search goes on here.
    No(usize),
    /// The bytes end too soon to tell.
    Unknown,
}

/// Whether the line end at `at` is followed by another one.
fn blank_after(text: &[u8], at: usize) -> Blank {
    let Some(second) = after_line_end(text, at) else { return Blank::Unknown };
    match text.get(second) {
        None => Blank::Unknown,
        Some(b'\n') => Blank::Ends(second + 1),
        Some(b'\r') => match text.get(second + 1) {
            None => Blank::Unknown,
            Some(b'\n') => Blank::Ends(second + 2),
            Some(_) => Blank::Ends(second + 1),
        },
        Some(_) => Blank::No(second),
    }
}

/// The place after the line end at `at`; `None` when a `\r` is the last byte so far.
fn after_line_end(text: &[u8], at: usize) -> Option<usize> {
    match (text.get(at), text.get(at + 1)) {
        (Some(b'\r'), None) => None,
        (Some(b'\r'), Some(b'\n')) => Some(at + 2),
        _ => Some(at + 1),
    }
}

/// A stream that was read whole.
impl From<Bytes> for FrameSplitter {
    fn from(bytes: Bytes) -> Self {
        let limit = bytes.len().saturating_add(2);
        Self { buffer: BytesMut::from(bytes.as_ref()), searched: 0, limit }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frames(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut splitter = FrameSplitter::new(1 << 20);
        let mut frames = Vec::new();
        for piece in pieces {
            splitter.push(piece);
            while let Some(frame) = splitter.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        frames.extend(splitter.finish());
        frames
    }

    fn data(frame: &Frame) -> &str {
        std::str::from_utf8(frame.data.as_ref().unwrap()).unwrap()
    }

    #[test]
    fn a_frame_has_a_name_and_data() {
        let frames = frames(&[b"event: ping\ndata: {\"a\": 1}\n\ndata:x\ndata: y\n\n"]);
        assert_eq!(frames.len(), 2);
        assert_eq!(frames[0].event.as_deref(), Some("ping"));
        assert_eq!(data(&frames[0]), "{\"a\": 1}");
        assert_eq!(data(&frames[1]), "x\ny");
    }

    #[test]
    fn line_ends_may_be_of_any_kind() {
        for text in
            ["data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r\n", "data: a\n\ndata: b\n\n"]
        {
            let frames = frames(&[text.as_bytes()]);
            let said: Vec<_> = frames.iter().filter(|f| f.data.is_some()).map(data).collect();
            assert_eq!(said, ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn comments_say_nothing_and_keep_their_bytes() {
        let frames = frames(&[b": keepalive\n\ndata: [DONE]\n\n"]);
        assert!(frames[0].is_comment());
        assert_eq!(&frames[0].raw[..], b": keepalive\n\n");
    }

    #[test]
    fn what_is_left_without_its_blank_line_is_a_frame() {
        let frames = frames(&[b"data: a\n\ndata: [DONE]"]);
        assert_eq!(data(&frames[1]), "[DONE]");
        assert_eq!(&frames[1].raw[..], b"data: [DONE]");
    }

    #[test]
    fn a_frame_without_end_is_refused() {
        let mut splitter = FrameSplitter::new(10);
        splitter.push(b"data: 0123456789");
        assert_eq!(splitter.next_frame(), Err(FrameTooLong { limit: 10 }));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_frames(
            text in "(data: [a-zé]{0,6}|event: [a-z]{0,3}|: c|\r|\n|\r\n|\n\n|\r\n\r\n){0,20}",
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let split = frames(&pieces);
            let whole = frames(&[bytes]);
            // Where a lone `\r` ends a piece, its `\n` may belong to this frame or be an empty one.
            let said = |frames: &[Frame]| -> Vec<_> {
                frames.iter().filter(|f| !f.is_comment()).map(|f| (f.event.clone(), f.data.clone())).collect()
            };
            prop_assert_eq!(said(&split), said(&whole));
            let raw: Vec<u8> = whole.iter().flat_map(|frame| frame.raw.to_vec()).collect();
            prop_assert!(bytes.starts_with(&raw) || raw.len() <= bytes.len());
        }
    }
}
