//! What the model gateway costs: the same requests through a plain reverse proxy of the same libraries,
//! through the gateway to a provider of the caller's dialect (the byte lane), and to one of another
//! dialect (the translate lane), in turn on the same cores. The gateway decides, scans and records
//! durably, as it does for everybody. All goals are of a run without anything else on the machine.
//!
//! ```console
//! $ cargo bench --bench model_gateway                     # everything, about four minutes
//! $ cargo bench --bench model_gateway -- --only frames   # requests, frames, memory, scan or codecs
//! ```

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints its numbers and stops when it cannot go on"
)]

mod codecs;
mod servers;
mod upstream;
mod wire;

use std::error::Error;
use std::time::Duration;

use servers::{Lane, Site};
use systemprompt_benches::conversation::{conversation, question};
use systemprompt_benches::load;
use systemprompt_benches::process::Running;

/// As in the gateway.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error>;

type Part = fn(&Site) -> Result<(), Failure>;

const LEVELS: [usize; 3] = [1, 8, 64];
const ROUNDS: usize = 3;
const SECONDS: u64 = 3;
const WARM: Duration = Duration::from_millis(700);

/// Deltas of a stream whose frames are counted, and how many of them there are at a time.
const DELTAS: usize = 10_000;
const STREAMS: usize = 4;

/// Streams that are open while the memory is looked at.
const OPEN: usize = 2_000;

/// Conversations that are scanned, and their size in bytes.
const CONVERSATIONS: usize = 60;
const CONVERSATION: usize = 200_000;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned()
    };
    if let Some(kind) = value("--serve") {
        return servers::serve(&kind);
    }
    let only = value("--only");
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("codecs") {
        codecs::print()?;
    }
    let site = Site::prepare()?;
    systemprompt_benches::print_machine(site.folder())?;
    let parts: [(&str, Part); 4] =
        [("requests", requests), ("frames", frames), ("memory", memory), ("scan", scan)];
    for (name, part) in parts {
        if wanted(name) {
            part(&site)?;
        }
    }
    Ok(())
}

/// One lane at one level.
#[derive(Default, Clone, Copy)]
struct Figures {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    cpu_us: f64,
}

/// Answers of 1 KiB to questions of 1 KiB.
fn requests(site: &Site) -> Result<(), Failure> {
    println!(
        "\n{:>5} {:>9} {:>9} {:>7} {:>8} {:>8} {:>9} {:>9}",
        "conns", "lane", "req/s", "ratio", "p50 ms", "p99 ms", "added us", "CPU us"
    );
    for connections in LEVELS {
        let mut rounds: [Vec<Figures>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (lane, rounds) in Lane::ALL.into_iter().zip(&mut rounds) {
                let body = question(lane.family(), false);
                rounds.push(measure(site, lane, &body, b"the quick brown", connections)?);
            }
        }
        let [proxy, bytes, translate] = rounds.map(median);
        for (lane, figures) in Lane::ALL.into_iter().zip([proxy, bytes, translate]) {
            println!(
                "{connections:>5} {:>9} {:>9.0} {:>6.1}% {:>8.3} {:>8.2} {:>9.0} {:>9.1}",
                lane.name(),
                figures.per_second,
                100.0 * figures.per_second / proxy.per_second,
                figures.p50_ms,
                figures.p99_ms,
                1e3 * (figures.p50_ms - proxy.p50_ms),
                figures.cpu_us
            );
        }
        if connections == 64 {
            goal("of the proxy", 100.0 * bytes.per_second / proxy.per_second, "%", "at least 50");
            goal("CPU per request", bytes.cpu_us, "us", "at most 90");
            goal("translated", translate.cpu_us / bytes.cpu_us, "times that", "at most 1.8");
        }
        if connections == 1 {
            goal("added median", 1e3 * (bytes.p50_ms - proxy.p50_ms), "us", "at most 200");
        }
    }
    Ok(())
}

/// Streams as fast as they go.
fn frames(site: &Site) -> Result<(), Failure> {
    println!("\n{:>9} {:>11} {:>12}", "lane", "frames/s", "CPU us/frame");
    let mut rounds: [Vec<Figures>; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (lane, rounds) in Lane::ALL.into_iter().zip(&mut rounds) {
            let model = format!("{}{}{DELTAS}", lane.family(), upstream::DELTAS);
            rounds.push(measure(site, lane, &question(&model, true), b"message_stop", STREAMS)?);
        }
    }
    let medians = rounds.map(median);
    for (lane, figures) in Lane::ALL.into_iter().zip(medians) {
        let (per_second, cpu) =
            (figures.per_second * DELTAS as f64, figures.cpu_us / DELTAS as f64);
        println!("{:>9} {per_second:>11.0} {cpu:>12.2}", lane.name());
    }
    let [_, bytes, translate] = medians;
    goal("byte lane", bytes.cpu_us / DELTAS as f64, "us per frame", "at most 5");
    goal("translate lane", translate.cpu_us / DELTAS as f64, "us per frame", "at most 15");
    Ok(())
}

/// Resident memory with many streams open, each of which brings a frame a second.
fn memory(site: &Site) -> Result<(), Failure> {
    println!("\n{:>9} {:>9} {:>12} {:>13}", "lane", "idle MiB", "2,000 open", "KiB a stream");
    for lane in Lane::ALL {
        let server = site.start(lane)?;
        let model = format!("{}{}", lane.family(), upstream::SLOW);
        let request = site.request(&server, &question(&model, true));
        load::hold(server.addr(), &request, b"the quick brown", 1, || {})?;
        let idle = server.resident_mib()?;
        let mut open = Ok(0.0);
        load::hold(server.addr(), &request, b"the quick brown", OPEN, || {
            std::thread::sleep(Duration::from_secs(4));
            open = server.resident_mib();
        })?;
        let open = open?;
        let each = (open - idle) * 1024.0 / OPEN as f64;
        println!("{:>9} {idle:>9.1} {open:>12.1} {each:>13.1}", lane.name());
        if lane == Lane::Bytes {
            goal("2,000 streams", open, "MiB", "at most 200");
        }
    }
    Ok(())
}

/// Long conversations, each of which is sent twice, as clients do with all turns but the last.
fn scan(site: &Site) -> Result<(), Failure> {
    println!("\n{:>9} {:>12} {:>12} {:>12}", "lane", "time", "median ms", "CPU ms");
    let mut costs = [[0.0; 2]; 2];
    for (lane, costs) in [Lane::Proxy, Lane::Bytes].into_iter().zip(&mut costs) {
        let server = site.start(lane)?;
        let requests: Vec<Vec<u8>> = (0..CONVERSATIONS)
            .map(|number| site.request(&server, &conversation(lane.family(), CONVERSATION, number)))
            .collect();
        let warm = site.request(&server, &question(lane.family(), false));
        load::run(server.addr(), &warm, b"the quick brown", 8, WARM)?;
        for (time, cost) in ["first", "second"].into_iter().zip(costs) {
            let before = server.cpu()?;
            let mut took = load::one_by_one(server.addr(), &requests, b"the quick brown")?;
            took.sort_unstable();
            let median = took[took.len() / 2].as_secs_f64() * 1e3;
            *cost = per(&server, before, CONVERSATIONS as u64)? / 1e3;
            println!("{:>9} {time:>12} {median:>12.2} {cost:>12.2}", lane.name());
        }
    }
    let [proxy, bytes] = costs;
    let share = 100.0 * (bytes[1] - proxy[1]).max(0.0) / (bytes[0] - proxy[0]);
    goal("the second time", share, "% of the CPU beyond the proxy's", "at most 25");
    Ok(())
}

fn measure(
    site: &Site,
    lane: Lane,
    body: &str,
    expect: &[u8],
    connections: usize,
) -> Result<Figures, Failure> {
    let server = site.start(lane)?;
    let request = site.request(&server, body);
    load::run(server.addr(), &request, expect, connections, WARM)?;
    let before = server.cpu()?;
    let seconds = Duration::from_secs(SECONDS);
    let run = load::run(server.addr(), &request, expect, connections, seconds)?;
    Ok(Figures {
        per_second: run.per_second(),
        p50_ms: run.percentile_ms(0.50),
        p99_ms: run.percentile_ms(0.99),
        cpu_us: per(&server, before, run.requests)?,
    })
}

/// CPU of a server since `before`, in microseconds per request.
fn per(server: &Running, before: Duration, requests: u64) -> Result<f64, Failure> {
    let cpu = server.cpu()?.saturating_sub(before);
    Ok(cpu.as_secs_f64() * 1e6 / requests as f64)
}

fn median(mut figures: Vec<Figures>) -> Figures {
    figures.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}

fn goal(what: &str, value: f64, unit: &str, goal: &str) {
    println!("      {what}: {value:.1} {unit} (goal: {goal})");
}
