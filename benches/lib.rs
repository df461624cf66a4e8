//! Unpublished member over the facade with `full`, and what the benches share.

#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench prints its numbers and stops when it cannot go on"
)]

pub mod conversation;
pub mod load;
pub mod process;

use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// What the machine that the goals come from takes for the same two things.
const GOALS_FROM: (u128, u128) = (415, 170);

/// Says how fast this machine is at what decisions are made of, so that numbers of different machines
/// can be compared: nanoseconds for SHA-256 over 635 bytes, microseconds until 4 KiB more of a file in
/// `folder` are durable. Medians.
pub fn print_machine(folder: &Path) -> std::io::Result<()> {
    let bytes = [7_u8; 635];
    let hash = median(301, || {
        for _ in 0..100 {
            black_box(Sha256::digest(black_box(bytes)));
        }
        Ok(())
    })?;
    let mut file = tempfile::tempfile_in(folder)?;
    let sync = median(101, || append(&mut file))?;
    let (hash, sync) = (hash.as_nanos() / 100, sync.as_micros());
    println!(
        "this machine: {hash} ns for SHA-256 over 635 B, {sync} us to append and sync 4 KiB \
         (the goals are of one with {} ns and {} us)",
        GOALS_FROM.0, GOALS_FROM.1
    );
    Ok(())
}

fn append(file: &mut File) -> std::io::Result<()> {
    file.write_all(&[0_u8; 4096])?;
    file.sync_data()
}

fn median(
    rounds: usize,
    mut round: impl FnMut() -> std::io::Result<()>,
) -> std::io::Result<Duration> {
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        round()?;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(rounds / 2).copied().unwrap_or_default())
}
