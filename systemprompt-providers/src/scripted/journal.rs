use std::time::Duration;

use bytes::Bytes;

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    /// The method: `POST`.
    pub method: String,
    /// The target with its query, as the client wrote it.
    pub target: String,
    /// The headers in their order, with names as they were written.
    pub headers: Vec<(String, String)>,
    /// The body, without chunks around it.
    pub body: Bytes,
    /// The connection it came over, counted from zero.
    pub connection: usize,
    /// When it was there in full, counted from the start of the server.
    pub at: Duration,
}

impl SeenRequest {
    /// The value of a header, by its name in any case; the first, if there are more.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A client that went away before its answer was whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The request, by its place in the journal.
    pub request: usize,
    /// The connection, counted from zero.
    pub connection: usize,
    /// When it was noticed, counted from the start of the server.
    pub at: Duration,
    /// How many bytes of the answer had been written, head and framing included.
    pub written: u64,
}
