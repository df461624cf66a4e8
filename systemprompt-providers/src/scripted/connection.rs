use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;

use super::request::Reader;
use super::server::Shared;
use super::{Departure, Framing, Script, SeenRequest, Step};

/// Serves a connection until it is closed by either side.
pub(super) async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) {
    let _open = shared.opened();
    let mut reader = Reader::new();
    while let Ok(Some(request)) = reader.next(&stream).await {
        let seen = SeenRequest {
            method: request.method,
            target: request.target,
            headers: request.headers,
            body: request.body,
            connection,
            at: shared.since_start(),
        };
        let script = shared.script_for(&seen);
        let number = shared.note(seen);
        let mut playing = Playing { stream: &stream, framing: script.framing, written: 0 };
        let ended = tokio::select! {
            biased;
            ended = playing.play(&script) => ended,
            () = gone(&stream) => Ended::ClientGone,
        };
        let written = playing.written;
        match ended {
            Ended::Whole => {}
            Ended::Closed => return,
            Ended::Reset => {
                // Closed so, what is on its way is thrown away and the client is told.
                let _unsupported = stream.set_zero_linger();
                return;
            }
            Ended::ClientGone => {
                let at = shared.since_start();
                shared.departed(Departure { request: number, connection, at, written });
                return;
            }
        }
    }
}

/// How an answer ended.
enum Ended {
    /// As it should: another request may come.
    Whole,
    /// The script, or its framing, closes the connection.
    Closed,
    Reset,
    ClientGone,
}

/// An answer that is being written.
struct Playing<'s> {
    stream: &'s TcpStream,
    framing: Framing,
    written: u64,
}

impl Playing<'_> {
    async fn play(&mut self, script: &Script) -> Ended {
        for step in &script.before {
            if let Some(ended) = self.step(step, false).await {
                return ended;
            }
        }
        if self.write(&script.head()).await.is_err() {
            return Ended::ClientGone;
        }
        for step in &script.steps {
            if let Some(ended) = self.step(step, true).await {
                return ended;
            }
        }
        match self.framing {
            Framing::Chunked => match self.write(b"0\r\n\r\n").await {
                Ok(()) => Ended::Whole,
                Err(_) => Ended::ClientGone,
            },
            Framing::Close | Framing::Raw => Ended::Closed,
            Framing::Length | Framing::Said(_) => Ended::Whole,
        }
    }

    async fn step(&mut self, step: &Step, framed: bool) -> Option<Ended> {
        let written = match step {
            Step::Bytes(bytes) => self.piece(bytes, framed).await,
            Step::Slices { bytes, size, pause } => self.slices(bytes, *size, *pause, framed).await,
            Step::Repeat { bytes, times } => self.repeat(bytes, *times, framed).await,
            Step::Unframed(bytes) => self.write(bytes).await,
            Step::Pause(duration) => {
                tokio::time::sleep(*duration).await;
                Ok(())
            }
            Step::Hang => std::future::pending().await,
            Step::Reset => return Some(Ended::Reset),
            Step::Close => return Some(Ended::Closed),
        };
        written.is_err().then_some(Ended::ClientGone)
    }

    async fn slices(
        &mut self,
        bytes: &Bytes,
        size: usize,
        pause: Duration,
        framed: bool,
    ) -> io::Result<()> {
        for slice in bytes.chunks(size.max(1)) {
            self.piece(slice, framed).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    async fn repeat(&mut self, bytes: &Bytes, times: u64, framed: bool) -> io::Result<()> {
        for _ in 0..times {
            self.piece(bytes, framed).await?;
        }
        Ok(())
    }

    /// Writes a piece of the body. An empty chunk would be the end, so it is none.
    async fn piece(&mut self, bytes: &[u8], framed: bool) -> io::Result<()> {
        if bytes.is_empty() || !framed || self.framing != Framing::Chunked {
            return self.write(bytes).await;
        }
        let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
        chunk.extend_from_slice(bytes);
        chunk.extend_from_slice(b"\r\n");
        self.write(&chunk).await
    }

    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(written) => {
                    self.written += written as u64;
                    bytes = bytes.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Ends when the client has closed the connection. A client that sends its next request meanwhile is there.
async fn gone(stream: &TcpStream) {
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}
