use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// One answer: its head, and what is done after it, step by step.
#[derive(Debug, Clone)]
pub struct Script {
    /// The status.
    pub status: u16,
    /// The headers, in this order. The framing adds its own.
    pub headers: Vec<(String, String)>,
    /// How the end of the body is told.
    pub framing: Framing,
    /// What is done before the head is sent; bytes in it go out before the status line.
    pub before: Vec<Step>,
    /// What is done after it.
    pub steps: Vec<Step>,
}

/// How the end of a body is told (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By `content-length`: the sum of the steps, whether they come to it or not.
    Length,
    /// By `content-length` with this number, whatever the steps are.
    Said(u64),
    /// By chunks: each piece that is written is one.
    Chunked,
    /// By the end of the connection.
    Close,
    /// There is no head: the steps write everything.
    Raw,
}

/// One step of a [`Script`].
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes a piece of the body.
    Bytes(Bytes),
    /// Writes a piece of the body so many bytes at a time, with a pause after each.
    Slices {
        /// The piece.
        bytes: Bytes,
        /// How many at a time.
        size: usize,
        /// The pause.
        pause: Duration,
    },
    /// Writes a piece of the body so many times, as fast as it is read.
    Repeat {
        /// The piece.
        bytes: Bytes,
        /// How many times.
        times: u64,
    },
    /// Writes bytes as they are, without a chunk around them.
    Unframed(Bytes),
    /// Does nothing for a while.
    Pause(Duration),
    /// Does nothing until the client goes away.
    Hang,
    /// Resets the connection (TCP RST).
    Reset,
    /// Closes the connection, also in the middle of an answer.
    Close,
}

impl Script {
    /// An answer with this status and no body.
    #[must_use]
    pub const fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            framing: Framing::Length,
            before: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// 200 with a body of JSON.
    #[must_use]
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::status(200).header("content-type", "application/json").bytes(body)
    }

    /// Nothing but these bytes.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::status(200).framed(Framing::Raw).bytes(bytes).step(Step::Close)
    }

    /// No answer at all: the client has to go away.
    #[must_use]
    pub fn hang() -> Self {
        Self::status(200).before(Step::Hang)
    }

    /// A reset instead of an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self::status(200).before(Step::Reset)
    }

    /// 200 with a body that comes one byte a second.
    #[must_use]
    pub fn drip(body: impl Into<Bytes>) -> Self {
        Self::status(200).slices(body, 1, Duration::from_secs(1))
    }

    /// 200 with a body of at least so many bytes, which are all `x`.
    #[must_use]
    pub fn flood(bytes: u64) -> Self {
        const PIECE: usize = 64 * 1024;
        let step = Step::Repeat {
            bytes: Bytes::from(vec![b'x'; PIECE]),
            times: bytes.div_ceil(PIECE as u64),
        };
        Self::status(200).framed(Framing::Chunked).step(step)
    }

    /// 200 with a body of gzip, which the client did not ask for.
    #[must_use]
    pub fn gzip(plain: &[u8]) -> Self {
        Self::status(200).header("content-encoding", "gzip").bytes(packed(plain))
    }

    /// 200 with a body that says it is gzip and is broken in its middle.
    #[must_use]
    pub fn bad_gzip(plain: &[u8]) -> Self {
        let mut bytes = packed(plain);
        let middle = bytes.len() / 2;
        for byte in bytes.iter_mut().skip(middle).take(8) {
            *byte ^= 0xff;
        }
        Self::status(200).header("content-encoding", "gzip").bytes(bytes)
    }

    /// 200 with chunks that break off in the middle of one: `body` comes, and more was promised.
    #[must_use]
    pub fn cut_chunk(body: &[u8]) -> Self {
        let mut bytes = format!("{:x}\r\n", body.len() + 100).into_bytes();
        bytes.extend_from_slice(body);
        Self::status(200)
            .framed(Framing::Chunked)
            .step(Step::Unframed(bytes.into()))
            .step(Step::Close)
    }

    /// The same with another header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with another framing.
    #[must_use]
    pub const fn framed(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// The same with a step before its head.
    #[must_use]
    pub fn before(mut self, step: Step) -> Self {
        self.before.push(step);
        self
    }

    /// The same with another step at its end.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The same with another piece of the body.
    #[must_use]
    pub fn bytes(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Bytes(bytes.into()))
    }

    /// The same with another piece of the body, so many bytes at a time with a pause after each.
    #[must_use]
    pub fn slices(self, bytes: impl Into<Bytes>, size: usize, pause: Duration) -> Self {
        self.step(Step::Slices { bytes: bytes.into(), size, pause })
    }

    /// The same with a pause at its end.
    #[must_use]
    pub fn pause(self, duration: Duration) -> Self {
        self.step(Step::Pause(duration))
    }

    /// The bytes of its head, with those of the framing.
    pub(super) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        match self.framing {
            Framing::Length => head.push_str(&format!("content-length: {}\r\n", self.length())),
            Framing::Said(length) => head.push_str(&format!("content-length: {length}\r\n")),
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n"),
            Framing::Close => head.push_str("connection: close\r\n"),
            Framing::Raw => return Vec::new(),
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    fn length(&self) -> u64 {
        let of = |step: &Step| match step {
            Step::Bytes(bytes) | Step::Slices { bytes, .. } | Step::Unframed(bytes) => {
                bytes.len() as u64
            }
            Step::Repeat { bytes, times } => (bytes.len() as u64).saturating_mul(*times),
            Step::Pause(_) | Step::Hang | Step::Reset | Step::Close => 0,
        };
        self.steps.iter().map(of).fold(0, u64::saturating_add)
    }
}

/// 200 with a stream of events, each of them a chunk: `frames` are whole, with their blank lines.
#[must_use]
pub fn sse<F: AsRef<[u8]>>(frames: impl IntoIterator<Item = F>) -> Script {
    let script = Script::status(200)
        .header("content-type", "text/event-stream; charset=utf-8")
        .framed(Framing::Chunked);
    frames
        .into_iter()
        .fold(script, |script, frame| script.bytes(Bytes::copy_from_slice(frame.as_ref())))
}

fn packed(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // A vector takes every byte.
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
