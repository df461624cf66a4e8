use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::connection::serve;
use super::{Departure, Script, SeenRequest};

/// How often what is waited for is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// A scripted server. Dropped, it closes all its connections.
pub struct ScriptedUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

/// What the connections share.
pub(super) struct Shared {
    started: Instant,
    routes: Mutex<Vec<Route>>,
    journal: Mutex<Vec<SeenRequest>>,
    departures: Mutex<Vec<Departure>>,
    accepted: AtomicUsize,
    open: AtomicUsize,
}

/// The answers to requests of a method to paths that begin so.
struct Route {
    method: String,
    prefix: String,
    /// Answers that are given once, in this order.
    queue: VecDeque<Script>,
    /// What is answered when those are used up.
    then: Option<Answerer>,
}

type Answerer = Arc<dyn Fn(&SeenRequest) -> Script + Send + Sync>;

/// A connection, counted as long as it is open.
pub(super) struct Open(Arc<Shared>);

impl ScriptedUpstream {
    /// Starts a server on a free port of 127.0.0.1. It takes a runtime with I/O and time.
    ///
    /// # Errors
    /// Those of the operating system, when there is no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            started: Instant::now(),
            routes: Mutex::new(Vec::new()),
            journal: Mutex::new(Vec::new()),
            departures: Mutex::new(Vec::new()),
            accepted: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting: Mutex::new(Some(accepting)) })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it listens, as a URL without a path: `http://127.0.0.1:1234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next request of this method to a path that begins so. Called more often, the answers
    /// are given one after the other. Of several prefixes that fit, the longest counts; the method `*` is
    /// any.
    pub fn on(&self, method: &str, prefix: &str, script: Script) {
        self.route(method, prefix, |route| route.queue.push_back(script));
    }

    /// Answers every request of this method to a path that begins so, after the answers of [`on`](Self::on).
    pub fn always(&self, method: &str, prefix: &str, script: Script) {
        self.answer_with(method, prefix, move |_| script.clone());
    }

    /// Answers by what the request is, after the answers of [`on`](Self::on).
    pub fn answer_with(
        &self,
        method: &str,
        prefix: &str,
        answer: impl Fn(&SeenRequest) -> Script + Send + Sync + 'static,
    ) {
        self.route(method, prefix, |route| route.then = Some(Arc::new(answer)));
    }

    /// Stops listening and closes all connections: from now on they are refused.
    pub async fn refuse(&self) {
        let accepting = self.accepting.lock().take();
        if let Some(accepting) = accepting {
            accepting.abort();
            // When it has ended, the port is closed.
            let _aborted = accepting.await;
        }
    }

    /// Listens again, on the same port.
    ///
    /// # Errors
    /// Those of the operating system, when another program has taken the port.
    pub async fn listen(&self) -> io::Result<()> {
        self.refuse().await;
        let listener = TcpListener::bind(self.address).await?;
        let accepting = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
        *self.accepting.lock() = Some(accepting);
        Ok(())
    }

    /// The requests so far, the oldest first.
    #[must_use]
    pub fn journal(&self) -> Vec<SeenRequest> {
        self.shared.journal.lock().clone()
    }

    /// How many requests there were so far.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.journal.lock().len()
    }

    /// The clients that went away before their answers were whole.
    #[must_use]
    pub fn departures(&self) -> Vec<Departure> {
        self.shared.departures.lock().clone()
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Waits until `holds`, and says whether it came to that in time.
    pub async fn wait_until(&self, within: Duration, holds: impl Fn(&Self) -> bool) -> bool {
        let until = tokio::time::Instant::now() + within;
        while !holds(self) {
            if tokio::time::Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    fn route(&self, method: &str, prefix: &str, change: impl FnOnce(&mut Route)) {
        let mut routes = self.shared.routes.lock();
        let known = routes.iter_mut().find(|r| r.method == method && r.prefix == prefix);
        if let Some(route) = known {
            return change(route);
        }
        let (method, prefix) = (method.to_owned(), prefix.to_owned());
        let mut route = Route { method, prefix, queue: VecDeque::new(), then: None };
        change(&mut route);
        routes.push(route);
        // The longest prefix is looked at first, and a method that is named before any.
        routes.sort_by_key(|r| (std::cmp::Reverse(r.prefix.len()), r.method == "*"));
    }
}

impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        if let Some(accepting) = self.accepting.get_mut().take() {
            accepting.abort();
        }
    }
}

impl fmt::Debug for ScriptedUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedUpstream").field("address", &self.address).finish_non_exhaustive()
    }
}

/// Takes connections. The tasks that serve them end with this one.
async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let connection = shared.accepted.fetch_add(1, Ordering::SeqCst);
                // Slices are to go out as they are.
                let _unsupported = stream.set_nodelay(true);
                connections.spawn(serve(stream, connection, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Shared {
    pub(super) fn since_start(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn opened(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::SeqCst);
        Open(Arc::clone(self))
    }

    /// Keeps a request and gives its place in the journal.
    pub(super) fn note(&self, seen: SeenRequest) -> usize {
        let mut journal = self.journal.lock();
        journal.push(seen);
        journal.len() - 1
    }

    pub(super) fn departed(&self, departure: Departure) {
        self.departures.lock().push(departure);
    }

    /// The answer to a request; 404 where there is none.
    pub(super) fn script_for(&self, seen: &SeenRequest) -> Script {
        let mut answerer = None;
        for route in self.routes.lock().iter_mut() {
            let method = route.method == "*" || route.method == seen.method;
            if !method || !seen.target.starts_with(&route.prefix) {
                continue;
            }
            if let Some(script) = route.queue.pop_front() {
                return script;
            }
            if let Some(then) = &route.then {
                answerer = Some(Arc::clone(then));
                break;
            }
        }
        // Called without the lock, so that it may add answers itself.
        answerer.map_or_else(
            || Script::status(404).bytes(&b"nothing is scripted for this request"[..]),
            |answer| answer(seen),
        )
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
    }
}
