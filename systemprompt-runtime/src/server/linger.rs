use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

/// How long a client may go on sending after its answer.
const WITHIN: Duration = Duration::from_secs(5);

/// How much it may send meanwhile, in bytes.
const MOST: usize = 64 * 1024 * 1024;

/// The end of a connection whose client is still sending (RFC 9112, section 9.6).
///
/// Closing a socket with unread bytes resets the connection, and a reset may destroy the answer before
/// the client has read it. So what still comes is read and dropped until the client has seen that the
/// server is done, within limits.
#[derive(Debug)]
pub(crate) struct Linger {
    deadline: Pin<Box<Sleep>>,
    left: usize,
}

impl Linger {
    /// Begins now.
    pub(crate) fn new() -> Self {
        Self { deadline: Box::pin(tokio::time::sleep(WITHIN)), left: MOST }
    }

    /// Reads on; ready when the client has closed its side or has sent enough.
    pub(crate) fn poll(&mut self, stream: &mut TcpStream, cx: &mut Context<'_>) -> Poll<()> {
        let mut dropped = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut dropped);
            if let Poll::Ready(read) = Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                let length = buffer.filled().len();
                self.left = self.left.saturating_sub(length);
                if read.is_err() || length == 0 || self.left == 0 {
                    return Poll::Ready(());
                }
                continue;
            }
            ready!(self.deadline.as_mut().poll(cx));
            return Poll::Ready(());
        }
    }
}
