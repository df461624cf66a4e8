use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::Notify;

/// Stands between a client and the socket of a server, and cuts the connections when told to.
#[derive(Debug, Clone)]
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes from the server until the connections are cut; negative when nothing is planned.
    left: AtomicI64,
    /// Whether what the server answers is swallowed and the connection stays.
    silent: AtomicBool,
    /// Connections of which the server does not know that their clients are gone.
    half_open: Mutex<Vec<UnixStream>>,
    cut: Notify,
}

impl Proxy {
    /// Starts one on the running runtime.
    pub async fn start(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let state = Arc::new(State { left: AtomicI64::new(-1), ..State::default() });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // A server that is down closes the connection of its client.
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                let (mut client_in, mut client_out) = client.into_split();
                let (mut server_in, mut server_out) = server.into_split();
                let state = shared.clone();
                tokio::spawn(async move {
                    {
                        let to_server = tokio::io::copy(&mut client_in, &mut server_out);
                        let to_client = async {
                            let mut buffer = vec![0; 16 * 1024];
                            while let Ok(read @ 1..) = server_in.read(&mut buffer).await {
                                if state.swallows() {
                                    continue;
                                }
                                let Some(bytes) = buffer.get(..read) else { return };
                                if state.is_over(read) || client_out.write_all(bytes).await.is_err()
                                {
                                    return;
                                }
                            }
                        };
                        tokio::select! {
                            _ = to_server => {}
                            () = to_client => {}
                            () = state.cut.notified() => {}
                        }
                    }
                    if state.swallows()
                        && let Ok(server) = server_in.reunite(server_out)
                    {
                        state.half_open.lock().expect("the lock").push(server);
                    }
                });
            }
        });
        Self { port, state }
    }

    /// Where clients connect.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts all connections now.
    pub fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// Cuts the connection that brings the answer after `bytes` more from the server: the server has
    /// done what it was asked, and nobody hears it.
    pub fn cut_after(&self, bytes: u32) {
        self.state.left.store(i64::from(bytes), Ordering::SeqCst);
    }

    /// Whether a cut that was planned is still to come.
    #[must_use]
    pub fn is_cut_planned(&self) -> bool {
        self.state.left.load(Ordering::SeqCst) >= 0
    }

    /// Swallows what the server answers, or stops to. Clients that go away meanwhile do so without the
    /// server's knowledge.
    pub fn silence(&self, silent: bool) {
        self.state.silent.store(silent, Ordering::SeqCst);
    }
}

impl State {
    fn swallows(&self) -> bool {
        self.silent.load(Ordering::SeqCst)
    }

    fn is_over(&self, read: usize) -> bool {
        let read = i64::try_from(read).unwrap_or(i64::MAX);
        let planned = self.left.load(Ordering::SeqCst);
        if planned < 0 {
            return false;
        }
        // Below zero nothing is planned any more.
        self.left.fetch_sub(read, Ordering::SeqCst) < read
    }
}
