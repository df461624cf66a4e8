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
pub(crate) struct Run {
    pub requests: u64,
    pub elapsed: Duration,
    latencies_us: Vec<u32>,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }

    /// The latency below which `share` of the requests stayed, in milliseconds.
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        let last = self.latencies_us.len().saturating_sub(1);
        let at = ((last as f64) * share).round() as usize;
        f64::from(self.latencies_us.get(at).copied().unwrap_or(0)) / 1000.0
    }
}

/// Sends `request` over `connections` connections for `duration`. Every answer must be a 200 whose
/// body holds `expect`.
pub(crate) fn run(
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
    let mut buffer = vec![0_u8; 16 * 1024];
    let mut latencies = Vec::with_capacity(64 * 1024);
    while Instant::now() < end {
        let sent = Instant::now();
        stream.write_all(&request).await?;
        read_answer(&mut stream, &mut buffer, &expect).await?;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(latencies)
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8], expect: &[u8]) -> io::Result<()> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up"));
        }
        filled += read;
        let text = &buffer[..filled];
        let Some(head) = find(text, b"\r\n\r\n").map(|at| at + 4) else { continue };
        let length = content_length(&text[..head])?;
        if filled < head + length {
            continue;
        }
        if !text.starts_with(b"HTTP/1.1 200") || find(&text[head..], expect).is_none() {
            return Err(io::Error::other(String::from_utf8_lossy(text).into_owned()));
        }
        return Ok(());
    }
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    let text = std::str::from_utf8(head).map_err(io::Error::other)?;
    text.lines()
        .find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        })
        .ok_or_else(|| io::Error::other("an answer without content-length"))
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}
