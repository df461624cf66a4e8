use std::fmt;
use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, Sleep};

use super::breaker::Ticket;
use super::bulkhead::Place;
use super::classify;
use super::connections::Lane;
use super::copy::BodyCopy;
use super::gzip::Gunzip;
use super::{AttemptOutcome, UpstreamErrorKind, Waited};

/// The body of an answer, piece by piece as it arrives, decoded.
///
/// It ends with `None` only when the provider ended it; when it breaks off, stands still, or grows too
/// large, its last item is an error. Nothing is read ahead of the reader beyond what the connection
/// buffers. Dropped before its end, it closes the connection (with HTTP/2: ends the stream of it), so
/// the provider can stop; what it would have said says nothing about its health.
pub struct UpstreamBody {
    /// `None` when it has ended.
    source: Option<Source>,
    gunzip: Option<Gunzip>,
    idle_timeout: Duration,
    idle: Pin<Box<Sleep>>,
    /// Whether the idle clock runs: only while bytes are waited for, so that a slow reader is not
    /// taken for a slow provider.
    waiting: bool,
    total: Pin<Box<Sleep>>,
    /// Whether the whole time was the client's own, so that its end is the provider's failure.
    blames_total: bool,
    limit: u64,
    read: u64,
    decoded: u64,
    /// What is handed out is copied there.
    copy: Option<BodyCopy>,
}

struct Source {
    body: reqwest::Body,
    held: Option<Held>,
}

/// What is let go of at the end.
pub(super) struct Held {
    /// What the breaker is told by; `None` when it has been told.
    pub(super) ticket: Option<Ticket>,
    pub(super) _lane: Lane,
    pub(super) _place: Place,
}

/// What bounds a body.
pub(super) struct Bounds {
    pub(super) idle_timeout: Duration,
    pub(super) deadline: Instant,
    pub(super) blames_total: bool,
    pub(super) limit: u64,
}

impl UpstreamBody {
    pub(super) fn new(body: reqwest::Body, gzip: bool, bounds: &Bounds, held: Held) -> Self {
        Self::of(body, gzip, bounds, Some(held))
    }

    /// A body that is there already.
    pub(crate) fn kept(bytes: Bytes) -> Self {
        const LONG: Duration = Duration::from_secs(86_400);
        let limit = bytes.len() as u64;
        let deadline = Instant::now() + LONG;
        let bounds = Bounds { idle_timeout: LONG, deadline, blames_total: false, limit };
        Self::of(bytes.into(), false, &bounds, None)
    }

    fn of(body: reqwest::Body, gzip: bool, bounds: &Bounds, held: Option<Held>) -> Self {
        Self {
            source: Some(Source { body, held }),
            gunzip: gzip.then(Gunzip::new),
            idle_timeout: bounds.idle_timeout,
            idle: Box::pin(tokio::time::sleep(bounds.idle_timeout)),
            waiting: false,
            total: Box::pin(tokio::time::sleep_until(bounds.deadline)),
            blames_total: bounds.blames_total,
            limit: bounds.limit,
            read: 0,
            decoded: 0,
            copy: None,
        }
    }

    /// Copies what is handed out from now on, up to `limit` bytes.
    pub(crate) fn copy(&mut self, limit: usize) -> BodyCopy {
        self.copy.insert(BodyCopy::new(limit)).clone()
    }

    /// The next piece; `None` at the end, and after an error.
    ///
    /// # Errors
    /// [`UpstreamErrorKind`] when the body breaks off, stands still, takes too long, is too large, or
    /// cannot be decoded.
    pub async fn next_piece(&mut self) -> Option<Result<Bytes, UpstreamErrorKind>> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    /// The whole body, if it has at most `limit` bytes.
    ///
    /// # Errors
    /// As [`next_piece`](Self::next_piece), and [`UpstreamErrorKind::TooLarge`] at `limit`.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, UpstreamErrorKind> {
        let mut all = BytesMut::new();
        let mut only = None;
        while let Some(piece) = self.next_piece().await {
            let piece = piece?;
            let before = only.as_ref().map_or(all.len(), Bytes::len);
            if before.saturating_add(piece.len()) > limit {
                return Err(UpstreamErrorKind::TooLarge { limit: limit as u64 });
            }
            // A body of one piece is not copied.
            match only.take() {
                None if all.is_empty() => only = Some(piece),
                first => {
                    all.extend_from_slice(&first.unwrap_or_default());
                    all.extend_from_slice(&piece);
                }
            }
        }
        Ok(only.unwrap_or_else(|| all.freeze()))
    }

    /// How many bytes of it have arrived, as they were sent.
    #[must_use]
    pub const fn bytes_read(&self) -> u64 {
        self.read
    }

    fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        let polled = self.poll_source(cx);
        if let (Poll::Ready(item), Some(copy)) = (&polled, &self.copy) {
            match item {
                Some(Ok(piece)) => copy.push(piece),
                None => copy.end(),
                Some(Err(_)) => copy.give_up(),
            }
        }
        polled
    }

    fn poll_source(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        if self.source.is_none() {
            return Poll::Ready(None);
        }
        // Also when there is always something to read.
        if self.total.as_mut().poll(cx).is_ready() {
            return self.fail(UpstreamErrorKind::Timeout(Waited::Total));
        }
        loop {
            if let Some(gunzip) = &mut self.gunzip {
                match gunzip.pull() {
                    Ok(Some(piece)) => return self.hand_out(piece),
                    Ok(None) => {}
                    Err(_) => return self.fail(UpstreamErrorKind::BadEncoding),
                }
            }
            let Some(source) = &mut self.source else { return Poll::Ready(None) };
            let frame = match Pin::new(&mut source.body.frame()).poll(cx) {
                Poll::Pending => return self.poll_idle(cx),
                Poll::Ready(None) => return self.end(),
                Poll::Ready(Some(Err(error))) => return self.fail(classify::within_answer(&error)),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            // Trailers say nothing in these wires, and empty frames are no sign of life.
            let Ok(piece) = frame.into_data() else { continue };
            if piece.is_empty() {
                continue;
            }
            self.waiting = false;
            self.read = self.read.saturating_add(piece.len() as u64);
            if self.read > self.limit {
                return self.fail(UpstreamErrorKind::TooLarge { limit: self.limit });
            }
            match &mut self.gunzip {
                Some(gunzip) => gunzip.push(piece),
                None => return Poll::Ready(Some(Ok(piece))),
            }
        }
    }

    fn poll_idle(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        if !self.waiting {
            self.waiting = true;
            let at = Instant::now().checked_add(self.idle_timeout);
            // So far away that the total time ends it.
            self.idle.as_mut().reset(at.unwrap_or_else(|| self.total.deadline()));
        }
        match self.idle.as_mut().poll(cx) {
            Poll::Ready(()) => self.fail(UpstreamErrorKind::Timeout(Waited::Idle)),
            Poll::Pending => Poll::Pending,
        }
    }

    fn hand_out(&mut self, piece: Bytes) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        self.decoded = self.decoded.saturating_add(piece.len() as u64);
        if self.decoded > self.limit {
            return self.fail(UpstreamErrorKind::TooLarge { limit: self.limit });
        }
        Poll::Ready(Some(Ok(piece)))
    }

    fn end(&mut self) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        if self.gunzip.as_ref().is_some_and(|gunzip| !gunzip.may_end()) {
            return self.fail(UpstreamErrorKind::CutOff);
        }
        if let Some(ticket) = self.ticket() {
            ticket.succeeded();
        }
        Poll::Ready(None)
    }

    /// Lets go of the connection; what the breaker is to be told by.
    fn ticket(&mut self) -> Option<Ticket> {
        self.source.take()?.held?.ticket
    }

    /// Lets go of the connection, so that it is closed.
    fn fail(&mut self, kind: UpstreamErrorKind) -> Poll<Option<Result<Bytes, UpstreamErrorKind>>> {
        let total = kind == UpstreamErrorKind::Timeout(Waited::Total) && self.blames_total;
        if let Some(ticket) = self.ticket() {
            let outcome = AttemptOutcome::Failed(kind.clone());
            if total || kind.is_failure() {
                ticket.failed(outcome);
            } else {
                ticket.came_to_nothing(outcome);
            }
        }
        self.gunzip = None;
        Poll::Ready(Some(Err(kind)))
    }
}

impl Stream for UpstreamBody {
    type Item = Result<Bytes, UpstreamErrorKind>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_piece(cx)
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("ended", &self.source.is_none())
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}
