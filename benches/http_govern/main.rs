//! What governance costs over HTTP: a bare axum echo, then `/api/v1/govern` with everything on and a
//! durable SQLite row before each answer, in turn on the same cores, with the same client and body.
//!
//! ```console
//! $ cargo bench --bench http_govern                       # 3 rounds of 3 s per level
//! $ cargo bench --bench http_govern -- --level 64        # with so many connections only
//! $ cargo bench --bench http_govern -- --soak 1000000     # memory over a million requests
//! ```
//!
//! Prints requests per second, the ratio to the bare server, latency in milliseconds, and CPU of the
//! server process in microseconds per request.

#![expect(
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a bench prints its numbers and stops when it cannot go on"
)]

mod server;

use std::error::Error;
use std::time::Duration;

use server::{Governed, Kind, start};
use systemprompt_benches::load;

/// As in the gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEVELS: [usize; 3] = [8, 64, 200];
const ROUNDS: usize = 3;
const SECONDS: u64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned()
    };
    if let Some(kind) = value("--serve") {
        return server::serve(&kind);
    }
    match (value("--soak"), value("--level")) {
        (Some(requests), _) => soak(requests.parse()?),
        (None, Some(level)) => compare(&[level.parse()?]),
        (None, None) => compare(&LEVELS),
    }
}

/// One level of one server.
#[derive(Default, Clone, Copy)]
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

fn compare(levels: &[usize]) -> Result<(), Box<dyn Error>> {
    let governed = Governed::prepare()?;
    systemprompt_benches::print_machine(governed.folder())?;
    println!(
        "{:>5} {:>9} {:>10} {:>7} {:>8} {:>8} {:>9}",
        "conns", "server", "req/s", "ratio", "p50 ms", "p99 ms", "CPU us"
    );
    for &connections in levels {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let bare = measure(Kind::Bare, &governed, connections)?;
            rounds.push((bare, measure(Kind::Governed, &governed, connections)?));
        }
        let bare = median(rounds.iter().map(|(bare, _)| *bare).collect());
        let ours = median(rounds.iter().map(|(_, ours)| *ours).collect());
        print(connections, "bare", bare, bare);
        print(connections, "governed", ours, bare);
    }
    Ok(())
}

fn measure(kind: Kind, governed: &Governed, connections: usize) -> Result<Figures, Box<dyn Error>> {
    let server = start(kind, governed)?;
    let (request, expect) = governed.request(kind, &server)?;
    let warm = Duration::from_millis(500);
    load::run(server.addr(), &request, expect, connections, warm)?;
    let before = server.cpu()?;
    let seconds = Duration::from_secs(SECONDS);
    let run = load::run(server.addr(), &request, expect, connections, seconds)?;
    let cpu = server.cpu()?.saturating_sub(before);
    Ok(Figures {
        per_second: run.per_second(),
        p50_ms: run.percentile_ms(0.50),
        p99_ms: run.percentile_ms(0.99),
        cpu_us: cpu.as_secs_f64() * 1e6 / run.requests as f64,
    })
}

fn median(mut figures: Vec<Figures>) -> Figures {
    figures.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn print(connections: usize, name: &str, figures: Figures, bare: Figures) {
    println!(
        "{connections:>5} {name:>9} {:>10.0} {:>6.1}% {:>8.2} {:>8.2} {:>9.1}",
        figures.per_second,
        100.0 * figures.per_second / bare.per_second,
        figures.p50_ms,
        figures.p99_ms,
        figures.cpu_us
    );
}

/// Resident memory before, during and after many requests over 200 connections.
fn soak(requests: u64) -> Result<(), Box<dyn Error>> {
    let governed = Governed::prepare()?;
    let server = start(Kind::Governed, &governed)?;
    std::thread::sleep(Duration::from_secs(2));
    println!("{:>10} {:>9}", "requests", "RSS MiB");
    println!("{:>10} {:>9.1}", 0, server.resident_mib()?);
    let (request, expect) = governed.request(Kind::Governed, &server)?;
    let mut sent = 0;
    while sent < requests {
        let run = load::run(server.addr(), &request, expect, 200, Duration::from_secs(SECONDS))?;
        sent += run.requests;
        println!("{sent:>10} {:>9.1}", server.resident_mib()?);
    }
    Ok(())
}
