use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;

use super::lifeline::{BodyFault, Lifeline};

/// A request body that must arrive in time and may not be too long.
///
/// The timer exists only once the body has to be waited for; most bodies arrive with their head.
pub(crate) struct RequestBody {
    incoming: Incoming,
    line: Arc<Lifeline>,
    left: u64,
    within: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl RequestBody {
    /// Wraps `incoming`: at most `limit` bytes, all of them within `within` of the first wait.
    pub(crate) fn new(
        incoming: Incoming,
        line: Arc<Lifeline>,
        limit: u64,
        within: Duration,
    ) -> Self {
        Self { incoming, line, left: limit, within, deadline: None }
    }

    /// The kind of the error tells whoever reads the body what happened.
    fn fail<T>(&self, fault: BodyFault) -> Poll<Option<Result<T, axum::BoxError>>> {
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

impl Body for RequestBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if self.incoming.size_hint().lower() > self.left {
            return self.fail(BodyFault::TooLong);
        }
        match Pin::new(&mut self.incoming.frame()).poll(cx) {
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
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
