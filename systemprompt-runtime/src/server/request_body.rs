use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::leftover::Leftover;
use super::lifeline::{BodyFault, Lifeline};

/// A request body that must arrive in time and may not be too long.
///
/// The timer exists only once the body has to be waited for; most bodies arrive with their head. What
/// the door leaves unread goes back to the connection.
pub(crate) struct RequestBody {
    /// `None` only while it is dropped.
    incoming: Option<Incoming>,
    line: Arc<Lifeline>,
    left: u64,
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
    /// Whether the client holds the body back until it is asked for.
    held_back: bool,
    failed: bool,
}

impl RequestBody {
    /// Wraps `incoming`: at most `limit` bytes, all of them within `within` of the first wait. With
    /// `held_back` the client sends it only when it is asked for (RFC 9110, section 10.1.1).
    pub(crate) fn new(
        incoming: Incoming,
        line: Arc<Lifeline>,
        limit: u64,
        within: Duration,
        held_back: bool,
    ) -> Self {
        let incoming = Some(incoming);
        Self { incoming, line, left: limit, within, deadline: None, held_back, failed: false }
    }

    /// The kind of the error tells whoever reads the body what happened.
    fn fail<T>(&mut self, fault: BodyFault) -> Poll<Option<Result<T, axum::BoxError>>> {
        self.failed = true;
        self.line.fault(fault);
        let kind = match fault {
            BodyFault::Late => io::ErrorKind::TimedOut,
            BodyFault::TooLong => io::ErrorKind::FileTooLarge,
        };
        Poll::Ready(Some(Err(io::Error::new(kind, fault).into())))
    }

    fn late(&mut self, cx: &mut Context<'_>) -> bool {
        let within = self.within;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(within)));
        deadline.as_mut().poll(cx).is_ready()
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(incoming) = self.incoming.take().filter(|body| !body.is_end_stream()) else {
            return;
        };
        if !self.failed {
            let wanted = !self.held_back;
            self.line.leave(Leftover::of(incoming, self.left, self.within, wanted));
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.size_hint().lower() > self.left {
            return self.fail(BodyFault::TooLong);
        }
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let polled = Pin::new(&mut incoming.frame()).poll(cx);
        self.held_back = false;
        match polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
                match self.left.checked_sub(length) {
                    Some(left) => self.left = left,
                    None => return self.fail(BodyFault::TooLong),
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending if self.late(cx) => self.fail(BodyFault::Late),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}
