use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use systemprompt_core::config::ServerSection;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::entry::Entry;
use super::lifeline::Order;
use super::names::Names;
use super::roster::{Deadlines, Present, Roster};
use super::traffic::{Routes, Traffic};
use super::watched::Watched;

/// How long a kept-alive connection may wait for its next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may leave an answer unread.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes buffered per connection.
const BUFFER_BYTES: usize = 64 * 1024;

/// An HTTP/1.1 server with the limits of a [`ServerSection`] around a router.
#[derive(Debug, Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

/// What all connections of a server share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) names: Names,
    pub(crate) header_limit: usize,
    pub(crate) body_limit: u64,
    /// The limit below a path that has its own.
    pub(crate) long_bodies: Option<(&'static str, u64)>,
    pub(crate) body_timeout: Duration,
    pub(crate) traffic: Arc<Traffic>,
    roster: Arc<Roster>,
    max_connections: usize,
    drain_timeout: Duration,
}

impl Shared {
    /// The longest body of a request for `path`, in bytes.
    pub(crate) fn body_limit_of(&self, path: &str) -> u64 {
        match self.long_bodies {
            Some((prefix, limit)) if path.starts_with(prefix) => limit,
            _ => self.body_limit,
        }
    }
}

impl Server {
    /// A server of `router` that counts its answers by the given route patterns.
    #[must_use]
    pub fn new(
        router: Router,
        section: &ServerSection,
        routes: impl IntoIterator<Item = String>,
    ) -> Self {
        let meter = Meter::new(section, routes);
        Self::metered(router, section, meter)
    }

    /// A server whose counters are those of `meter`.
    #[must_use]
    pub(crate) fn metered(router: Router, section: &ServerSection, meter: Meter) -> Self {
        let shared = Shared {
            router: router.with_state(()),
            names: Names::new(section),
            header_limit: section.header_limit_bytes,
            body_limit: section.body_limit_bytes as u64,
            long_bodies: None,
            body_timeout: Duration::from_millis(section.body_timeout_ms),
            traffic: meter.traffic,
            roster: meter.roster,
            max_connections: section.max_connections,
            drain_timeout: Duration::from_millis(section.shutdown_timeout_ms),
        };
        Self { shared: Arc::new(shared) }
    }

    /// The same with another limit for bodies of requests below `prefix`.
    #[must_use]
    pub(crate) fn with_long_bodies(self, prefix: &'static str, limit: usize) -> Self {
        let shared = Shared { long_bodies: Some((prefix, limit as u64)), ..(*self.shared).clone() };
        Self { shared: Arc::new(shared) }
    }

    /// Serves the connections of `listener` until `stop` completes; then accepts no more, lets running
    /// requests finish, and cuts off what is left at the deadline.
    ///
    /// # Errors
    /// When the listener has no local address.
    pub async fn serve(
        &self,
        listener: TcpListener,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        listener.local_addr()?;
        let roster = self.shared.roster.clone();
        let accepting = async {
            tokio::select! {
                () = stop => {}
                () = self.accept(&listener) => {}
            }
            drop(listener);
            roster.drain(self.shared.drain_timeout).await;
        };
        tokio::select! {
            () = accepting => {}
            () = roster.watch() => {}
        }
        Ok(())
    }

    async fn accept(&self, listener: &TcpListener) {
        let slots = Arc::new(Semaphore::new(self.shared.max_connections));
        loop {
            let slot = self.slot(&slots).await;
            match listener.accept().await {
                Ok((stream, peer)) => self.open(stream, peer, slot),
                Err(error) => {
                    // A client that is gone already costs nothing; being out of files needs a pause.
                    if !is_of_the_connection(&error) {
                        tracing::error!(%error, "connections cannot be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                }
            }
        }
    }

    async fn slot(&self, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
        const WAIT: Duration = Duration::from_millis(100);
        loop {
            match tokio::time::timeout(WAIT, slots.clone().acquire_owned()).await {
                Ok(slot) => return slot.ok(),
                Err(_) => self.shared.roster.make_room(),
            }
        }
    }

    fn open(&self, stream: TcpStream, peer: SocketAddr, slot: Option<OwnedSemaphorePermit>) {
        // Without it, small answers wait for the client's delayed acknowledgement.
        let (Ok(()), Ok(local)) = (stream.set_nodelay(true), stream.local_addr()) else { return };
        let present = self.shared.roster.enter();
        let entry = Entry::new(self.shared.clone(), present.line().clone(), peer, local);
        let header_limit = self.shared.header_limit;
        tokio::spawn(async move {
            run(stream, entry, &present, header_limit).await;
            drop((present, slot));
        });
    }
}

/// Drives one connection until it ends or is told to.
async fn run(stream: TcpStream, entry: Entry, present: &Present, header_limit: usize) {
    let line = present.line();
    let io = TokioIo::new(Watched::new(stream, line.clone()));
    // Deadlines are the roster's. A head somewhat above the limit is read so that it can be answered
    // with a problem document; one far above is refused by the parser.
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(header_limit.saturating_mul(2))
        .max_buf_size(BUFFER_BYTES.max(header_limit.saturating_mul(2)))
        .serve_connection(io, entry)
        .with_upgrades();
    let mut connection = pin!(connection);
    let mut draining = false;
    let ended = poll_fn(|cx| {
        match line.order(cx.waker()) {
            Order::Cut => return Poll::Ready(Ok(())),
            Order::Drain if !draining => {
                draining = true;
                connection.as_mut().graceful_shutdown();
            }
            Order::Drain | Order::Serve => {}
        }
        connection.as_mut().poll(cx)
    });
    if let Err(error) = ended.await {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// The counters of a server; they exist before it does, so that its router can show them.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    traffic: Arc<Traffic>,
    roster: Arc<Roster>,
}

impl Meter {
    /// Counters for a server with these limits and routes.
    pub(crate) fn new(section: &ServerSection, routes: impl IntoIterator<Item = String>) -> Self {
        let deadlines = Deadlines {
            head: Duration::from_millis(section.header_timeout_ms),
            idle: IDLE_TIMEOUT,
            write: WRITE_TIMEOUT,
        };
        Self {
            traffic: Arc::new(Traffic::new(Routes::new(routes))),
            roster: Roster::new(deadlines),
        }
    }

    /// Answers by route and status.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Connections open now, accepted so far, and cut off so far.
    pub(crate) fn connections(&self) -> (usize, u64, u64) {
        (self.roster.open(), self.roster.accepted(), self.roster.cut())
    }
}
