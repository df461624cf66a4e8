//! A closed-loop HTTP/1.1 load generator: every connection sends its next request when the answer to
//! the last has arrived. One thread, no allocation per request, so that the server gets the cores.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

/// What a run of the load generator measured.
#[derive(Debug)]
pub struct Run {
    /// How many requests were answered.
    pub requests: u64,
    /// In how long.
    pub elapsed: Duration,
    latencies_us: Vec<u32>,
}

impl Run {
    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which `share` of the requests stayed, in milliseconds.
    #[must_use]
    pub fn percentile_ms(&self, share: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = ((last as f64) * share).round() as usize;
        f64::from(self.latencies_us.get(at).copied().unwrap_or(0)) / 1000.0
    }
}

/// Sends `request` over `connections` connections for `duration`. Every answer must be a 200 whose
/// body holds `expect`, and either says how long it is or comes in chunks.
///
/// # Errors
/// What a connection failed with, or an answer that is another.
pub fn run(
    addr: SocketAddr,
    request: &[u8],
    expect: &[u8],
    connections: usize,
    duration: Duration,
) -> io::Result<Run> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let (request, expect): (Rc<[u8]>, Rc<[u8]>) = (request.into(), expect.into());
    local.block_on(&runtime, async move {
        let start = Instant::now();
        let end = start + duration;
        let tasks: Vec<_> = (0..connections)
            .map(|_| {
                tokio::task::spawn_local(connection(addr, request.clone(), expect.clone(), end))
            })
            .collect();
        let mut latencies_us = Vec::new();
        for task in tasks {
            latencies_us.append(&mut task.await.map_err(io::Error::other)??);
        }
        let elapsed = start.elapsed();
        latencies_us.sort_unstable();
        Ok(Run { requests: latencies_us.len() as u64, elapsed, latencies_us })
    })
}

async fn connection(
    addr: SocketAddr,
    request: Rc<[u8]>,
    expect: Rc<[u8]>,
    end: Instant,
) -> io::Result<Vec<u32>> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut latencies = Vec::with_capacity(64 * 1024);
    while Instant::now() < end {
        let sent = Instant::now();
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut buffer, &expect).await?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

/// Reads one answer. A long one is not kept: of a stream, its head and its end are looked at.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8], expect: &[u8]) -> io::Result<()> {
    let mut filled = 0;
    let mut wanted = None;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up"));
        }
        filled += read;
        if wanted.is_none() {
            wanted = length(&buffer[..filled])?;
        }
        let text = &buffer[..filled];
        let whole = match wanted {
            None => false,
            Some(Length::Bytes(length)) => filled >= length,
            Some(Length::Chunks) => text.ends_with(LAST_CHUNK),
        };
        if whole {
            let found = memchr::memmem::find(text, expect).is_some();
            return if found { Ok(()) } else { Err(other(text)) };
        }
        if matches!(wanted, Some(Length::Chunks)) && filled > KEPT {
            buffer.copy_within(filled - KEPT..filled, 0);
            filled = KEPT;
        }
    }
}

/// How an answer says where it ends.
enum Length {
    /// After so many bytes, its head included.
    Bytes(usize),
    /// With a chunk of no bytes.
    Chunks,
}

/// The end of an answer in chunks.
const LAST_CHUNK: &[u8] = b"\r\n0\r\n\r\n";

/// The bytes of a stream that are kept to find its end in.
const KEPT: usize = 4096;

/// Where an answer ends, as soon as its head is there.
fn length(text: &[u8]) -> io::Result<Option<Length>> {
    let Some(head) = find(text, b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
    if !text.starts_with(b"HTTP/1.1 200") {
        return Err(other(text));
    }
    let lines = std::str::from_utf8(&text[..head]).map_err(io::Error::other)?.lines();
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok(Some(Length::Chunks));
        }
        if name.eq_ignore_ascii_case("content-length") {
            let length: usize = value.trim().parse().map_err(io::Error::other)?;
            return Ok(Some(Length::Bytes(head + length)));
        }
    }
    Err(io::Error::other("an answer that does not say where it ends"))
}

fn other(text: &[u8]) -> io::Error {
    io::Error::other(String::from_utf8_lossy(text).into_owned())
}

/// Sends each of `requests` once over one connection. Returns how long each took.
///
/// # Errors
/// As [`run`].
pub fn one_by_one(
    addr: SocketAddr,
    requests: &[Vec<u8>],
    expect: &[u8],
) -> io::Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let mut buffer = vec![0_u8; 64 * 1024];
        let mut took = Vec::with_capacity(requests.len());
        for request in requests {
            let sent = Instant::now();
            stream.write_all(request).await?;
            read_answer(&mut stream, &mut buffer, expect).await?;
            took.push(sent.elapsed());
        }
        Ok(took)
    })
}

/// Opens `streams` connections, sends `request` over each, and calls `while_open` when `expect` has come
/// over all of them.
///
/// # Errors
/// What a connection failed with.
pub fn hold(
    addr: SocketAddr,
    request: &[u8],
    expect: &[u8],
    streams: usize,
    while_open: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut open = Vec::with_capacity(streams);
        for _ in 0..streams {
            let mut stream = TcpStream::connect(addr).await?;
            stream.write_all(request).await?;
            open.push(stream);
        }
        let mut buffer = vec![0_u8; 64 * 1024];
        for stream in &mut open {
            let mut filled = 0;
            while find(&buffer[..filled], expect).is_none() {
                let read = stream.read(&mut buffer[filled..]).await?;
                filled += read;
                if read == 0 {
                    return Err(other(&buffer[..filled]));
                }
            }
        }
        while_open();
        Ok(())
    })
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, needle)
}
