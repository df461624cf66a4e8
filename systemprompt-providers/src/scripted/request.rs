use std::io;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::net::TcpStream;

/// Most bytes of a request that are kept. Tests that send more have another kind of server.
const MOST: usize = 256 * 1024 * 1024;

/// A request without its place in the journal.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// Reads requests from a connection, one after the other.
pub(super) struct Reader {
    buffer: BytesMut,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { buffer: BytesMut::new() }
    }

    /// The next request, or `None` when the client has closed the connection between two.
    pub(super) async fn next(&mut self, stream: &TcpStream) -> io::Result<Option<Request>> {
        let head = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                let head = self.buffer.split_to(end);
                self.buffer.advance(4);
                break head;
            }
            if !self.fill(stream).await? {
                let between = self.buffer.is_empty();
                return if between { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        };
        let head = String::from_utf8_lossy(&head).into_owned();
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().split(' ');
        let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect();
        let named = |wanted: &str| {
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| v)
        };
        let chunked = named("transfer-encoding").is_some_and(|v| v.eq_ignore_ascii_case("chunked"));
        let body = match named("content-length").and_then(|length| length.parse().ok()) {
            _ if chunked => self.chunks(stream).await?,
            Some(length) => self.exactly(stream, length).await?,
            None => Bytes::new(),
        };
        let (method, target) = (method.to_owned(), target.to_owned());
        Ok(Some(Request { method, target, headers, body }))
    }

    async fn chunks(&mut self, stream: &TcpStream) -> io::Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.line(stream).await?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(digits, 16)
                .map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
            if length == 0 {
                while !self.line(stream).await?.is_empty() {}
                return Ok(body.freeze());
            }
            body.extend_from_slice(&self.exactly(stream, length).await?);
            self.line(stream).await?;
        }
    }

    async fn line(&mut self, stream: &TcpStream) -> io::Result<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(end);
                self.buffer.advance(2);
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.more(stream).await?;
        }
    }

    async fn exactly(&mut self, stream: &TcpStream, length: usize) -> io::Result<Bytes> {
        while self.buffer.len() < length {
            self.more(stream).await?;
        }
        Ok(self.buffer.split_to(length).freeze())
    }

    async fn more(&mut self, stream: &TcpStream) -> io::Result<()> {
        if self.fill(stream).await? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads what is there; `false` at the end.
    async fn fill(&mut self, stream: &TcpStream) -> io::Result<bool> {
        if self.buffer.len() > MOST {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        loop {
            stream.readable().await?;
            match stream.try_read_buf(&mut self.buffer) {
                Ok(read) => return Ok(read > 0),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
