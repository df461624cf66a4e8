use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use crate::inject::{EchoFilter, EchoStream};

/// Bytes that are read at a time.
const PIECE: usize = 8 * 1024;

/// The output of a process without the secrets it was given.
///
/// A value that is split over several reads is held back until it is clear whether it is one; see
/// [`EchoStream`] for what that means to a program that waits for an answer.
#[derive(Debug)]
pub struct FilteredOutput<R> {
    source: R,
    stream: EchoStream,
    /// Filtered, and not read yet.
    ready: Vec<u8>,
    /// How much of it is read.
    read: usize,
    ended: bool,
}

impl<R> FilteredOutput<R> {
    pub(super) fn new(source: R, filter: &EchoFilter) -> Self {
        Self { source, stream: filter.stream(), ready: Vec::new(), read: 0, ended: false }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for FilteredOutput<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.read == this.ready.len() {
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            let mut piece = [0; PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut this.source).poll_read(context, &mut piece))?;
            this.ended = piece.filled().is_empty();
            this.read = 0;
            this.ready =
                if this.ended { this.stream.finish() } else { this.stream.push(piece.filled()) };
        }
        let rest = this.ready.get(this.read..).unwrap_or_default();
        let taken = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(taken);
        this.read += taken.len();
        Poll::Ready(Ok(()))
    }
}
