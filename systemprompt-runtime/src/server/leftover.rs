use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf as _;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::time::Sleep;

/// The part of a request body that its door did not read.
///
/// A client that is still sending when the connection is closed may never see its answer, and one that
/// keeps the connection would lose its next request. So what is left is read and dropped first, within
/// the limits every body has.
pub(crate) struct Leftover {
    incoming: Incoming,
    left: u64,
    deadline: Pin<Box<Sleep>>,
    wanted: bool,
}

impl Leftover {
    /// What is left of `incoming`: at most `left` bytes, within `within` from now. Unless it is
    /// `wanted` it is not asked for at all.
    pub(crate) fn of(incoming: Incoming, left: u64, within: Duration, wanted: bool) -> Self {
        Self { incoming, left, deadline: Box::pin(tokio::time::sleep(within)), wanted }
    }

    /// Reads on; at the end says whether all of it was read, so that the connection can be kept.
    pub(crate) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.wanted || self.incoming.size_hint().lower() > self.left {
            return Poll::Ready(false);
        }
        loop {
            match Pin::new(&mut self.incoming.frame()).poll(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                    match self.left.checked_sub(length) {
                        Some(left) => self.left = left,
                        None => return Poll::Ready(false),
                    }
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Pending => {
                    ready!(self.deadline.as_mut().poll(cx));
                    return Poll::Ready(false);
                }
            }
        }
    }
}
